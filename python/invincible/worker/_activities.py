"""The activity side of a worker: runs ``async def`` activities on the event loop and ``def`` activities on threads."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import CancelledError as FutureCancelledError
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from invincible import _native
from invincible._native import ActivityCancel, ActivityStart, Failure, Payload
from invincible.activity._completion import CompleteAsyncError
from invincible.activity._context import ActivityCancellationDetails, ActivityContext, Event, current
from invincible.activity._definition import ActivityDefinition
from invincible.client import Client
from invincible.common import MetricMeter, RawValue
from invincible.converter import (
    ActivitySerializationContext,
    DataConverter,
    StorageDriverActivityInfo,
    StorageDriverWorkflowInfo,
)
from invincible.converter._errors import encoding_error
from invincible.exceptions import ApplicationError, CancelledError

from ._activity_codec import ActivityCodec
from ._failures import failure_of, logger
from ._oversized import oversized_result
from ._running_activity import RunningActivity

_Send = Callable[[bytes, Failure], None]

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


class ActivityRunner:
    """Runs the activity tasks of one native worker.

    Args:
        native: The worker that tasks come from and completions go to.
        activities: What it can run.
        namespace: Namespace of the worker.
        task_queue: Task queue of the worker.
        data_converter: Converts arguments, results and failures.
        metric_meter: What activities record metrics with.
        contextual: Whether a part of the data converter wants to know what values belong to.
        codec: Applies the codec and external storage of the data converter, if it has some.
        executor: Runs ``def`` activities instead of the worker's own threads.
        client: The client that ``async def`` activities may use.
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
        contextual: bool = False,
        codec: ActivityCodec | None = None,
        executor: Executor | None = None,
        client: Client | None = None,
    ) -> None:
        self._native = native
        self._activities = activities
        self._namespace = namespace
        self._task_queue = task_queue
        self._data_converter = data_converter
        self._contextual = contextual
        self._codec = codec
        self._metric_meter = metric_meter
        self._executor = executor
        self._client = client
        self._running: dict[bytes, RunningActivity] = {}
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
            running.context.client = self._client
            running.task = loop.create_task(self._run_on_loop(activity, running))

    def run_on_this_thread(self, task: ActivityStart) -> None:
        """Run a ``def`` activity on the calling thread."""
        activity = self._find(task.activity_type)
        assert activity is not None, "the bridge sends registered activities only"
        self._run_in_thread(activity, self._register(task))

    def _find(self, activity_type: str) -> Activity | None:
        return self._activities.get(activity_type) or self._activities.get(None)

    def _register(self, task: ActivityStart) -> RunningActivity:
        token = task.task_token
        converter = self._converter(task) if self._contextual else self._data_converter
        context = ActivityContext(
            start=task,
            namespace=self._namespace,
            task_queue=self._task_queue,
            payload_converter=converter.payload_converter,
            send_heartbeat=lambda details: self._heartbeat(running, details),
            worker_shutdown=self.worker_shutdown,
            worker_metric_meter=self._metric_meter,
        )
        running = self._running[token] = RunningActivity(context, converter)
        return running

    def _converter(self, start: ActivityStart) -> DataConverter:
        """The data converter for the values of an activity."""
        namespace = start.workflow_namespace or self._namespace
        activity_type, workflow_id, workflow_type = start.activity_type, start.workflow_id, start.workflow_type
        context = ActivitySerializationContext(
            namespace=namespace,
            activity_id=start.activity_id,
            activity_type=activity_type,
            activity_task_queue=self._task_queue,
            workflow_id=workflow_id or None,
            workflow_type=workflow_type or None,
            is_local=start.is_local,
        )
        target: StorageDriverWorkflowInfo | StorageDriverActivityInfo
        if workflow_id:
            target = StorageDriverWorkflowInfo(
                namespace=namespace, id=workflow_id, run_id=start.workflow_run_id, type=workflow_type
            )
        else:
            target = StorageDriverActivityInfo(
                namespace=namespace, id=start.activity_id, run_id=start.activity_run_id, type=activity_type
            )
        return self._data_converter.with_context(context)._with_storage_target(target)

    def _heartbeat(self, running: RunningActivity, details: Sequence[Any]) -> None:
        payloads = running.converter.payload_converter.to_payloads(details)
        if self._codec is None:
            self._native.record_activity_heartbeat(running.start.task_token, payloads)
        else:
            self._codec.heartbeat(running, payloads)

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
        running.interrupt()

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

    async def _run_on_loop(self, activity: Activity | None, running: RunningActivity) -> None:
        token = current.set(running.context)
        codec = self._codec
        try:
            if codec is not None:
                await codec.decode(running)
            payload = self._encode(running, await self._call(activity, running)())
            if codec is not None:
                payload = await codec.encode(running, payload)
            self._complete(running, payload)
        except GeneratorExit:  # not the activity's: its loop was left without ending it
            raise
        except BaseException as error:  # the server gets it
            end = self._end_of(running, error)
            if end is not None:
                send, failure = end
                if codec is not None:
                    failure = await codec.encode_failure(running, failure)
                self._forget(running)
                send(running.start.task_token, failure)
            # Ctrl+C, which happened to be seen in an activity, is for the program.
            if isinstance(error, KeyboardInterrupt):
                raise
        finally:
            current.reset(token)

    def _run_in_thread(self, activity: Activity, running: RunningActivity) -> None:
        token = current.set(running.context)
        codec = self._codec
        try:
            if codec is not None:
                codec.wait(running, codec.decode(running))
            payload = self._encode(running, self._call(activity, running)())
            if codec is not None:
                payload = codec.wait(running, codec.encode(running, payload))
            self._complete(running, payload)
        except BaseException as error:  # the server gets it
            end = self._end_of(running, error)
            if end is not None:
                send, failure = end
                if codec is not None:
                    failure = codec.wait(running, codec.encode_failure(running, failure))
                self._forget(running)
                send(running.start.task_token, failure)
        finally:
            current.reset(token)

    def _call(self, activity: Activity | None, running: RunningActivity) -> Callable[[], Any]:
        if activity is None:
            known = ", ".join(sorted(name for name in self._activities if name is not None)) or "none"
            raise ApplicationError(
                f"activity type {running.start.activity_type!r} is not registered on the worker of task queue "
                f"{self._task_queue!r}; its activities are: {known}",
                type="NotFoundError",
            )
        if activity.definition.name is None:
            return functools.partial(activity.function, [RawValue(payload) for payload in running.arguments()])
        signature = activity.definition.signature
        converter = running.converter
        arguments = signature.decode(
            running.arguments(), converter.payload_converter, show_values=converter.payload_codec is None
        )
        return functools.partial(signature.call, activity.function, arguments)

    def _encode(self, running: RunningActivity, result: Any) -> Payload:
        converter = running.converter
        try:
            return converter.payload_converter.to_payload(result)
        except Exception as error:
            raise encoding_error(
                f"the result of activity {running.start.activity_type!r}",
                error,
                show_values=converter.payload_codec is None,
            ) from (error if converter.payload_codec is None else None)

    def _forget(self, running: RunningActivity) -> None:
        """Before its end is told: another attempt may come with the same token."""
        self._running.pop(running.start.task_token, None)

    def _complete(self, running: RunningActivity, payload: Payload) -> None:
        self._forget(running)
        oversized = self._native.complete_activity(running.start.task_token, payload)
        if oversized is not None:
            raise oversized_result(running.start.activity_type, oversized)

    def _end_of(self, running: RunningActivity, error: BaseException) -> tuple[_Send, Failure] | None:
        """How to end an activity that has raised, and its failure; ``None`` if it does not end here."""
        start = running.start
        if isinstance(error, CompleteAsyncError):
            self._forget(running)
            self._native.release_activity(start.task_token)
            return None
        details = running.context.cancellation_details
        if isinstance(error, (asyncio.CancelledError, CancelledError, FutureCancelledError)):
            if details is not None:
                if details.cancel_requested or details.not_found or details.timed_out:
                    return self._native.cancel_activity, self._failure_of(running, CancelledError("activity cancelled"))
                if details.paused:
                    reason, type_ = "it was paused", "ActivityPause"
                elif details.reset:
                    reason, type_ = "it was reset", "ActivityReset"
                else:
                    reason, type_ = "the worker shuts down", "WorkerShutdown"
                error = ApplicationError(f"activity stopped because {reason}", type=type_)
            elif running.heartbeat_error is not None:
                error = running.heartbeat_error
        logger.warning(
            "activity %s (id %s, attempt %d)%s failed",
            start.activity_type,
            start.activity_id,
            start.attempt,
            f" of workflow {start.workflow_id}" if start.workflow_id else "",
            exc_info=error,
        )
        return self._native.fail_activity, self._failure_of(running, error)

    def _failure_of(self, running: RunningActivity, error: BaseException) -> Failure:
        converter = running.converter
        return failure_of(error, converter.failure_converter, converter.payload_converter)
