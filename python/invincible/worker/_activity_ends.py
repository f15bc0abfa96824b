"""How an activity that has raised an exception ends, as the server is told."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import CancelledError as FutureCancelledError
from dataclasses import dataclass

from invincible import _native
from invincible._native import ApplicationFailureInfo, Failure
from invincible.activity._completion import CompleteAsyncError
from invincible.activity._context import ActivityCancellationDetails
from invincible.converter._failure import FOREIGN_STACK
from invincible.exceptions import ApplicationError, ApplicationErrorCategory, CancelledError

from ._failures import failure_of, log
from ._running_activity import RunningActivity


@dataclass(frozen=True)
class End:
    """What to tell.

    Args:
        failure: Its failure, not encoded yet; ``None`` if it is going to be completed by somebody else.
        cancelled: Whether it has ended as it was asked to.
    """

    failure: Failure | None
    cancelled: bool = False

    def tell(self, native: _native.Worker, task_token: bytes, failure: Failure | None) -> None:
        """Tell it, with the failure encoded."""
        if failure is None:
            native.release_activity(task_token)
        elif self.cancelled:
            native.cancel_activity(task_token, failure)
        else:
            native.fail_activity(task_token, failure)


def end_of(running: RunningActivity, error: BaseException) -> End:
    """The end of an activity that has raised an exception."""
    details = running.context.cancellation_details
    if isinstance(error, CompleteAsyncError):
        return End(None)
    if isinstance(error, (asyncio.CancelledError, CancelledError, FutureCancelledError)):
        if details is not None:
            if details.cancel_requested or details.not_found or details.timed_out:
                return End(_failure_of(running, CancelledError("activity cancelled")), cancelled=True)
            error = _stopped(details)
        elif running.heartbeat_error is not None:
            error = running.heartbeat_error
    _log(running, error)
    failure = _failure_of(running, error)
    if not isinstance(failure.info, ApplicationFailureInfo):
        # The server refuses other failures of activities, and would wait for the timeout of this one.
        info = ApplicationFailureInfo(type=type(error).__name__)
        failure = Failure(failure.message, stack_trace=failure.stack_trace, cause=failure, info=info)
    return End(failure)


def _stopped(details: ActivityCancellationDetails) -> ApplicationError:
    if details.paused:
        reason, type_ = "it was paused", "ActivityPause"
    elif details.reset:
        reason, type_ = "it was reset", "ActivityReset"
    else:
        reason, type_ = "the worker shuts down", "WorkerShutdown"
    return ApplicationError(f"activity stopped because {reason}", type=type_)


def _log(running: RunningActivity, error: BaseException) -> None:
    start = running.start
    foreign = getattr(error, FOREIGN_STACK, None)
    expected = isinstance(error, ApplicationError) and error.category is ApplicationErrorCategory.BENIGN
    log(
        logging.DEBUG if expected else logging.WARNING,
        "activity %s (id %s, attempt %d)%s failed%s",
        start.activity_type,
        start.activity_id,
        start.attempt,
        f" of workflow {start.workflow_id}" if start.workflow_id else "",
        "" if foreign is None else f" in its process:\n{foreign}",
        error=error,
    )


def _failure_of(running: RunningActivity, error: BaseException) -> Failure:
    converter = running.converter
    return failure_of(error, converter.failure_converter, converter.payload_converter)
