"""Runs a worker as a program: until a signal, and then until its activities have ended."""

from __future__ import annotations

import asyncio
import atexit
import inspect
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, NoReturn, Protocol, TypeAlias

from ._failures import logger
from ._processes._main_guard import MESSAGE, in_worker_process
from ._slow_start import SlowStart
from ._told import tell
from ._under_way import UnderWay, under_way
from ._waiting import unless
from ._wakeup import woken_by_signals

if TYPE_CHECKING:
    from types import FrameType

    from ._worker import Worker

DEFAULT_GRACE = timedelta(seconds=30)

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name))
# Programs that run others often hand on a Ctrl-C that these have got from the terminal already.
_SAME_SIGNAL = 0.5
_LAST_WORDS_TIMEOUT = 2.0
# Activities that messages name.
_SHOWN = 10


def run_worker(
    worker: Worker | Callable[[], Worker | Awaitable[Worker]], *, grace: timedelta = DEFAULT_GRACE
) -> NoReturn:
    """Run a worker until SIGINT (Ctrl-C) or SIGTERM, let its activities end, and end the program.

    The first signal has the worker take no new tasks. Activities that are running have the grace to end; then they
    are cancelled. The second signal ends the program at once, and says which activities were still running. What
    happens is logged by the logger ``invincible.worker``; where logging has not been configured, on standard error.

    The program ends with the exit code

    - 0 if a signal came and all tasks were completed,
    - 1 if the worker could not be made or could not go on, or processes of it crashed at the end or had to be killed;
      why is logged,
    - 128 and the number of the signal, if a second one came: 130 for SIGINT, 143 for SIGTERM.

    Args:
        worker: The worker, or a function that makes it, which may be an ``async def``.
        grace: The grace of a worker that has no ``graceful_shutdown_timeout``.

    Raises:
        RuntimeError: This is not the main thread, which signals need.
        SystemExit: At the end, with the exit code.

    Example:
        async def make() -> Worker:
            client = await Client.connect("localhost:7233")
            return Worker(client, task_queue="greetings", workflows=[Greeting])

        if __name__ == "__main__":
            run_worker(make)
    """

    from ._worker import Worker

    async def make() -> Program:
        made = worker() if callable(worker) else worker
        if inspect.isawaitable(made):
            made = await made
        if not isinstance(made, Worker):
            raise TypeError(f"run_worker needs a Worker or a function that returns one, got {made!r}")
        made._parts.default_grace(grace)
        return WorkerProgram(made)

    run_program(make)


class Program(Protocol):
    """What is run: a worker, be it in this process or in others."""

    @property
    def title(self) -> str:
        """How messages name it."""
        ...

    @property
    def grace(self) -> float:
        """Seconds that activities have to end."""
        ...

    @property
    def waits_for(self) -> str | None:
        """What keeps it, when it is made and does not poll; ``None`` if it tells so itself."""
        ...

    async def run(self, stop: asyncio.Event, ready: asyncio.Event) -> None:
        """Run until ``stop`` is set; set ``ready`` once it polls."""

    @property
    def killed(self) -> int:
        """How many processes did not end by themselves."""
        ...

    def under_way(self) -> Sequence[UnderWay]:
        """The activities that are running; from any thread."""
        ...

    def kill(self) -> None:
        """End what would outlive this process; from any thread."""


class WorkerProgram:
    """A worker as a program.

    Args:
        worker: The worker.
    """

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    @property
    def title(self) -> str:
        """Names the task queue."""
        return f"worker of task queue {self._worker.task_queue!r}"

    @property
    def grace(self) -> float:
        """The worker's."""
        return self._worker._parts.grace or 0.0

    @property
    def waits_for(self) -> str | None:
        """The server, which knows the namespace; processes tell what they wait for."""
        return "the server, which is asked for the namespace" if self._worker._supervisor is None else None

    async def run(self, stop: asyncio.Event, ready: asyncio.Event) -> None:
        """Run the worker."""
        await self._worker._run_until(stop, on_polls=ready.set)

    @property
    def killed(self) -> int:
        """Of its processes, if it has some."""
        supervisor = self._worker._supervisor
        return 0 if supervisor is None else supervisor.killed

    def under_way(self) -> Sequence[UnderWay]:
        """Of the worker or its processes."""
        supervisor = self._worker._supervisor
        return under_way(self._worker._local.activities) if supervisor is None else supervisor.activities

    def kill(self) -> None:
        """Kill its processes, if it has some."""
        if self._worker._supervisor is not None:
            self._worker._supervisor.kill()


def run_program(make: Callable[[], Awaitable[Program]], *, prepare: Callable[[], None] = lambda: None) -> NoReturn:
    """Run what a function makes, and end this program; see :func:`run_worker`.

    Args:
        make: Makes it.
        prepare: What is to be done before, without an event loop.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("a worker must be run in the main thread: no other one gets signals")
    if in_worker_process():
        sys.exit(MESSAGE)
    _log_somewhere()
    sys.exit(_Run(make).run(prepare))


_ExitCode: TypeAlias = "int | str | None"


class _Stopped(BaseException):
    """A signal came while the program was prepared."""


class _Exited(Exception):
    """The user's code has called sys.exit."""

    def __init__(self, code: _ExitCode) -> None:
        super().__init__(code)
        self.code = code


