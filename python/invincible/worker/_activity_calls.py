"""The call of an activity in another process: what is sent there, how it runs there, and what comes back."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from invincible._native import ActivityStart, Payload
from invincible.activity._context import ActivityContext, Event, current
from invincible.activity._interrupt import ThreadInterrupt
from invincible.common import MetricMeter
from invincible.converter import PayloadConverter
from invincible.exceptions import ApplicationError

from ._activity_registry import Activity
from ._remote_errors import RemoteError
from ._running_activity import RunningActivity


@dataclass(frozen=True)
class ActivityCall:
    """What a process needs to know for calling an activity.

    Args:
        function: The activity with its arguments.
        start: Its task, without the payloads of arguments and headers.
        heartbeat_details: The last heartbeat of an earlier attempt.
        namespace: Of the worker.
        task_queue: Of the worker.
        payload_converter: Converts heartbeats.
        interruptible: Whether cancellation raises an exception in it.
    """

    function: partial[Any]
    start: ActivityStart
    heartbeat_details: Sequence[Payload]
    namespace: str
    task_queue: str
    payload_converter: PayloadConverter
    interruptible: bool

    def context(
        self,
        *,
        send_heartbeat: Callable[[Sequence[Any]], None],
        worker_shutdown: Event,
        cancelled: Event,
        metric_meter: MetricMeter | None = None,
        interrupt: ThreadInterrupt | None = None,
    ) -> ActivityContext:
        """What the activity's code can ask, in its process."""

        def heartbeat(details: Sequence[Any]) -> None:
            self.payload_converter.to_payloads(details)  # what cannot be converted is an error of the caller's
            send_heartbeat(details)

        return ActivityContext(
            start=self.start,
            namespace=self.namespace,
            task_queue=self.task_queue,
            payload_converter=self.payload_converter,
            send_heartbeat=heartbeat,
            worker_shutdown=worker_shutdown,
            worker_metric_meter=metric_meter,
            heartbeat_details=self.heartbeat_details,
            cancelled=cancelled,
            interrupt=interrupt,
        )


def pickled_call(activity: Activity, running: RunningActivity, function: partial[Any]) -> bytes:
    """The call of an activity, for a process.

    Raises:
        ApplicationError: An argument cannot be pickled.
    """
    context, start = running.context, running.start
    _, _, fields = cast("tuple[Any, tuple[type, tuple[()], dict[str, Any]]]", start.__reduce__())[1]
    call = ActivityCall(
        function=function,
        start=ActivityStart(**{**fields, "input": (), "headers": {}, "heartbeat_details": ()}),
        heartbeat_details=context.last_heartbeat(),
        namespace=context.namespace,
        task_queue=context.task_queue,
        payload_converter=context.payload_converter,
        interruptible=not activity.definition.no_thread_cancel_exception,
    )
    try:
        return pickle.dumps(call)
    except Exception as error:
        raise ApplicationError(
            f"the arguments of activity {start.activity_type!r} cannot be sent to another process: "
            f"{type(error).__name__}: {error}",
            type="PicklingError",
        ) from error


def run_call(pickled: bytes, call: Callable[[ActivityCall], tuple[ActivityContext, Callable[[], Any]]]) -> bytes:
    """Run a call in its process; the outcome, pickled. Raises nothing.

    Args:
        pickled: The call.
        call: Gives the context for it, and what to call.
    """
    try:
        context, function = call(pickle.loads(pickled))
        token = current.set(context)
        try:
            return _outcome(True, function())
        finally:
            current.reset(token)
    except BaseException as error:  # it is for the worker
        return _outcome(False, RemoteError.of(error))


def result_of(outcome: bytes) -> Any:
    """The result of a call that has run in a process.

    Raises:
        BaseException: what it has raised.
    """
    try:
        returned, value = pickle.loads(outcome)
    except Exception as error:
        problem = f"the result of the activity cannot be read by its worker: {type(error).__name__}: {error}"
        raise ApplicationError(problem, type="PicklingError") from error
    if returned:
        return value
    raise value.exception()


def _outcome(returned: bool, value: Any) -> bytes:
    try:
        return pickle.dumps((returned, value))
    except Exception as error:
        problem = f"the result of the activity cannot be sent to its worker: {type(error).__name__}: {error}"
        return pickle.dumps((False, RemoteError.of(ApplicationError(problem, type="PicklingError"))))
