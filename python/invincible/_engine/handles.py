"""Futures of operations that Core carries out for a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from invincible._native import Payload, ResolveActivity

from .loop import WorkflowFuture

if TYPE_CHECKING:
    from .run import WorkflowRun

T = TypeVar("T")


class ActivityHandle(WorkflowFuture[T]):
    """A scheduled activity: await it for the result, ``cancel()`` it to ask for its cancellation.

    Cancelling is a request: the handle ends when the activity has, as its cancellation type says, and then raises
    ``ActivityError`` with a ``CancelledError`` as cause, or returns the result if the activity completed all the same.
    """

    def __init__(self, run: WorkflowRun, seq: int, decode: Callable[[Payload | None], T]) -> None:
        super().__init__(loop=run.loop)
        self._run = run
        self._seq = seq
        self._decode = decode
        self._cancel_requested = False

    def cancel(self, msg: Any = None) -> bool:
        if self.done():
            return False
        if not self._cancel_requested:
            self._cancel_requested = True
            self._run.loop.call_soon(self._request_cancel)
        return True

    def _request_cancel(self) -> None:
        if not self.done():
            self._run.request_cancel_activity(self._seq)

    def resolve(self, job: ResolveActivity) -> None:
        # Histories depend on the order in which waiting code continues: an activity's result reaches its waiter two
        # turns of the loop after a callback that became ready at the same time.
        self._run.loop.call_soon(self._run.loop.call_soon, self._finish, job)

    def _finish(self, job: ResolveActivity) -> None:
        if self.done():
            return
        if job.failure is not None:
            self.set_exception(self._run.exception_from(job.failure))
            return
        try:
            value = self._decode(job.result)
        except Exception as error:  # raised where the result is awaited
            self.set_exception(error)
        else:
            self.set_result(value)