class _Run:
    def __init__(self, make: Callable[[], Awaitable[Program]]) -> None:
        self._make = make
        self._program: Program | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._preparing = False
        self._waits_for: str | None = "the import of its modules"
        self._first_signal: tuple[str, float] | None = None
        self._forced = False
        # The exit code, and when it was known.
        self._ended: tuple[int, float] | None = None

    def run(self, prepare: Callable[[], None]) -> _ExitCode:
        """Run it; what the program is to exit with."""
        # Not loop.add_signal_handler: Windows does not have it, and a busy event loop would never get to the second.
        for each in _SIGNALS:
            signal.signal(each, self._on_signal)
        # These stay to the end, and then nothing may take the exit code away that the worker has earned.
        atexit.register(_ignore_signals)
        self._start = SlowStart(self._warn_of_start)
        code: _ExitCode
        try:
            early = self._prepared(prepare)
            code = asyncio.run(self._run()) if early is None else early
        except _Exited as exited:
            code = exited.code
        finally:
            self._start.done()
        # As sys.exit takes it: a text is written, and stands for 1.
        known = code if isinstance(code, int) else 0 if code is None else 1
        self._ended = known, time.monotonic()
        return code

    def _prepared(self, prepare: Callable[[], None]) -> int | None:
        """The exit code if the preparations are the end."""
        try:
            self._preparing = True
            prepare()
            self._preparing = False
        except _Stopped:
            pass
        except Exception as error:
            if self._first_signal is None:
                tell("the worker could not be made", error)
                return 1
        finally:
            self._preparing = False
        # User code may have caught the exception of the signal.
        return None if self._first_signal is None else self._ended_early()

    def _ended_early(self) -> int:
        logger.info("%s: ended before the worker was made", self._signal_name)
        return 0

    async def _run(self) -> int:
        self._stop = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        with woken_by_signals(self._loop):
            return await self._run_here()

    async def _run_here(self) -> int:
        if self._first_signal is not None:
            return self._ended_early()
        self._waits_for = "the connection to the server, and what makes it"
        try:
            program = self._program = await unless(self._stop, self._without_exit())
        except _Exited:
            raise
        except Exception as error:
            tell("the worker could not be made", error)
            return 1
        if program is None:
            return self._ended_early()
        self._waits_for = program.waits_for
        ready = asyncio.Event()
        running = asyncio.ensure_future(program.run(self._stop, ready))
        polling = asyncio.ensure_future(ready.wait())
        stopped = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait((running, polling, stopped), return_when=asyncio.FIRST_COMPLETED)
        self._start.done()
        if polling.done():
            logger.info("%s is running (pid %d)", program.title, os.getpid())
            await asyncio.wait((running, stopped), return_when=asyncio.FIRST_COMPLETED)
        polling.cancel()
        stopped.cancel()
        began = time.monotonic()
        if self._first_signal is not None:
            self._tell_of_drain(program)
        try:
            await running
        except Exception as error:
            tell(f"{program.title} cannot go on", error)
            return 1
        seconds = time.monotonic() - began
        if program.killed:
            logger.warning(
                "%s has ended after %.1f s, %d of its processes killed or crashed",
                program.title,
                seconds,
                program.killed,
            )
            return 1
        logger.info("%s has ended, all tasks completed, after %.1f s", program.title, seconds)
        return 0

    async def _without_exit(self) -> Program:
        try:
            return await self._make()
        except SystemExit as error:  # which would end the event loop with tracebacks of ours
            raise _Exited(error.code) from None

    def _warn_of_start(self, seconds: float) -> None:
        if (waits_for := self._waits_for) is not None and self._first_signal is None:
            logger.warning("the worker does not poll yet, %.0f s after its start: it waits for %s", seconds, waits_for)

    @property
    def _signal_name(self) -> str:
        return self._first_signal[0] if self._first_signal is not None else "stopped"

    def _tell_of_drain(self, program: Program) -> None:
        activities = program.under_way()
        logger.info(
            "%s: %s takes no new tasks; %s; a second signal ends it at once",
            self._signal_name,
            program.title,
            f"{_counted(len(activities))} under way, with {program.grace:g} s to end: {_listed(activities)}"
            if activities
            else "no activity is under way",
            extra={"signal": self._signal_name, "activities": len(activities)},
        )

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._ended is not None:
            # Something of the program keeps the interpreter from its end.
            if now - self._ended[1] > _SAME_SIGNAL:
                os._exit(self._ended[0])
        elif self._first_signal is None:
            self._first_signal = signal.Signals(number).name, now
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._stop.set)
            elif self._preparing:
                raise _Stopped
        elif now - self._first_signal[1] > _SAME_SIGNAL and not self._forced:
            self._forced = True
            # From another thread, as this one may hold any lock.
            last_words = threading.Thread(target=self._say_last_words, args=(number,), daemon=True)
            last_words.start()
            last_words.join(_LAST_WORDS_TIMEOUT)
            os._exit(128 + number)

    def _say_last_words(self, number: int) -> None:
        if self._program is not None:
            activities = self._program.under_way()
            self._program.kill()
            logger.warning(
                "%s: ended at once; %s under way: %s",
                signal.Signals(number).name,
                _counted(len(activities)),
                _listed(activities),
                extra={"signal": signal.Signals(number).name, "activities": len(activities)},
            )
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()


def _ignore_signals() -> None:
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)


def _counted(number: int) -> str:
    return "1 activity" if number == 1 else f"{number} activities"


def _listed(activities: Sequence[UnderWay]) -> str:
    shown = [str(each) for each in activities[:_SHOWN]]
    if len(activities) > _SHOWN:
        shown.append(f"and {len(activities) - _SHOWN} more")
    return "; ".join(shown) or "none"


def _log_somewhere() -> None:
    """Where the program has not configured logging, have what is said here be read."""
    if not logger.hasHandlers():
        logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        logging.getLogger("invincible").setLevel(logging.INFO)
