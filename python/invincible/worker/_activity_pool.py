"""Activities in the processes of somebody else's executor, ``concurrent.futures.ProcessPoolExecutor`` above all."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import BrokenExecutor, Executor, Future
from concurrent.futures import CancelledError as FutureCancelledError
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from invincible.activity._context import ActivityCancellationDetails, ActivityContext, Event
from invincible.exceptions import ApplicationError, CancelledError

from ._activity_calls import ActivityCall, pickled_call, result_of, run_call
from ._activity_registry import Activity
from ._running_activity import RunningActivity
from ._shared_state import MultiprocessingStateManager, SharedHeartbeatSender, SharedStateManager

# Seconds between looks at an event for which an event loop in a process waits.
_LOOK_INTERVAL = 0.1


class ProcessPool:
    """Calls activities in the processes of an executor.

    Args:
        executor: The executor.
        manager: Makes what the processes share with the worker; without it, one is made when it is first needed.
        on_broken: Called when the executor cannot run anything any more.
    """

    def __init__(
        self, executor: Executor, manager: SharedStateManager | None, on_broken: Callable[[BaseException], object]
    ) -> None:
        self._executor = executor
        self._manager = manager
        self._on_broken = on_broken
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._own_manager: Any = None
        self._worker_shutdown: Any = None

    def call(self, activity: Activity, running: RunningActivity, function: partial[Any]) -> Any:
        """The result of the function, which runs in one of the processes."""
        pickled = pickled_call(activity, running, function)
        try:
            manager = self._shared_state()
            worker_shutdown = self._shutdown_event(manager, running.context.worker_shutdown)
            cancelled = manager.new_event()
            details = manager.new_details() if isinstance(manager, MultiprocessingStateManager) else {}
        except (EOFError, OSError) as error:
            self._on_broken(error)
            raise _failed(
                "the process that activities share state with has ended: none can be started in the processes of "
                "activity_executor any more"
            ) from error
        token = running.start.task_token
        sender = self._register(manager, token, lambda *details: running.context.send_heartbeat(details))

        def tell() -> None:
            if running.context.cancellation_details is not None:
                details.update(asdict(running.context.cancellation_details))
            cancelled.set()

        try:
            future = self._submit(pickled, token, _Shared(sender, cancelled, details, worker_shutdown))
            running.interruptible_by(lambda: None if future.cancel() else _in_background(tell))
            outcome = future.result()
        except BrokenExecutor as error:
            self._on_broken(error)
            raise _failed(
                f"a process of activity_executor has ended abruptly, and the executor with it: {error}. An "
                "ActivityProcessExecutor goes on in that case, and tells how the process ended"
            ) from error
        except FutureCancelledError as error:
            if running.context.cancelled.is_set():
                raise CancelledError from None
            raise _failed("activity_executor has been shut down before it began the activity") from error
        finally:
            running.on_interrupt = None
            with suppress(EOFError, OSError):  # the manager has ended, which is no reason to lose the outcome
                self._unregister(manager, token)
        return result_of(outcome)

    def close(self) -> None:
        """Ends the manager, if it is this object's own."""
        if self._own_manager is not None:
            self._own_manager.shutdown()

    def _register(
        self, manager: SharedStateManager, token: bytes, heartbeat: Callable[..., None]
    ) -> SharedHeartbeatSender:
        if isinstance(manager, MultiprocessingStateManager):
            return manager.register(token, heartbeat)
        return asyncio.run_coroutine_threadsafe(manager.register_heartbeater(token, heartbeat), self._loop).result()

    def _unregister(self, manager: SharedStateManager, token: bytes) -> None:
        if isinstance(manager, MultiprocessingStateManager):
            manager.unregister(token)
        else:
            asyncio.run_coroutine_threadsafe(manager.unregister_heartbeater(token), self._loop).result()

    def _submit(self, *args: Any) -> Future[bytes]:
        try:
            return self._executor.submit(_run_in_pool, *args)
        except BrokenExecutor:
            raise
        except RuntimeError as error:
            raise _failed("activity_executor has been shut down before it began the activity") from error

    def _shared_state(self) -> SharedStateManager:
        with self._lock:
            if self._manager is None:
                from multiprocessing import get_context
                from multiprocessing.managers import SyncManager

                # Never by fork: this process has threads.
                self._own_manager = SyncManager(ctx=get_context("spawn"))
                self._own_manager.start(_ignore_interrupts)
                self._manager = SharedStateManager.create_from_multiprocessing(self._own_manager)
            return self._manager

    def _shutdown_event(self, manager: SharedStateManager, worker_shutdown: Event) -> Any:
        with self._lock:
            if self._worker_shutdown is None:
                event = self._worker_shutdown = manager.new_event()

                worker_shutdown.when_set(lambda: _in_background(event.set))
            return self._worker_shutdown


def _failed(message: str) -> ApplicationError:
    return ApplicationError(message, type="ActivityExecutorError")


def _in_background(tell: Callable[[], None]) -> None:
    """Tell processes something: that waits for the manager's process, and event loops must not."""

    def run() -> None:
        with suppress(EOFError, OSError):  # it has ended
            tell()

    threading.Thread(target=run, name="invincible-shared-state", daemon=True).start()


def _ignore_interrupts() -> None:
    """Ctrl+C is sent to all processes of a terminal, and is the program's own to handle."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)


@dataclass(frozen=True)
class _Shared:
    """What a call shares with the worker."""

    sender: SharedHeartbeatSender
    cancelled: Any
    details: Mapping[str, bool]
    worker_shutdown: Any


class _SharedEvent(Event):
    """The event of another process."""

    def __init__(self, event: Any) -> None:
        super().__init__()
        self._shared = event

    def is_set(self) -> bool:
        return bool(self._shared.is_set())

    async def wait(self) -> None:
        # No thread can wait for it instead: it would wait on when the task has given up.
        while not self.is_set():  # noqa: ASYNC110  # it is another process that sets it
            await asyncio.sleep(_LOOK_INTERVAL)

    def wait_sync(self, timeout: float | None) -> bool:
        return bool(self._shared.wait(timeout))


def _run_in_pool(pickled: bytes, task_token: bytes, shared: _Shared) -> bytes:
    def reason() -> ActivityCancellationDetails | None:
        return ActivityCancellationDetails(**dict(shared.details)) if shared.cancelled.is_set() else None

    def prepared(call: ActivityCall) -> tuple[ActivityContext, Callable[[], Any]]:
        context = call.context(
            send_heartbeat=lambda details: shared.sender.send_heartbeat(task_token, *details),
            worker_shutdown=_SharedEvent(shared.worker_shutdown),
            cancelled=_SharedEvent(shared.cancelled),
        )
        context.ask_reason = reason
        return context, call.function

    return run_call(pickled, prepared)
