"""The activity side of a worker: runs ``async def`` activities on the event loop and ``def`` activities elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any

from invincible import _native
from invincible._native import ActivityCancel, ActivityStart, Payload
from invincible.activity._context import ActivityCancellationDetails, ActivityContext, Event, current
from invincible.client import Client
from invincible.common import MetricMeter, RawValue
from invincible.converter import (
    ActivitySerializationContext,
    DataConverter,
    StorageDriverActivityInfo,
    StorageDriverWorkflowInfo,
)
from invincible.exceptions import ApplicationError

from ._activity_codec import ActivityCodec
from ._activity_ends import end_of
from ._activity_places import ThisThread, place_of
from ._activity_registry import Activities, Activity, registered_activities
from ._failures import logger
from ._oversized import oversized_result
from ._results import payload_of
from ._running_activity import RunningActivity

if TYPE_CHECKING:
    from ._activity_interception import ActivityInterception
    from ._shared_state import SharedStateManager

__all__ = ["Activities", "Activity", "ActivityRunner", "registered_activities"]

# Seconds that abandoned local activities have to end when their worker does.
_END_TIMEOUT = 5.0
# Seconds that a cancellation is kept for an activity that no thread has taken yet; it may also have ended just now.
_EARLY_CANCEL_KEPT = 60.0
# Seconds between automatic heartbeats, at most. Core throttles them as it does all heartbeats.
_HEARTBEAT_INTERVAL = 1.0


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
        shared_state_manager: What activities in the processes of an executor share with the worker.
        client: The client that ``async def`` activities may use.
        on_broken: Called, on any thread, when the executor cannot run anything any more.
        interception: Passes executions through interceptors, if there are some.
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
        shared_state_manager: SharedStateManager | None = None,
        client: Client | None = None,
        on_broken: Callable[[BaseException], object] = lambda error: None,
        interception: ActivityInterception | None = None,
    ) -> None:
        self._native = native
        self._activities = activities
        self._namespace = namespace
        self._task_queue = task_queue
        self._data_converter = data_converter
        self._contextual = contextual
        self._codec = codec
        self._metric_meter = metric_meter
        self._place = place_of(executor, shared_state_manager, on_broken)
        self._interception = interception
        self._calls = self._place if interception is None else interception.around(self._place)
        # None if `def` activities begin on the worker's own threads, wherever they go from there.
        self._executor = executor if isinstance(self._place, ThisThread) else None
        self._client = client
        self._on_broken = on_broken
        self._running: dict[bytes, RunningActivity] = {}
        self._early_cancels: dict[bytes, ActivityCancel] = {}
        # Each activity has a copy, so that none sees context variables that another one has set.
        self._context = copy_context()
        self.worker_shutdown = Event()

    def use(self, client: Client) -> None:
        """Give activities that begin from now on another client."""
        self._client = client

    @property
    def thread_activities(self) -> set[str | None]:
        """Names of the activities that are for the worker's own threads."""
        if self._executor is not None:
            return set()
        return {name for name, activity in self._activities.items() if not activity.is_async}

    def on_task(self, task: ActivityStart | ActivityCancel) -> None:
        """Take a task on the event loop."""
        if isinstance(task, ActivityCancel):
            self._cancel(task)
            return
        activity = self._find(task.activity_type)
        running = self._register(activity, task)
        if activity is None or activity.is_async or running.problem is not None:
            running.context.client = self._client
            self._start_on_loop(activity, running)
        else:
            self._submit(activity, running)

    def run_on_this_thread(self, task: ActivityStart) -> None:
        """Run a ``def`` activity on the calling thread."""
        activity = self._find(task.activity_type)
        assert activity is not None, "the bridge sends registered activities only"
        running = self._register(activity, task)
        early = self._early_cancels.pop(task.task_token, None)
        if early is not None:
            self._interrupt(running, early)
        self._context.copy().run(self._run_in_thread, activity, running)

    def _find(self, activity_type: str) -> Activity | None:
        return self._activities.get(activity_type) or self._activities.get(None)

    def _register(self, activity: Activity | None, task: ActivityStart) -> RunningActivity:
        token = task.task_token
        converter, problem = self._data_converter, None
        if self._contextual:
            try:
                converter = self._converter(task)
            except Exception as error:  # it runs user code
                problem = error
        context = ActivityContext(
            start=task,
            namespace=self._namespace,
            task_queue=self._task_queue,
            payload_converter=converter.payload_converter,
            send_heartbeat=lambda details: self._heartbeat(running, details),
            worker_shutdown=self.worker_shutdown,
            worker_metric_meter=self._metric_meter,
        )
        running = self._running[token] = RunningActivity(context, converter, problem)
        if activity is not None and activity.definition.auto_heartbeat and not task.is_local:
            interval = min((task.heartbeat_timeout or 60.0) / 2, _HEARTBEAT_INTERVAL)
            self._native.keep_activity_alive(token, interval, task.heartbeat_details)
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
        token = cancel.task_token
        # The thread that takes the activity looks the other way round: whoever comes second finds both.
        self._early_cancels[token] = cancel
        running = self._running.get(token)
        if running is None:
            asyncio.get_running_loop().call_later(_EARLY_CANCEL_KEPT, self._early_cancels.pop, token, None)
        elif self._early_cancels.pop(token, None) is not None:
            self._interrupt(running, cancel)

    def _interrupt(self, running: RunningActivity, cancel: ActivityCancel) -> None:
        if running.context.cancellation_details is None:
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
        if tasks:
            _, stubborn = await asyncio.wait(tasks, timeout=_END_TIMEOUT)
            if stubborn:
                logger.warning("%d local activities ignore that the worker ends, and are left running", len(stubborn))
        if not isinstance(self._place, ThisThread):
            await asyncio.to_thread(self._place.close)

    # The executor's threads

    def _submit(self, activity: Activity, running: RunningActivity) -> None:
        assert self._executor is not None, "else the bridge has threads for it"
        ended = partial(self._on_executor_end, asyncio.get_running_loop(), running)
        try:
            future = self._executor.submit(self._context.copy().run, self._run_in_thread, activity, running)
            future.add_done_callback(ended)
        except Exception as error:  # it is shut down, or broken
            self._refused(running, error)

    def _on_executor_end(self, loop: asyncio.AbstractEventLoop, running: RunningActivity, future: Future[None]) -> None:
        """On any thread. What runs tells its own end; this is about what never runs."""
        error = asyncio.CancelledError() if future.cancelled() else future.exception()
        if error is None or running.begun:
            if error is not None:
                logger.error("activity %s could not be reported", running.start.activity_type, exc_info=error)
            return
        try:
            loop.call_soon_threadsafe(self._refused, running, error)
        except RuntimeError:  # the loop has ended, and its worker
            logger.error("activity %s was never run", running.start.activity_type, exc_info=error)

    def _refused(self, running: RunningActivity, error: BaseException) -> None:
        why = "it is shut down" if isinstance(error, asyncio.CancelledError) else f"{type(error).__name__}: {error}"
        problem = running.problem = ApplicationError(
            f"activity_executor does not run the activity ({why})", type="ActivityExecutorError"
        )
        problem.__cause__ = error
        self._start_on_loop(None, running)
        if isinstance(error, BrokenExecutor):
            self._on_broken(error)

    # Running

    def _start_on_loop(self, activity: Activity | None, running: RunningActivity) -> None:
        loop = asyncio.get_running_loop()
        running.task = self._context.copy().run(loop.create_task, self._run_on_loop(activity, running))

    async def _run_on_loop(self, activity: Activity | None, running: RunningActivity) -> None:
        token = current.set(running.context)
        codec = self._codec
        try:
            if codec is not None and running.problem is None:
                await codec.decode(running)
            result = await self._started(activity, running)
            payload = payload_of(result, running.converter, "activity", running.start.activity_type)
            if codec is not None:
                payload = await codec.encode(running, payload)
            self._complete(running, payload)
        except GeneratorExit:  # not the activity's: its loop was left without ending it
            raise
        except BaseException as error:  # the server gets it
            end = end_of(running, error)
            failure = end.failure
            if codec is not None and failure is not None:
                failure = await codec.encode_failure(running, failure)
            self._forget(running)
            end.tell(self._native, running.start.task_token, failure)
            # Ctrl+C, which happened to be seen in an activity, is for the program.
            if isinstance(error, KeyboardInterrupt):
                raise
        finally:
            current.reset(token)

    def _run_in_thread(self, activity: Activity, running: RunningActivity) -> None:
        running.begun = True
        token = current.set(running.context)
        codec = self._codec
        try:
            if codec is not None and running.problem is None:
                codec.wait(running, codec.decode(running))
            result = self._calls.call(activity, running, self._call(activity, running))
            payload = payload_of(result, running.converter, "activity", running.start.activity_type)
            if codec is not None:
                payload = codec.wait(running, codec.encode(running, payload))
            self._complete(running, payload)
        except BaseException as error:  # the server gets it
            end = end_of(running, error)
            failure = end.failure
            if codec is not None and failure is not None:
                failure = codec.wait(running, codec.encode_failure(running, failure))
            self._forget(running)
            end.tell(self._native, running.start.task_token, failure)
        finally:
            current.reset(token)

    def _started(self, activity: Activity | None, running: RunningActivity) -> Awaitable[Any]:
        call = self._call(activity, running)
        if self._interception is None:
            awaitable: Awaitable[Any] = call()
            return awaitable
        assert activity is not None, "else there is nothing to call"
        return self._interception.on_loop(activity, running, call)

    def _call(self, activity: Activity | None, running: RunningActivity) -> partial[Any]:
        """The function with its arguments."""
        if running.problem is not None:
            raise running.problem
        if activity is None:
            known = ", ".join(sorted(name for name in self._activities if name is not None)) or "none"
            raise ApplicationError(
                f"activity type {running.start.activity_type!r} is not registered on the worker of task queue "
                f"{self._task_queue!r}; its activities are: {known}",
                type="NotFoundError",
                # A test is told at once; elsewhere, a worker that can run it may come.
                non_retryable=self._client is not None and self._client._raise_task_failures,
            )
        if activity.definition.name is None:
            return partial(activity.function, [RawValue(payload) for payload in running.arguments()])
        signature = activity.definition.signature
        converter = running.converter
        arguments = signature.decode(
            running.arguments(), converter.payload_converter, show_values=converter.payload_codec is None
        )
        # A call of `partial` is a `partial` with the arguments as the signature passes them on.
        return signature.call(partial(partial, activity.function), arguments)

    def _forget(self, running: RunningActivity) -> None:
        """Before its end is told: another attempt may come with the same token."""
        self._running.pop(running.start.task_token, None)

    def _complete(self, running: RunningActivity, payload: Payload) -> None:
        self._forget(running)
        oversized = self._native.complete_activity(running.start.task_token, payload)
        if oversized is not None:
            raise oversized_result(running.start.activity_type, oversized)
