"""``ActivityEnvironment``: activity code without a worker or a server."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from invincible._engine.options import ActivityOptions
from invincible._native import ActivityStart, Payload
from invincible.activity import ActivityCancellationDetails, Info
from invincible.activity._completion import CompleteAsyncError
from invincible.activity._context import ActivityContext, Event, current
from invincible.activity._definition import ActivityDefinition
from invincible.common import MetricMeter, Priority
from invincible.converter import DataConverter
from invincible.worker._activity_places import ThisThread
from invincible.worker._activity_registry import Activity
from invincible.worker._running_activity import RunningActivity

if TYPE_CHECKING:
    from invincible.client import Client

__all__ = ["ActivityEnvironment", "CompleteAsyncError"]

P = ParamSpec("P")
R = TypeVar("R")

_EPOCH = datetime.fromtimestamp(0, timezone.utc)


class ActivityEnvironment:
    """Runs activity code as an activity: what ``invincible.activity`` offers works in it as on a worker.

    Args:
        client: What ``activity.client()`` gives to ``async def`` activities.

    Attributes:
        info: What ``activity.info()`` returns; ``dataclasses.replace`` gives it another attempt, heartbeat details, ...
        on_heartbeat: Called with the details of each heartbeat, where the activity runs. It may call ``cancel``.
        heartbeats: The details of all heartbeats so far, a tuple for each.
        payload_converter: What ``activity.payload_converter()`` returns, and heartbeats must be convertible by.
        metric_meter: What ``activity.metric_meter()`` returns; by default it records nothing.

    What is set counts for the activities that begin afterwards.

    Example:
        env = ActivityEnvironment()
        assert await env.run(download, "https://example.com/data") == 3
        assert env.heartbeats == [(1,), (2,), (3,)]
    """

    def __init__(self, client: Client | None = None) -> None:
        self.info: Info = self.default_info()
        self.on_heartbeat: Callable[..., Any] = lambda *details: None
        self.heartbeats: list[tuple[Any, ...]] = []
        self.payload_converter = DataConverter.default.payload_converter
        self.metric_meter = MetricMeter.noop
        self._client = client
        self._cancellation: ActivityCancellationDetails | None = None
        self._worker_shutdown = Event()
        # With their event loops, if they are on one.
        self._running: list[tuple[RunningActivity, asyncio.AbstractEventLoop | None]] = []

    @staticmethod
    def default_info() -> Info:
        """What ``info`` is at first: the first attempt of an activity of a workflow, both named "test"."""
        return Info(
            activity_id="test",
            activity_type="unknown",
            attempt=1,
            current_attempt_scheduled_time=_EPOCH,
            heartbeat_details=[],
            heartbeat_timeout=None,
            is_local=False,
            namespace="default",
            schedule_to_close_timeout=timedelta(seconds=1),
            scheduled_time=_EPOCH,
            start_to_close_timeout=timedelta(seconds=1),
            started_time=_EPOCH,
            task_queue="test",
            task_token=b"test",
            workflow_id="test",
            workflow_namespace="default",
            workflow_run_id="test-run",
            workflow_type="test",
            priority=Priority.default,
            retry_policy=None,
        )

    def run(self, fn: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a function as an activity; it need not be decorated.

        A ``def`` function runs on the calling thread: the result is there when the call returns. An ``async def``
        function is to be awaited; it runs as a task of its own.

        Returns:
            What the function returns, not converted.

        Raises:
            BaseException: What the function raises. ``CompleteAsyncError`` is what ``activity.raise_complete_async``
                does to it.
            TypeError: ``fn`` is not callable.
        """
        if not callable(fn):
            raise TypeError(f"fn must be a function or another callable, got {type(fn).__name__}")
        call = partial(fn, *args, **kwargs)
        activity = _activity_of(fn)
        if activity.is_async:
            return cast("R", self._run_on_loop(cast("Callable[[], Awaitable[Any]]", call), self._client))
        result = copy_context().run(self._run_on_this_thread, activity, call)
        if inspect.iscoroutine(result):
            # A function that only makes the coroutine: its code is yet to run.
            return cast("R", self._run_on_loop(lambda: result, self._client))
        return cast("R", result)

    def cancel(
        self,
        cancellation_details: ActivityCancellationDetails = ActivityCancellationDetails(cancel_requested=True),  # noqa: B008
    ) -> None:
        """Cancel the activities that run, as a worker does, and those to come. A second time does nothing.

        ``asyncio.CancelledError`` is raised in an ``async def`` activity, ``invincible.exceptions.CancelledError`` in
        the thread of a ``def`` activity unless it was defined with ``no_thread_cancel_exception``. A ``def`` activity
        that begins later is not disturbed, and finds that ``activity.is_cancelled()``. To be called on any thread.

        Args:
            cancellation_details: What ``activity.cancellation_details()`` returns from now on.
        """
        if self._cancellation is not None:
            return
        self._cancellation = cancellation_details
        for running, loop in self._running.copy():
            running.context.cancellation_details = cancellation_details
            if loop is None or loop is asyncio._get_running_loop():
                running.interrupt()
            else:
                loop.call_soon_threadsafe(running.interrupt)

    def worker_shutdown(self) -> None:
        """Tell activities that their worker shuts down. To be called on any thread; a second time does nothing."""
        self._worker_shutdown.set()

    async def _run_on_loop(self, call: Callable[[], Awaitable[Any]], client: Client | None) -> Any:
        loop = asyncio.get_running_loop()

        async def run(context: ActivityContext) -> Any:
            current.set(context)
            return await call()

        with self._begun(loop) as running:
            running.context.client = client
            running.task = task = loop.create_task(run(running.context))
            if running.context.cancelled.is_set():
                running.interrupt()
            return await task

    def _run_on_this_thread(self, activity: Activity, call: partial[Any]) -> Any:
        with self._begun(None) as running:
            current.set(running.context)
            if running.context.cancelled.is_set():
                return call()
            return ThisThread().call(activity, running, call)

    @contextmanager
    def _begun(self, loop: asyncio.AbstractEventLoop | None) -> Iterator[RunningActivity]:
        info, converter = self.info, self.payload_converter
        context = _Context(
            start=_start_of(info),
            namespace=info.namespace,
            task_queue=info.task_queue,
            payload_converter=converter,
            send_heartbeat=self._heartbeat,
            worker_shutdown=self._worker_shutdown,
            worker_metric_meter=self.metric_meter,
            _info=info,
            _metric_meter=self.metric_meter,
        )
        running = RunningActivity(context, DataConverter.default)
        entry = running, loop
        self._running.append(entry)
        try:
            # Whoever cancels meanwhile has found it, or is found here.
            if self._cancellation is not None:
                context.cancellation_details = self._cancellation
                context.cancelled.set()
            yield running
        finally:
            self._running.remove(entry)

    def _heartbeat(self, details: Sequence[Any]) -> None:
        self.payload_converter.to_payloads(details)  # what cannot be converted is an error on a worker, too
        self.heartbeats.append(tuple(details))
        self.on_heartbeat(*details)


