"""Activities that somebody else completes."""

from __future__ import annotations

from typing import NoReturn

from invincible.exceptions import ApplicationError

from ._context import _context


class CompleteAsyncError(BaseException):
    """Tells the worker that the activity will be completed from outside. Not an error of the activity's, so that
    ``except Exception`` lets it pass."""


def raise_complete_async() -> NoReturn:
    """Ends this function, but not the activity: somebody else will complete it, by the task token or the ids of
    :func:`info`. See :meth:`invincible.client.Client.get_async_activity_handle`.

    The timeouts go on. Where a heartbeat timeout is set, whoever completes the activity heartbeats until then.

    Raises:
        RuntimeError: outside of an activity.
        ApplicationError: in a local activity, which only its worker can complete; it is not retried.
    """
    context = _context()
    if context.start.is_local:
        raise ApplicationError(
            f"local activity {context.start.activity_type!r} cannot be completed from outside of its worker: call it "
            "with workflow.execute_activity",
            non_retryable=True,
        )
    raise CompleteAsyncError("the activity will be completed from outside")
