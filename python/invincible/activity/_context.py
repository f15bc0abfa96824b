"""What activity code can ask about its own execution."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, TypeVar

from invincible._engine.loop import set_unless_done
from invincible._engine.options import timedelta_or_none
from invincible._native import ActivityStart, Payload
from invincible.common import MetricMeter, Priority, RetryPolicy
from invincible.converter import PayloadConverter

from ._interrupt import ThreadInterrupt

T = TypeVar("T")


@dataclass(frozen=True)
class Info:
    """Facts about the running activity; times are UTC.

    Attributes:
        activity_id: Its id, unique in its workflow; of a standalone activity the one it was started with.
        activity_type: Its type.
        attempt: Which attempt this is, counted from 1.
        current_attempt_scheduled_time: When this attempt was due.
        heartbeat_details: Details of the last heartbeat of an earlier attempt, as JSON values; see
            :func:`heartbeat_details`.
        heartbeat_timeout: Longest time between two heartbeats, if there is one.
        is_local: Whether it is a local activity.
        namespace: The namespace it runs in.
        schedule_to_close_timeout: Longest time for all attempts together, if there is one.
        scheduled_time: When the first attempt was due.
        start_to_close_timeout: Longest time for this attempt, if there is one.
        started_time: When this attempt began.
        task_queue: The task queue it came by.
        task_token: Names this attempt to those who complete it from elsewhere. Who has it can do so: keep it secret.
        workflow_id: Id of its workflow; ``None`` for a standalone activity, as the next three.
        workflow_namespace: Namespace of its workflow.
        workflow_run_id: Run id of its workflow.
        workflow_type: Type of its workflow.
        priority: Priority and fairness.
        retry_policy: How it is repeated; ``None`` if the server does not say.
        activity_run_id: Run id of a standalone activity; ``None`` for others.
    """

    activity_id: str
    activity_type: str
    attempt: int
    current_attempt_scheduled_time: datetime
    heartbeat_details: Sequence[Any]
    heartbeat_timeout: timedelta | None
    is_local: bool
    namespace: str
    schedule_to_close_timeout: timedelta | None
    scheduled_time: datetime
    start_to_close_timeout: timedelta | None
    started_time: datetime
    task_queue: str
    task_token: bytes
    workflow_id: str | None
    workflow_namespace: str | None
    workflow_run_id: str | None
    workflow_type: str | None
    priority: Priority
    retry_policy: RetryPolicy | None
    activity_run_id: str | None = None

    @property
    def in_workflow(self) -> bool:
        """Whether a workflow scheduled the activity; not if it is a standalone one."""
        return self.workflow_id is not None


@dataclass(frozen=True)
class ActivityCancellationDetails:
    """Why the activity was asked to stop.

    Attributes:
        not_found: The server does not know it any more: its workflow has ended, say.
        cancel_requested: Its workflow or a client has cancelled it.
        paused: Somebody has paused it.
        reset: Somebody has reset it: it begins again at the first attempt.
        timed_out: It has had all its time.
        worker_shutdown: Its worker shuts down, and the grace is over.
    """

    not_found: bool = False
    cancel_requested: bool = False
    paused: bool = False
    reset: bool = False
    timed_out: bool = False
    worker_shutdown: bool = False


class Event:
    """An event that both threads and event loops can wait for. Each activity has one, and few wait for it."""

    __slots__ = ("_callbacks", "_lock", "_set", "_woken")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._set = False
        # Those who wait go on from here, a moment after it is set.
        self._woken = False
        self._callbacks: list[Callable[[], None]] = []

    def is_set(self) -> bool:
        return self._set

    def set(self, before_waking: Callable[[], None] | None = None) -> None:
        """Set it.

        Args:
            before_waking: Called when it is set and those who wait for it do not go on yet.
        """
        self._set = True
        if before_waking is not None:
            before_waking()
        with self._lock:
            self._woken = True
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def when_set(self, callback: Callable[[], None]) -> None:
        """Have a function called once the event is set, by whoever sets it; now, if it is set already."""
        with self._lock:
            if not self._woken:
                self._callbacks.append(callback)
                return
        callback()

    def forget(self, callback: Callable[[], None]) -> None:
        """Do not call a function that waits for the event."""
        with self._lock:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

    async def wait(self) -> None:
        if self._woken:
            return
        loop = asyncio.get_running_loop()
        future = loop.create_future()

        def wake() -> None:
            with suppress(RuntimeError):  # its loop, an activity's own, has been closed meanwhile
                loop.call_soon_threadsafe(set_unless_done, future)

        self.when_set(wake)
        try:
            await future
        finally:
            # The event of the worker's shutdown outlives those who gave up waiting for it.
            self.forget(wake)

    def wait_sync(self, timeout: float | None) -> bool:
        woken = threading.Event()
        self.when_set(woken.set)
        try:
            return woken.wait(timeout)
        finally:
            self.forget(woken.set)


@dataclass
class ActivityContext:
    """One execution of an activity, as the worker set it up."""

    start: ActivityStart
    namespace: str
    task_queue: str
    payload_converter: PayloadConverter
    send_heartbeat: Callable[[Sequence[Any]], None]
    worker_shutdown: Event
    # None where it cannot record metrics: in a process of somebody else's pool.
    worker_metric_meter: MetricMeter | None
    # The worker's client, where the activity may use it: activities are below clients, and only hand it on.
    client: object | None = None
    # Payloads of the last heartbeat of an earlier attempt, if a codec had to decode them.
    heartbeat_details: Sequence[Payload] | None = None
    cancelled: Event = field(default_factory=Event)
    cancellation_details: ActivityCancellationDetails | None = None
    # Where it is known elsewhere.
    ask_reason: Callable[[], ActivityCancellationDetails | None] | None = None
    # For activities whose thread can be interrupted.
    interrupt: ThreadInterrupt | None = None
    # Where calls of its code pass interceptors, if it has some.
    outbound: Any = None
    _info: Info | None = None
    _metric_meter: MetricMeter | None = None

    @property
    def info(self) -> Info:
        if self._info is None:
            self._info = self._make_info()
        return self._info

    @property
    def metric_meter(self) -> MetricMeter:
        if self._metric_meter is None:
            if self.worker_metric_meter is None:
                raise RuntimeError(
                    "no metrics can be recorded in the processes of this executor: use an ActivityProcessExecutor"
                )
            self._metric_meter = self.worker_metric_meter.with_additional_attributes(
                {
                    "namespace": self.namespace,
                    "task_queue": self.task_queue,
                    "activity_type": self.start.activity_type,
                }
            )
        return self._metric_meter

    def last_heartbeat(self) -> Sequence[Payload]:
        """Details of the last heartbeat of an earlier attempt, decoded by the codec."""
        return self.start.heartbeat_details if self.heartbeat_details is None else self.heartbeat_details

    def _make_info(self) -> Info:
        start = self.start
        return Info(
            activity_id=start.activity_id,
            activity_type=start.activity_type,
            attempt=start.attempt,
            current_attempt_scheduled_time=_utc(start.current_attempt_scheduled_time),
            heartbeat_details=self.payload_converter.from_payloads(self.last_heartbeat()),
            heartbeat_timeout=_timeout(start.heartbeat_timeout),
            is_local=start.is_local,
            namespace=self.namespace,
            schedule_to_close_timeout=_timeout(start.schedule_to_close_timeout),
            scheduled_time=_utc(start.scheduled_time),
            start_to_close_timeout=_timeout(start.start_to_close_timeout),
            started_time=_utc(start.started_time),
            task_queue=self.task_queue,
            task_token=start.task_token,
            workflow_id=start.workflow_id or None,
            # The field's name is older than standalone activities, which have a namespace of their own in it.
            workflow_namespace=start.workflow_namespace or None,
            workflow_run_id=start.workflow_run_id or None,
            workflow_type=start.workflow_type or None,
            priority=Priority._from_wire(start.priority) if start.priority is not None else Priority.default,
            retry_policy=RetryPolicy._from_native(start.retry_policy) if start.retry_policy is not None else None,
            activity_run_id=start.activity_run_id or None,
        )


def _timeout(value: float | None) -> timedelta | None:
    # The server says zero for none.
    return timedelta_or_none(value or None)


def _utc(unix_seconds: float) -> datetime:
    return datetime.fromtimestamp(unix_seconds, timezone.utc)


current: contextvars.ContextVar[ActivityContext] = contextvars.ContextVar("invincible.activity")


def _context() -> ActivityContext:
    context = current.get(None)
    if context is None:
        raise RuntimeError("this function works in activity code only, and no activity runs here now")
    return context


def in_activity() -> bool:
    """Whether the current code runs as an activity."""
    return current.get(None) is not None


def info() -> Info:
    """Facts about the running activity.

    Raises:
        RuntimeError: outside of an activity.
    """
    context = _context()
    if context.outbound is None:
        return context.info
    intercepted: Info = context.outbound.info()
    return intercepted


def heartbeat(*details: Any) -> None:
    """Tell the server that the activity is alive, and keep ``details`` for its next attempt.

    Heartbeats are throttled: call it as often as is convenient. Cancellation reaches an activity through its
    heartbeats.

    Raises:
        RuntimeError: outside of an activity.
    """
    context = _context()
    if context.interrupt is None:
        context.send_heartbeat(details)
    else:
        with context.interrupt:
            context.send_heartbeat(details)


def heartbeat_details(type_hint: type[T], *, index: int = 0) -> T | None:
    """What an earlier attempt said in its last heartbeat, converted to a type; ``None`` if it has said nothing.

    ``info().heartbeat_details`` has all of it, as plain JSON values.

    Args:
        type_hint: Type of the detail.
        index: Which detail, of a heartbeat with several.

    Raises:
        RuntimeError: outside of an activity, or the detail does not fit the type.

    Example:
        page = activity.heartbeat_details(Page) or Page(number=1)
    """
    context = _context()
    payloads = context.last_heartbeat()
    if index >= len(payloads):
        return None
    value: T = context.payload_converter.from_payload(payloads[index], type_hint)
    return value


def is_cancelled() -> bool:
    """Whether the activity was asked to stop."""
    return _context().cancelled.is_set()


def cancellation_details() -> ActivityCancellationDetails | None:
    """Why the activity was asked to stop; ``None`` while it was not."""
    context = _context()
    return context.cancellation_details if context.ask_reason is None else context.ask_reason()


async def wait_for_cancelled() -> None:
    """Wait until the activity is asked to stop."""
    await _context().cancelled.wait()


def wait_for_cancelled_sync(timeout: timedelta | float | None = None) -> None:
    """Block the thread until the activity is asked to stop, or for ``timeout`` (seconds or a timedelta)."""
    _context().cancelled.wait_sync(_timeout_seconds(timeout))


def shield_thread_cancel_exception() -> AbstractContextManager[None]:
    """Let no ``CancelledError`` into a block of a ``def`` activity, where it would do harm.

    A cancellation that comes meanwhile is raised at the end of the block, of the outermost one if they are nested, even
    if the block has raised an error of its own, which is then its context. In ``async def`` activities, and where no
    such errors are raised, it does nothing.

    Raises:
        RuntimeError: outside of an activity.

    Example:
        with activity.shield_thread_cancel_exception():
            ledger.book(entry)
    """
    interrupt = _context().interrupt
    return nullcontext() if interrupt is None else interrupt


def is_worker_shutdown() -> bool:
    """Whether the worker has begun to shut down."""
    return _context().worker_shutdown.is_set()


async def wait_for_worker_shutdown() -> None:
    """Wait until the worker begins to shut down."""
    await _context().worker_shutdown.wait()


def wait_for_worker_shutdown_sync(timeout: timedelta | float | None = None) -> None:
    """Block the thread until the worker begins to shut down, or for ``timeout`` (seconds or a timedelta)."""
    _context().worker_shutdown.wait_sync(_timeout_seconds(timeout))


def metric_meter() -> MetricMeter:
    """A meter for metrics of this activity.

    Its metrics carry the attributes namespace, task queue and activity type.

    Raises:
        RuntimeError: outside of an activity.
    """
    return _context().metric_meter


def payload_converter() -> PayloadConverter:
    """The payload converter of the activity's worker."""
    return _context().payload_converter


def _timeout_seconds(timeout: timedelta | float | None) -> float | None:
    return timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