class _Context(ActivityContext):
    def last_heartbeat(self) -> Sequence[Payload]:
        return self.payload_converter.to_payloads(self.info.heartbeat_details)


def _activity_of(fn: Callable[..., Any]) -> Activity:
    definition = ActivityDefinition.of(fn)
    if definition is None:
        definition = ActivityDefinition(
            name=getattr(fn, "__name__", type(fn).__name__),
            function=fn,
            is_method=False,
            is_async=inspect.iscoroutinefunction(fn),
            no_thread_cancel_exception=False,
            auto_heartbeat=False,
            options=ActivityOptions(),
        )
    is_async = not inspect.isclass(fn) and (
        inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(type(fn).__call__)
    )
    return Activity(definition, fn, is_async)


def _start_of(info: Info) -> ActivityStart:
    """The task of an activity, with what is read of it where there is an info."""
    return ActivityStart(
        task_token=info.task_token,
        activity_id=info.activity_id,
        activity_type=info.activity_type,
        activity_run_id=info.activity_run_id or "",
        workflow_namespace=info.workflow_namespace or "",
        workflow_id=info.workflow_id or "",
        workflow_run_id=info.workflow_run_id or "",
        workflow_type=info.workflow_type or "",
        attempt=info.attempt,
        is_local=info.is_local,
    )
