"""Activities, remote and local, that a run has scheduled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from invincible import _native
from invincible._native import (
    ActivityBackoff,
    CanceledFailureInfo,
    Failure,
    Payload,
    ResolveActivity,
    TimeoutFailureInfo,
)
from invincible.converter import SerializationContext

from .contexts import activity_context
from .errors import ActivityNotRegisteredError, TaskAbandonedError
from .loop import TimerHandle
from .operations import OperationHandle, Pending, option_fields
from .options import ActivityOptions, LocalActivityOptions
from .reference import Reference

if TYPE_CHECKING:
    from .run import WorkflowRun

T = TypeVar("T")


class ActivityHandle(OperationHandle[T]):
    """A scheduled activity: await it for the result, ``cancel()`` it to ask for its cancellation.

    Cancelling is a request: the handle ends when the activity has, as its cancellation type says, and then raises
    ``ActivityError`` with a ``CancelledError`` as cause, or returns the result if the activity completed all the same.
    """

    __slots__ = ("_first_turn",)

    # The turn of the loop in which code can run at the earliest that becomes ready after it was scheduled.
    _first_turn: int

    def cancel(self, msg: Any = None) -> bool:
        """Ask for the cancellation; whether there was still something to cancel."""
        if self.done() or self.cancel_requested:
            return not self.done()
        super().cancel(msg)
        loop = self._run.loop
        if self._overtaken:
            pass
        elif loop.turn < self._first_turn:
            # In the same breath as it was scheduled: there is nothing yet whose end could be waited for.
            self._request_cancel()
            loop.call_soon(asyncio.Future.cancel, self, msg)
        else:
            loop.call_soon(self._request_cancel)
        return True

    def _request_cancel(self) -> None:
        if not self.done() and self._seq in self._run.activities.pending and not self._run.evicted:
            self._run.emit(self._cancel_command())

    def _cancel_command(self) -> Any:
        return _native.RequestCancelActivity(seq=self._seq)

    def on_end(self, job: ResolveActivity) -> None:
        self.resolve(job.result, job.failure)


class LocalActivityHandle(ActivityHandle[T]):
    """A local activity. Before its next attempt it may wait for a timer, and is then scheduled anew."""

    __slots__ = ("_backoff", "_schedule")

    def __init__(
        self,
        run: WorkflowRun,
        seq: int,
        what: str,
        result_type: Any,
        schedule: Callable[[LocalActivityHandle[Any], ActivityBackoff | None], None],
        context: SerializationContext | None = None,
    ) -> None:
        super().__init__(run, seq, what, result_type, context)
        self._schedule = schedule
        self._backoff: TimerHandle | None = None

    def _cancel_command(self) -> Any:
        return _native.RequestCancelLocalActivity(seq=self._seq)

    def _request_cancel(self) -> None:
        if self._backoff is None:
            super()._request_cancel()
        elif not self.done():
            self._backoff.cancel()
            asyncio.Future.cancel(self)

    def on_end(self, job: ResolveActivity) -> None:
        if not self.cancel_requested and not self._run.is_replaying and _is_cancelled(job.failure):
            # A worker that shuts down, or evicts the run, cancels what runs: the workflow has asked for no such thing.
            raise TaskAbandonedError(f"{self.what} was interrupted: its worker stops, or needs the room in its cache")
        if job.backoff is None:
            self.resolve(job.result, _as_in_history(job.failure))
        else:
            loop = self._run.loop
            loop.call_soon(loop.call_soon, self._back_off, job.backoff)

    def _back_off(self, backoff: ActivityBackoff) -> None:
        if not self.done():
            # Numbered now, not when the timer fires: histories depend on it.
            self._seq = self._run.activities.pending.next_seq()
            loop = self._run.loop
            self._backoff = loop.call_later(backoff.backoff, loop.call_soon, self._again, backoff)

    def _again(self, backoff: ActivityBackoff) -> None:
        self._backoff = None
        if not self.done():
            self._schedule(self, backoff)


def _as_in_history(failure: Failure | None) -> Failure | None:
    """A time-out of a local activity: Core wraps it as an activity's failure at first, but not on replay."""
    cause = failure.cause if failure is not None else None
    if cause is not None and isinstance(cause.info, TimeoutFailureInfo):
        return cause
    return failure


