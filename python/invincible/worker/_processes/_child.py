"""What runs in a worker process."""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from invincible.client._task_failures import task_failures
from invincible.runtime import Runtime, _flush_logs

from .._told import is_connection_failure
from .._under_way import under_way
from .._waiting import unless
from .._wakeup import woken_by_signals
from ._link import Link
from ._logs import LogLevels, Sender
from ._memory import check_memory_suffices, resident_memory
from ._messages import Drain, Failed, Leaving, Ready, Report, SentError, TaskFailed

if TYPE_CHECKING:
    from .._worker import Worker
    from ._blueprint import Maker

_REPORT_INTERVAL = 1.0
# What a terminal or a service manager may send to all processes at once: the supervisor says what becomes of it.
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True)
class ChildOptions:
    """What a process is told at its start.

    Args:
        index: Its number, from 0.
        maker: Makes its worker; pickled.
        levels: Which log records to send.
        kill_after: Seconds, after the grace of the activities, in which it must have ended.
        max_memory: Bytes above which it is to be replaced.
    """

    index: int
    maker: bytes
    levels: LogLevels
    kill_after: float
    max_memory: int | None


def block_signals() -> None:
    """Have signals wait, in the calling thread and in processes that it starts, until these say what they do then."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)


def run_child(connection: Connection[Any, Any], options: ChildOptions) -> None:
    """The process's main function."""
    child = _Child(connection, options)
    try:
        code = child.run()
    finally:
        _flush_logs()
        child.link.close()
    sys.exit(code)


class _Child:
    def __init__(self, connection: Connection[Any, Any], options: ChildOptions) -> None:
        self._options = options
        self.link = Link(connection)
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._state = "starting"
        self._waits_for = "the import of its modules"
        self._loading = True
        self._news = threading.Event()
        self._worker: Worker | None = None
        self._started_at = time.time()

    def run(self) -> int:
        """Run the worker until it is to end; the exit code."""
        self._take_over_logging()
        self._take_over_signals()
        task_failures.forward = self._send_task_failure
        self.link.listen(self._on_command, self._on_orphaned)
        threading.Thread(target=self._report, name="invincible-report", daemon=True).start()
        try:
            # Modules may have event loops run while they are imported, to connect say.
            maker: Maker = pickle.loads(self._options.maker)
            maker.load()
            runtime, metrics_port = maker.runtime.make(self._options.index)
        except (Exception, SystemExit) as error:  # the supervisor decides what becomes of it
            self.link.send(Failed("load", SentError.of(_no_exit(error))))
            return 1
        finally:
            self._loading = False
        if Runtime._default is None:
            Runtime.set_default(runtime)
        asyncio.set_event_loop(self._loop)
        try:
            with woken_by_signals(self._loop):
                return self._loop.run_until_complete(self._main(maker, runtime, metrics_port))
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            asyncio.set_event_loop(None)
            self._loop.close()

    async def _main(self, maker: Maker, runtime: Runtime, metrics_port: int | None) -> int:
        phase = "load"
        self._wait_for("the connection to the server, and what makes its worker")
        try:
            worker = await unless(self._stop, _made(maker, runtime))
            if worker is None:
                return 0
            check_memory_suffices(self._options.max_memory)
            phase = "run"
            await self._run(worker, metrics_port)
        except Exception as error:  # see above
            if phase == "load" and is_connection_failure(error):
                phase = "connect"
            self.link.send(Failed(phase, SentError.of(error)))
            return 1
        return 0

    async def _run(self, worker: Worker, metrics_port: int | None) -> None:
        self._worker = worker
        self._wait_for("the server, which is asked for the namespace")
        worker._local.reports_health = True

        def polls() -> None:
            self._enter("running")
            self.link.send(Ready(metrics_port, worker._parts.grace or 0.0))

        await worker._run_until(self._stop, on_polls=polls, on_end=lambda: self._enter("draining"))

    def _take_over_logging(self) -> None:
        self._options.levels.apply()
        logging.root.handlers[:] = [Sender(self._options.index, self.link.log)]

    def _take_over_signals(self) -> None:
        # Not SIG_IGN, which programs that activities start would inherit.
        signal.signal(signal.SIGINT, lambda *_: None)
        signal.signal(signal.SIGTERM, self._on_signal)
        if (sigbreak := getattr(signal, "SIGBREAK", None)) is not None:
            signal.signal(sigbreak, lambda *_: None)
        if hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)

    def _on_signal(self, number: int, frame: object) -> None:
        self.link.send(Leaving(signal.Signals(number).name))
        self._request_stop()

    def _on_command(self, command: object) -> None:
        if isinstance(command, Drain):
            self._end_if_loading()
            self._request_stop()

    def _on_orphaned(self) -> None:
        """From the link's thread: nobody is left who would end this process, so it does so itself."""
        self._request_stop()
        # What read the standard error may be gone with the supervisor; where there is no console, there is none.
        with suppress(OSError, ValueError, AttributeError):
            sys.stderr.write(f"worker process {os.getpid()}: the supervisor is gone, taking no new tasks\n")
        self._end_if_loading()
        grace = self._worker._parts.grace or 0.0 if self._worker is not None else 0.0
        time.sleep(grace + self._options.kill_after)
        os._exit(1)

    def _end_if_loading(self) -> None:
        """Modules may take for ever to be imported, and there is nothing yet that would have to be completed."""
        if self._loading:
            os._exit(0)

    def _request_stop(self) -> None:
        with suppress(RuntimeError):  # the loop is closed: it has stopped
            self._loop.call_soon_threadsafe(self._stop.set)

    def _enter(self, state: str) -> None:
        self._state = state
        self._news.set()

    def _wait_for(self, what: str) -> None:
        self._waits_for = what
        self._news.set()

    def _report(self) -> None:
        while True:
            self._news.clear()
            self.link.send(Report(self._values()))
            self._news.wait(_REPORT_INTERVAL)

    def _values(self) -> dict[str, Any]:
        activities: Sequence[Any] = () if self._worker is None else under_way(self._worker._local.activities)
        return {
            "pid": os.getpid(),
            "state": self._state,
            "waits_for": self._waits_for,
            "started_at": self._started_at,
            "memory": resident_memory(),
            "activities": activities,
            "health": None if self._worker is None else self._worker._local.health_report(),
        }

    def _send_task_failure(self, workflow_id: str, run_id: str, error: BaseException) -> None:
        self.link.send(TaskFailed(workflow_id, run_id, SentError.of(error)))


async def _made(maker: Maker, runtime: Runtime) -> Worker:
    try:
        return await maker.make(runtime)
    except SystemExit as error:  # which would end the event loop
        raise _no_exit(error) from None


def _no_exit(error: Exception | SystemExit) -> Exception:
    """An error that says the same as one that would end the supervisor too."""
    if not isinstance(error, SystemExit):
        return error
    said = RuntimeError(f"sys.exit was called while the worker was loaded: {error.code}")
    return said.with_traceback(error.__traceback__)
