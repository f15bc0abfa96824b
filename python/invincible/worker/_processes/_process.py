"""One worker process, as its supervisor sees it."""

from __future__ import annotations

import asyncio
import multiprocessing
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from invincible.client._task_failures import task_failures

from .. import _slow_start
from .._failures import logger
from .._remote_logs import hand_on
from .._under_way import UnderWay
from ._child import ChildOptions, block_signals, run_child
from ._main_guard import NAME
from ._messages import Drain, Failed, Leaving, Logged, Ready, Report, TaskFailed

_spawn = multiprocessing.get_context("spawn")
# Seconds for the last messages of a process that has ended: what it has forked may keep the pipe open.
_LAST_MESSAGES = 1.0


class WorkerProcess:
    """A process from before its start until after its end. For the event loop that made it, but for ``start``.

    Args:
        options: What the process is told.
        on_report: Called with the process when it has told of itself.

    Attributes:
        index: Its number.
        ready: Done once it polls.
        leaving: Done once another one should take its place; the reason.
        ended: Done once it has ended; its exit code, as of ``multiprocessing``.
        failure: Why it could not go on, if it said so.
        report: The latest of what it tells of itself.
        metrics_port: Where it serves its metrics, if it does.
        grace: Seconds that its activities have when it ends; ``None`` until it polls.
    """

    def __init__(self, options: ChildOptions, *, on_report: Callable[[WorkerProcess], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self.index = options.index
        self.ready: asyncio.Future[None] = self._loop.create_future()
        self.leaving: asyncio.Future[str] = self._loop.create_future()
        self.ended: asyncio.Future[int | None] = self._loop.create_future()
        self.failure: Failed | None = None
        self.report: dict[str, Any] = {}
        self.reported_at: float | None = None
        self.metrics_port: int | None = None
        self.grace: float | None = None
        self._max_memory = options.max_memory
        self._on_report = on_report
        self._draining = False
        self._abandoned = False
        self._connection: Connection[Any, Any]
        self._connection, self._its_end = _spawn.Pipe()
        self._process = _spawn.Process(target=run_child, args=(self._its_end, options), name=f"{NAME}{options.index}")
        self._slow_start: asyncio.TimerHandle | None = None

    @property
    def pid(self) -> int | None:
        """Its process id, once it is started."""
        return self._process.pid

    def __str__(self) -> str:
        """How messages name it."""
        return f"worker process {self.index} (pid {self.pid})"

    @property
    def activities(self) -> list[UnderWay]:
        """What it was running when it last reported."""
        return list(self.report.get("activities", ()))

    def start(self) -> None:
        """Start the process; for a thread that does nothing else, as its signals wait from now on."""
        try:
            if not self._abandoned:
                _start(self._process)
        except BaseException:
            self._post(self._end, None)
            raise
        finally:
            self._its_end.close()
        if self._process.pid is None:
            self._post(self._end, 0)
            return
        reader = threading.Thread(target=self._read, name=f"invincible-worker-{self.index}-read", daemon=True)
        reader.start()
        self._post(self._warn_if_slow, self._loop.time(), _slow_start.pauses())
        threading.Thread(target=self._wait, args=(reader,), name=f"invincible-worker-{self.index}", daemon=True).start()

    def drain(self) -> None:
        """Have it take no new tasks, and end."""
        if not self._draining:
            self._draining = True
            self._abandoned = self._process.pid is None
            with suppress(OSError):  # it has ended
                self._connection.send_bytes(pickle.dumps(Drain()))

    def kill(self) -> None:
        """End it at once; from any thread."""
        self._abandoned = True
        if self._process.pid is not None:
            with suppress(OSError):  # it has ended
                self._process.kill()

    def _read(self) -> None:
        while True:
            try:
                message = pickle.loads(self._connection.recv_bytes())
            except (EOFError, OSError):
                return
            except Exception:  # the code of what somebody logged
                logger.exception("a message of %s could not be read", self)
                continue
            if isinstance(message, Logged):
                hand_on(message.record)
            elif isinstance(message, TaskFailed):
                task_failures.keep(message.workflow_id, message.run_id, message.error.exception())
            else:
                self._post(self._take, message)

    def _wait(self, reader: threading.Thread) -> None:
        self._process.join()
        # Others that wait for children of this process may have seen the end before, and not have noted it yet.
        deadline = time.monotonic() + _LAST_MESSAGES
        while (code := self._process.exitcode) is None and time.monotonic() < deadline:
            time.sleep(0.01)
        reader.join(_LAST_MESSAGES)
        self._connection.close()
        self._post(self._end, code)

    def _post(self, call: Any, *args: Any) -> None:
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(call, *args)

    def _take(self, message: object) -> None:
        if isinstance(message, Report):
            self.report, self.reported_at = message.values, time.monotonic()
            self._on_report(self)
            memory = message.values["memory"]
            if self._max_memory is not None and memory > self._max_memory and self.ready.done():
                self._leave(
                    f"it has {memory / 1e6:.0f} MB of memory, above max_memory of {self._max_memory / 1e6:.0f} MB"
                )
        elif isinstance(message, Ready):
            self.metrics_port, self.grace = message.metrics_port, message.grace
            self.ready.set_result(None)
        elif isinstance(message, Leaving):
            self._leave(f"it got {message.reason}")
        elif isinstance(message, Failed):
            self.failure = message

    def _warn_if_slow(self, began: float, pauses: Iterator[float]) -> None:
        if self.ready.done() or self.ended.done() or self._draining:
            return
        seconds = self._loop.time() - began
        if self._slow_start is not None:
            waits_for = self.report.get("waits_for", "the import of the program")
            logger.warning("%s does not poll yet, %.0f s after its start: it waits for %s", self, seconds, waits_for)
        self._slow_start = self._loop.call_later(next(pauses), self._warn_if_slow, began, pauses)

    def _leave(self, reason: str) -> None:
        if not self.leaving.done():
            self.leaving.set_result(reason)

    def _end(self, code: int | None) -> None:
        if self._slow_start is not None:
            self._slow_start.cancel()
        if not self.ended.done():
            self.ended.set_result(code)


def _start(process: Any) -> None:
    if hasattr(signal, "pthread_sigmask"):
        from multiprocessing import resource_tracker

        # Otherwise the start of the process would start it, and unblock the signals after that.
        resource_tracker.ensure_running()
    block_signals()
    process.start()