def _is_cancelled(failure: Failure | None) -> bool:
    while failure is not None:
        if isinstance(failure.info, CanceledFailureInfo):
            return True
        failure = failure.cause
    return False


class Activities:
    """The activities of one run. Remote and local ones are numbered together: histories depend on it."""

    def __init__(self, run: WorkflowRun) -> None:
        self.run = run
        self.pending: Pending[ActivityHandle[Any]] = Pending("activity")

    def resolve(self, job: ResolveActivity) -> None:
        self.pending.take(job.seq).on_end(job)

    def schedule(
        self,
        reference: Reference,
        arguments: Sequence[Any],
        options: ActivityOptions,
        result_type: Any,
        *,
        headers: Mapping[str, Payload] | None = None,
        disable_eager_execution: bool = False,
    ) -> ActivityHandle[Any]:
        """Schedule an activity; the handle resolves with its result."""
        run = self.run
        activity_type = reference.name
        run.require_writable("scheduling an activity")
        options.check(activity_type)
        task_queue = options.task_queue or run.worker.task_queue
        self._require_registered(activity_type, task_queue)
        context = activity_context(run, activity_type, options.activity_id, options.task_queue)
        payloads = run.encode(arguments, "activity", activity_type, context)
        seq = self.pending.next_seq()
        fields = option_fields(run, options, context)
        fields["seq"] = seq
        fields["activity_id"] = options.activity_id or str(seq)
        fields["activity_type"] = activity_type
        fields["task_queue"] = task_queue
        fields["arguments"] = payloads
        if headers:
            fields["headers"] = headers
        if disable_eager_execution:
            fields["do_not_eagerly_execute"] = True
        run.emit(_native.ScheduleActivity(**fields))
        handle: ActivityHandle[Any] = ActivityHandle(run, seq, f"activity {activity_type!r}", result_type, context)
        handle._first_turn = run.loop.next_turn()
        self.pending[seq] = handle
        return handle

    def schedule_local(
        self,
        reference: Reference,
        arguments: Sequence[Any],
        options: LocalActivityOptions,
        result_type: Any,
        *,
        headers: Mapping[str, Payload] | None = None,
    ) -> ActivityHandle[Any]:
        """Run an activity on this worker, without a task of its own; the handle resolves with its result."""
        run = self.run
        activity_type = reference.name
        run.require_writable("scheduling a local activity")
        options.check(activity_type)
        self._require_registered(activity_type, None)
        context = activity_context(run, activity_type, options.activity_id, None, is_local=True)
        payloads = run.encode(arguments, "local activity", activity_type, context)
        fields = option_fields(run, options, context)
        fields["activity_type"] = activity_type
        fields["arguments"] = payloads
        if headers:
            fields["headers"] = headers

        def schedule(handle: LocalActivityHandle[Any], backoff: ActivityBackoff | None) -> None:
            fields["seq"] = seq = handle._seq
            fields["activity_id"] = options.activity_id or str(seq)
            if backoff is not None:
                fields["attempt"] = backoff.attempt
                fields["original_schedule_time_ns"] = backoff.original_schedule_time_ns
            run.emit(_native.ScheduleLocalActivity(**fields))
            self.pending[seq] = handle

        seq = self.pending.next_seq()
        what = f"activity {activity_type!r}"
        handle: LocalActivityHandle[Any] = LocalActivityHandle(run, seq, what, result_type, schedule, context)
        handle._first_turn = run.loop.next_turn()
        schedule(handle, None)
        return handle

    def _require_registered(self, activity_type: str, task_queue: str | None) -> None:
        run = self.run
        if run.worker.activity_complaint is None or run.is_replaying:
            return
        complaint = run.worker.activity_complaint(activity_type, task_queue)
        if complaint is not None:
            error = ActivityNotRegisteredError(complaint)
            # Whatever the code makes of it: it is no outcome of an activity.
            run.fail_task(error)
            raise error
