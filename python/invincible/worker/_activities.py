"""The activity side of a worker: runs ``async def`` activities on the event loop and ``def`` activities on threads."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from invincible import _native
from invincible._native import ActivityCancel, ActivityStart, Failure, Payload
from invincible.activity._context import ActivityCancellationDetails, ActivityContext, Event, current
from invincible.activity._definition import ActivityDefinition
from invincible.common import MetricMeter, RawValue
from invincible.converter import DataConverter
from invincible.exceptions import ApplicationError, CancelledError

from ._failures import failure_of, logger

# Seconds that abandoned local activities have to end when their worker does.
_END_TIMEOUT = 5.0


@dataclass(frozen=True)
class Activity:
    """A registered activity: its definition, and what to call."""

    definition: ActivityDefinition
    function: Callable[..., Any]

    @property
    def is_async(self) -> bool:
        return self.definition.is_async or inspect.iscoroutinefunction(type(self.function).__call__)


Activities = Mapping["str | None", Activity]


def registered_activities(activities: Iterable[Any]) -> Activities:
    """Activities by name; the dynamic one is under ``None``.

    Raises:
        TypeError: one of them is no activity, or a method that is not bound to an object.
        ValueError: two of them have the same name.
    """
    registered: dict[str | None, Activity] = {}
    for each in activities:
        definition = ActivityDefinition.of(each)
        name = getattr(each, "__qualname__", repr(each))
        if definition is None:
            raise TypeError(f"{name} is not an activity: decorate it with @activity.defn")
        if inspect.isclass(each):
            raise TypeError(f"{name} is a class: register an object of it, as `{each.__name__}()`")
        if definition.is_method and inspect.isfunction(each):
            raise TypeError(f"{name} is a method: register it bound to an object, as `instance.{each.__name__}`")
        if definition.name in registered:
            other = registered[definition.name].definition.function
            what = "dynamic" if definition.name is None else f"named {definition.name!r}"
            raise ValueError(
                f"two activities are {what}: {other.__module__}.{other.__qualname__} and "
                f"{definition.function.__module__}.{definition.function.__qualname__}; "
                "give one of them another name: @activity.defn(name=...)"
            )
        if definition.name is not None:
            definition.signature  # noqa: B018  # annotations that cannot be resolved are an error now, not in a task
        registered[definition.name] = Activity(definition, each)
    return registered


@dataclass
class _Running:
    """An execution that can be asked to stop."""

    context: ActivityContext
    task: asyncio.Task[None] | None = None


class ActivityRunner:
    """Runs the activity tasks of one native worker.

    Args:
        native: The worker that tasks come from and completions go to.
        activities: What it can run.
        namespace: Namespace of the worker.
        task_queue: Task queue of the worker.
        data_converter: Converts arguments, results and failures.
        metric_meter: What activities record metrics with.
        executor: Runs ``def`` activities instead of the worker's own threads.
    """

    def __init__(
        self,
        native: _native.Worker,
        activities: Activities,
        *,
        namespace: str,
        task_queue: str,
        data_converter: DataConverter,
        metric_meter: MetricMeter,
        executor: Executor | None = None,
    ) -> None:
        self._native = native
        self._activities = activities
        self._namespace = namespace
        self._task_queue = task_queue
        self._payload_converter = data_converter.payload_converter
        self._failure_converter = data_converter.failure_converter
        self._metric_meter = metric_meter
        self._executor = executor
        self._running: dict[bytes, _Running] = {}
        self.worker_shutdown = Event()

    def on_task(self, task: ActivityStart | ActivityCancel) -> None:
        """Take a task on the event loop."""
        if isinstance(task, ActivityCancel):
            self._cancel(task)
            return
        loop = asyncio.get_running_loop()
        running = self._register(task)
        activity = self._find(task.activity_type)
        if activity is not None and not activity.is_async:
            loop.run_in_executor(self._executor, self._run_in_thread, activity, running)
        else:
            running.task = loop.create_task(self._run_on_loop(activity, running))

    def run_on_this_thread(self, task: ActivityStart) -> None:
        """Run a ``def`` activity on the calling thread."""
        activity = self._find(task.activity_type)
        assert activity is not None, "the bridge sends registered activities only"
        self._run_in_thread(activity, self._register(task))

    def _find(self, activity_type: str) -> Activity | None:
        return self._activities.get(activity_type) or self._activities.get(None)

    def _register(self, task: ActivityStart) -> _Running:
        token = task.task_token
        context = ActivityContext(
            start=task,
            namespace=self._namespace,
            task_queue=self._task_queue,
            payload_converter=self._payload_converter,
            send_heartbeat=lambda details: self._heartbeat(token, details),
            worker_shutdown=self.worker_shutdown,
            worker_metric_meter=self._metric_meter,
        )
        running = self._running[token] = _Running(context)
        return running

    def _heartbeat(self, token: bytes, details: Sequence[Any]) -> None:
        self._native.record_activity_heartbeat(token, self._payload_converter.to_payloads(details))

    def _cancel(self, cancel: ActivityCancel) -> None:
        running = self._running.get(cancel.task_token)
        if running is None:
            return
        running.context.cancellation_details = ActivityCancellationDetails(
            not_found=cancel.not_found,
            cancel_requested=cancel.cancel_requested,
            paused=cancel.paused,
            reset=cancel.reset,
            timed_out=cancel.timed_out,
            worker_shutdown=cancel.worker_shutdown,
        )
        running.context.cancelled.set()
        if running.task is not None:
            # One turn later, so that a task which is cancelled at once begins before, and gives its answer.
            asyncio.get_running_loop().call_soon(running.task.cancel)

    async def end(self) -> None:
        """Cancel the tasks that are left, once no more come: local activities that their workflow has abandoned."""
        # A copy, as threads may still end activities.
        tasks = [running.task for running in self._running.copy().values() if running.task is not None]
        for task in tasks:
            task.cancel()
        if not tasks:
            return
        _, stubborn = await asyncio.wait(tasks, timeout=_END_TIMEOUT)
        if stubborn:
            logger.warning("%d local activities ignore that the worker ends, and are left running", len(stubborn))

    async def _run_on_loop(self, activity: Activity | None, running: _Running) -> None:
        token = current.set(running.context)
        try:
            call = self._call(activity, running.context.start)
            result = await call()
            payload = self._encode(running.context.start, result)
        except GeneratorExit:  # not the activity's: its loop was left without ending it
            raise
        except BaseException as error:  # the server gets it
            self._report_error(running, error)
            # Ctrl+C, which happened to be seen in an activity, is for the program.
            if isinstance(error, KeyboardInterrupt):
                raise
        else:
            self._report_result(running, payload)
        finally:
            current.reset(token)

    def _run_in_thread(self, activity: Activity, running: _Running) -> None:
        token = current.set(running.context)
        try:
            payload = self._encode(running.context.start, self._call(activity, running.context.start)())
        except BaseException as error:  # the server gets it
            self._report_error(running, error)
        else:
            self._report_result(running, payload)
        finally:
            current.reset(token)

    def _call(self, activity: Activity | None, start: ActivityStart) -> Callable[[], Any]:
        if activity is None:
            known = ", ".join(sorted(name for name in self._activities if name is not None)) or "none"
            raise ApplicationError(
                f"activity type {start.activity_type!r} is not registered on the worker of task queue "
                f"{self._task_queue!r}; its activities are: {known}",
                type="NotFoundError",
            )
        if activity.definition.name is None:
            return functools.partial(activity.function, [RawValue(payload) for payload in start.input])
        signature = activity.definition.signature
        arguments = signature.decode(start.input, self._payload_converter)
        return functools.partial(signature.call, activity.function, arguments)

    def _encode(self, start: ActivityStart, result: Any) -> Payload:
        try:
            return self._payload_converter.to_payload(result)
        except Exception as error:
            raise TypeError(f"the result of activity {start.activity_type!r} cannot be encoded: {error}") from error

    def _report_result(self, running: _Running, payload: Payload) -> None:
        token = running.context.start.task_token
        self._running.pop(token, None)
        self._native.complete_activity(token, payload)

    def _report_error(self, running: _Running, error: BaseException) -> None:
        start = running.context.start
        self._running.pop(start.task_token, None)
        details = running.context.cancellation_details
        if isinstance(error, (asyncio.CancelledError, CancelledError)) and details is not None:
            if details.cancel_requested or details.not_found or details.timed_out:
                failure = self._failure_of(CancelledError("activity cancelled"))
                self._native.cancel_activity(start.task_token, failure)
                return
            if details.paused:
                reason, type_ = "it was paused", "ActivityPause"
            elif details.reset:
                reason, type_ = "it was reset", "ActivityReset"
            else:
                reason, type_ = "the worker shuts down", "WorkerShutdown"
            error = ApplicationError(f"activity stopped because {reason}", type=type_)
        logger.warning(
            "activity %s (id %s, attempt %d) of workflow %s failed",
            start.activity_type,
            start.activity_id,
            start.attempt,
            start.workflow_id,
            exc_info=error,
        )
        self._native.fail_activity(start.task_token, self._failure_of(error))

    def _failure_of(self, error: BaseException) -> Failure:
        return failure_of(error, self._failure_converter, self._payload_converter)
