"""What activities in the processes of an executor share with their worker."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any

from ._failures import logger

if TYPE_CHECKING:
    import queue
    from multiprocessing.managers import SyncManager

# Seconds between looks whether there is still somebody whose heartbeats are to be waited for.
_POLL_INTERVAL = 0.5
# Seconds that the last heartbeats of an activity may take.
_FLUSH_TIMEOUT = 10.0


class SharedHeartbeatSender(ABC):
    """Sends heartbeats from another process. It can be pickled."""

    @abstractmethod
    def send_heartbeat(self, task_token: bytes, *details: Any) -> None:
        """Send a heartbeat.

        Args:
            task_token: Of the activity.
            details: Values, which can be pickled.
        """


class SharedStateManager(ABC):
    """Makes what activities in the processes of an executor share with their worker.

    Several workers may use one.
    """

    @staticmethod
    def create_from_multiprocessing(
        mgr: SyncManager, queue_poller_executor: Executor | None = None
    ) -> SharedStateManager:
        """A manager on top of one of ``multiprocessing``, which stays the caller's to shut down.

        Args:
            mgr: A started manager, ``multiprocessing.get_context("spawn").Manager()`` for one.
            queue_poller_executor: Runs the function that takes heartbeats, for as long as activities run; a thread of
                its own by default.

        Raises:
            TypeError: ``mgr`` is no such manager.
        """
        if not hasattr(mgr, "Queue"):
            raise TypeError(
                'mgr must be a started manager: multiprocessing.get_context("spawn").Manager(), '
                f"got {type(mgr).__name__}"
            )
        return MultiprocessingStateManager(mgr, queue_poller_executor)

    @abstractmethod
    def new_event(self) -> threading.Event:
        """An event that works in all processes."""

    @abstractmethod
    async def register_heartbeater(self, task_token: bytes, heartbeat: Callable[..., None]) -> SharedHeartbeatSender:
        """Take heartbeats of an activity.

        Args:
            task_token: Of the activity.
            heartbeat: Called with the details of each; on any thread.

        Returns:
            What the activity sends them with.
        """

    @abstractmethod
    async def unregister_heartbeater(self, task_token: bytes) -> None:
        """Take no more of them. Those that are on their way are taken before this returns."""


class MultiprocessingStateManager(SharedStateManager):
    """The manager that is made from one of ``multiprocessing``."""

    def __init__(self, mgr: SyncManager, queue_poller_executor: Executor | None) -> None:
        self._mgr = mgr
        self._executor = queue_poller_executor
        self._queue: queue.Queue[tuple[bytes, tuple[Any, ...] | None]] = mgr.Queue(1000)
        self._lock = threading.Lock()
        self._heartbeaters: dict[bytes, Callable[..., None]] = {}
        self._flushed: dict[bytes, threading.Event] = {}
        self._polling = False

    def new_event(self) -> threading.Event:
        return self._mgr.Event()

    def new_details(self) -> Any:
        """A dict for the reason of a cancellation."""
        return self._mgr.dict()

    async def register_heartbeater(self, task_token: bytes, heartbeat: Callable[..., None]) -> SharedHeartbeatSender:
        return self.register(task_token, heartbeat)

    async def unregister_heartbeater(self, task_token: bytes) -> None:
        await asyncio.to_thread(self.unregister, task_token)

    def register(self, task_token: bytes, heartbeat: Callable[..., None]) -> SharedHeartbeatSender:
        """``register_heartbeater`` for threads."""
        with self._lock:
            self._heartbeaters[task_token] = heartbeat
            start, self._polling = not self._polling, True
        if start:
            self._start()
        return _QueueSender(self._queue)

    def _start(self) -> None:
        try:
            if self._executor is None:
                threading.Thread(target=self._poll, name="invincible-heartbeats", daemon=True).start()
            else:
                self._executor.submit(self._poll)
        except BaseException:
            with self._lock:
                self._polling = False
            raise

    def unregister(self, task_token: bytes) -> None:
        """``unregister_heartbeater`` for threads."""
        flushed = self._flushed[task_token] = threading.Event()
        try:
            self._queue.put((task_token, None))
            if not flushed.wait(_FLUSH_TIMEOUT):
                logger.warning("the last heartbeats of an activity are still on their way from its process")
        finally:
            with self._lock:
                self._flushed.pop(task_token, None)
                self._heartbeaters.pop(task_token, None)

    def _poll(self) -> None:
        from queue import Empty

        while True:
            try:
                task_token, details = self._queue.get(timeout=_POLL_INTERVAL)
            except Empty:
                with self._lock:
                    if not self._heartbeaters:
                        self._polling = False
                        return
                continue
            except Exception:
                # The manager has ended; calls that need it say so themselves.
                with self._lock:
                    self._polling = False
                return
            if details is None:
                flushed = self._flushed.get(task_token)
                if flushed is not None:
                    flushed.set()
                continue
            heartbeat = self._heartbeaters.get(task_token)
            try:
                if heartbeat is not None:
                    heartbeat(*details)
            except Exception:
                logger.exception("a heartbeat of an activity in another process could not be sent")


class _QueueSender(SharedHeartbeatSender):
    def __init__(self, queue: queue.Queue[Any]) -> None:
        self._queue = queue

    def send_heartbeat(self, task_token: bytes, *details: Any) -> None:
        self._queue.put((task_token, details))
