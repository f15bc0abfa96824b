"""Processes for ``def`` activities: one for each activity at a time, ended if the activity ignores its cancellation."""

from __future__ import annotations

import itertools
import logging
import multiprocessing
import pickle
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from datetime import timedelta
from functools import partial
from multiprocessing.connection import wait
from multiprocessing.context import BaseContext
from multiprocessing.util import Finalize
from typing import Any, ParamSpec, TypeVar

from invincible.exceptions import ApplicationError, CancelledError

from ._activity_calls import pickled_call, result_of
from ._activity_process_main import main
from ._activity_registry import Activity
from ._exit_codes import how_it_ended
from ._failures import logger
from ._remote_logs import hand_on
from ._remote_metrics import record
from ._running_activity import RunningActivity

P = ParamSpec("P")
R = TypeVar("R")

# Seconds between SIGTERM and SIGKILL.
_TERM_GRACE = 2.0
# Seconds that a process without a call has to end.
_IDLE_GRACE = 5.0
# Loggers whose levels processes take over.
_LOGGERS = ("root", "invincible", "invincible.activity")


class ActivityProcessExecutor(Executor):
    """Runs ``def`` activities in processes of their own, which it starts when they are needed and uses again.

    An activity in a process has all of :mod:`invincible.activity` but ``client()``. When it is cancelled or times out,
    ``CancelledError`` is raised in it, at once even where it sleeps or waits for I/O. Has it not ended after
    ``cancel_grace``, its process is ended: SIGTERM, SIGKILL two seconds later. A process that dies fails its activity
    with an error that says how it died; other activities go on, and the next one gets a new process.

    It belongs to the caller, who may use it for several workers, and shuts it down after them.

    Args:
        max_workers: How many processes there may be; activities wait for one. By default there are as many as the
            worker runs ``def`` activities at a time.
        mp_context: How processes are started: a context of ``multiprocessing``, ``spawn`` (the default) or
            ``forkserver``.
        initializer: Called in each process when it starts; what it raises fails the activity that it was started for.
        initargs: Arguments for it.
        max_tasks_per_child: How many activities a process runs before another one takes its place.
        cancel_grace: How long an activity may take to end after its cancellation.

    Raises:
        TypeError: An argument of the wrong type.
        ValueError: A number that is not positive, a grace that is negative, or a context that forks.

    Example:
        with ActivityProcessExecutor() as executor:
            worker = Worker(
                client,
                task_queue="reports",
                activities=[render],
                activity_executor=executor,
                max_concurrent_activities=8,
            )
            await worker.run()
    """

    def __init__(
        self,
        max_workers: int | None = None,
        mp_context: BaseContext | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
        *,
        max_tasks_per_child: int | None = None,
        cancel_grace: timedelta = timedelta(seconds=5),
    ) -> None:
        """Creates the executor; no process is started yet."""
        for name, number in (("max_workers", max_workers), ("max_tasks_per_child", max_tasks_per_child)):
            _check_type(name, number, int | None, "an int or None")
            if number is not None and number < 1:
                raise ValueError(f"{name} must be at least 1, not {number}; None is for no limit")
        _check_type("cancel_grace", cancel_grace, timedelta, "a timedelta")
        if cancel_grace < timedelta():
            raise ValueError(f"cancel_grace must not be negative, got {cancel_grace}")
        _check_type("mp_context", mp_context, BaseContext | None, 'a context: multiprocessing.get_context("spawn")')
        if initializer is not None and not callable(initializer):
            raise TypeError(f"initializer must be a function, got {type(initializer).__name__}")
        context = multiprocessing.get_context("spawn") if mp_context is None else mp_context
        if context.get_start_method() == "fork":
            raise ValueError(
                "mp_context must not fork, as workers have threads that a forked process lacks: use "
                'multiprocessing.get_context("spawn") or "forkserver"'
            )
        self._max_workers = max_workers
        self._context = context
        self._initializer = (initializer, initargs)
        self._max_tasks = max_tasks_per_child
        self._grace = cancel_grace.total_seconds()
        self._changed = threading.Condition()
        self._idle: list[_Process] = []
        self._all: set[_Process] = set()
        self._starting = 0
        self._closed = False
        self._numbers = itertools.count(1)
        # Before the interpreter waits for processes, which wait for it.
        Finalize(self, _close, (self._all,), exitpriority=20)

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Not offered: the executor is for the activities of workers.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(
            "ActivityProcessExecutor runs activities of workers: for other functions use "
            "concurrent.futures.ProcessPoolExecutor"
        )

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes. Activities that still run are cancelled, and their processes ended after the grace.

        Args:
            wait: Return when all processes have ended.
            cancel_futures: Means nothing here.
        """
        with self._changed:
            self._closed = True
            idle, self._idle = self._idle, []
            busy = self._all.difference(idle)
            self._changed.notify_all()
        for process in busy:
            process.abandon()
        for process in idle:
            self._reap(process)
        if wait:
            with self._changed:
                self._changed.wait_for(lambda: not self._all and not self._starting)

    # For workers

    def _activity_place(self) -> ActivityProcessExecutor:
        return self

    def call(self, activity: Activity, running: RunningActivity, function: partial[Any]) -> Any:
        """The result of an activity's function, called in a process. Blocks the calling thread.

        Raises:
            BaseException: What the function has raised.
            CancelledError: It had to be ended.
            ApplicationError: It cannot be sent to a process, or the process has died.
        """
        call = pickled_call(activity, running, function)
        process = self._take(running)
        try:
            outcome = process.run(running, call)
        finally:
            running.on_interrupt = None
            self._give_back(process)
        return result_of(outcome)

    def close(self) -> None:
        """Nothing to do: it belongs to the caller."""

    def _take(self, running: RunningActivity) -> _Process:
        """A process that is free, or a new one."""
        cancelled = running.context.cancelled

        def wake() -> None:
            # The event loop calls it, and does not wait for the lock.
            threading.Thread(target=self._notify, name="invincible-cancel", daemon=True).start()

        with self._changed:
            while True:
                if self._closed:
                    raise ApplicationError("activity_executor has been shut down", type="ActivityExecutorError")
                if cancelled.is_set():
                    raise CancelledError
                while self._idle:
                    process = self._idle.pop()
                    if process.usable:
                        return process
                    self._reap(process)
                if self._max_workers is None or len(self._all) + self._starting < self._max_workers:
                    self._starting += 1
                    break
                if running.on_interrupt is None:
                    running.on_interrupt = wake
                    continue
                self._changed.wait()
        try:
            process = _Process(self._context, self._initializer, self._grace, self._max_tasks, next(self._numbers))
        except BaseException as error:
            with self._changed:
                self._starting -= 1
                self._changed.notify_all()
            raise ApplicationError(
                f"a process of activity_executor cannot be started: {type(error).__name__}: {error}",
                type="ActivityExecutorError",
            ) from error
        with self._changed:
            self._starting -= 1
            self._all.add(process)
            if self._closed:
                process.abandon()
        return process

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _give_back(self, process: _Process) -> None:
        with self._changed:
            if process.usable and not self._closed:
                self._idle.append(process)
                self._changed.notify()
                return
        self._reap(process)

    def _reap(self, process: _Process) -> None:
        """End a process and wait for that, which nobody else is to wait for."""
        process.close()

        def wait() -> None:
            process.wait()
            with self._changed:
                self._all.discard(process)
                self._changed.notify_all()

        threading.Thread(target=wait, name="invincible-activity-process-end", daemon=True).start()


def _check_type(name: str, value: object, expected: Any, words: str) -> None:
    if not isinstance(value, expected):
        raise TypeError(f"{name} must be {words}, got {type(value).__name__}")


def _read(message: bytes, running: RunningActivity) -> tuple[str, Any]:
    """A message of a process; one of no kind if the activity has put something into it that cannot be read again."""
    try:
        kind, value = pickle.loads(message)
    except Exception:
        name = running.start.activity_type
        logger.exception("a log record or heartbeat of activity %s in another process cannot be read", name)
        return "", None
    return kind, value


def _close(processes: set[_Process]) -> None:
    for process in list(processes):
        process.close()


class _Process:
    """A process for activities, used by one thread at a time; the executor's and the event loop's may wake that."""

    def __init__(
        self,
        context: BaseContext,
        initializer: tuple[Callable[..., object] | None, tuple[Any, ...]],
        grace: float,
        max_tasks: int | None,
        number: int,
    ) -> None:
        self._grace = grace
        self._left = max_tasks
        self._ready = False
        self._abandoned = False
        self._connection, theirs = context.Pipe()
        self._wakes, self._wake = context.Pipe(duplex=False)
        self._waking = threading.Lock()
        levels = {name: logging.getLogger(None if name == "root" else name).level for name in _LOGGERS}
        self._process: Any = context.Process(  # type: ignore[attr-defined]
            target=main, args=(theirs, *initializer, levels), name=f"invincible-activity-process-{number}"
        )
        try:
            self._process.start()
        except BaseException:
            for connection in (self._connection, self._wakes, self._wake):
                connection.close()
            raise
        finally:
            theirs.close()

    @property
    def usable(self) -> bool:
        """Whether it can take another call."""
        return self._ready and self._left != 0 and not self._abandoned and self._process.is_alive()

    def run(self, running: RunningActivity, call: bytes) -> bytes:
        """The outcome of a call.

        Raises:
            CancelledError: The process had to be ended, as the activity ignored its cancellation.
            ApplicationError: The process could not start, or has died.
        """
        worker_shutdown = running.context.worker_shutdown
        running.interruptible_by(self._interrupt)
        worker_shutdown.when_set(self._interrupt)
        try:
            return self._run(running, call)
        except BaseException:
            self._abandoned = True
            raise
        finally:
            worker_shutdown.forget(self._interrupt)

    def abandon(self) -> None:
        """Cancel what it runs: the executor is shut down."""
        self._abandoned = True
        self._interrupt()

    def close(self) -> None:
        """Let it end, once it has nothing to do."""
        self._connection.close()

    def wait(self) -> None:
        """Wait until it has ended, and end it if that takes too long."""
        for end in (None, self._process.terminate, self._process.kill):
            if end is not None:
                end()
            if self._exit_code() is not None:
                break
        with self._waking:
            self._wake.close()
        self._wakes.close()

    def _interrupt(self) -> None:
        """Have the thread that waits for the process look what has changed."""
        with self._waking:
            if not self._wake.closed:
                self._wake.send_bytes(b"!")

    def _run(self, running: RunningActivity, call: bytes) -> bytes:
        if self._ready:
            self._send("call", call)
        cancellation = _Cancellation(self._grace)
        shutdown_told = False
        while True:
            ready = wait([self._connection, self._wakes, self._process.sentinel], cancellation.seconds_left())
            if self._connection in ready:
                try:
                    message = self._connection.recv_bytes()
                except (EOFError, OSError):
                    raise self._death(running, cancellation) from None
                kind, value = _read(message, running)
                if kind == "end":
                    self._left = None if self._left is None else self._left - 1
                    outcome: bytes = value
                    return outcome
                if kind == "ready":
                    self._ready = True
                    self._send("call", call)
                else:
                    self._take_message(running, kind, value)
            elif self._process.sentinel in ready:
                raise self._death(running, cancellation)
            if self._wakes in ready:
                self._wakes.recv_bytes()
            if self._ready:
                if running.context.worker_shutdown.is_set() and not shutdown_told:
                    shutdown_told = True
                    self._send("worker_shutdown", None)
                if (running.context.cancelled.is_set() or self._abandoned) and cancellation.begin():
                    self._send("cancel", running.context.cancellation_details)
            elif running.context.cancelled.is_set() or self._abandoned:
                cancellation.begin()
            cancellation.go_on(self._process, running)

    def _send(self, kind: str, value: Any) -> None:
        with suppress(OSError):  # it has ended, which is noticed in another way
            self._connection.send((kind, value))

    def _take_message(self, running: RunningActivity, kind: str, value: Any) -> None:
        try:
            if kind == "heartbeat":
                running.context.send_heartbeat(value)
            elif kind == "log":
                hand_on(logging.makeLogRecord(value))
            elif kind == "metric":
                record(running.context.metric_meter, value)
            elif kind == "failed":
                raise ApplicationError(
                    "the initializer of activity_executor has failed in a new process", type="ActivityExecutorError"
                ) from value.exception()
        except ApplicationError:
            raise
        except Exception:
            logger.exception("a %s of activity %s in another process got lost", kind, running.start.activity_type)

    def _death(self, running: RunningActivity, cancellation: _Cancellation) -> BaseException:
        code = self._exit_code()
        if cancellation.forced:
            return CancelledError("the activity ignored its cancellation, and its process was ended")
        how = _how_it_ended(code)
        if not self._ready:
            how += " before it was ready; it may have said why on standard error"
        return ApplicationError(
            f"the process of activity {running.start.activity_type!r} (pid {self._process.pid}) {how}",
            type="ActivityProcessDied",
        )

    def _exit_code(self) -> int | None:
        deadline = time.monotonic() + _IDLE_GRACE
        while True:
            # It returns at once, and there is no code, while another thread is just about to take that.
            self._process.join(_IDLE_GRACE)
            code: int | None = self._process.exitcode
            if code is not None or time.monotonic() > deadline:
                return code
            time.sleep(0.005)


class _Cancellation:
    """How far the cancellation of a call has got: told, then SIGTERM, then SIGKILL."""

    def __init__(self, grace: float) -> None:
        self._grace = grace
        self._deadline: float | None = None
        self._begun = False
        self.forced = False

    def begin(self) -> bool:
        """Whether this is the first time."""
        first, self._begun = not self._begun, True
        if first:
            self._deadline = time.monotonic() + self._grace
        return first

    def seconds_left(self) -> float | None:
        return None if self._deadline is None else max(self._deadline - time.monotonic(), 0)

    def go_on(self, process: Any, running: RunningActivity) -> None:
        """End the process if it is time."""
        if self._deadline is None or time.monotonic() < self._deadline:
            return
        if not self.forced:
            logger.warning(
                "activity %s (id %s) ignores its cancellation: its process %d is ended",
                running.start.activity_type,
                running.start.activity_id,
                process.pid,
            )
            self.forced = True
            process.terminate()
            self._deadline = time.monotonic() + _TERM_GRACE
        else:
            process.kill()
            self._deadline = None


def _how_it_ended(code: int | None) -> str:
    if code is None:
        return "closed its connection"
    killed = hasattr(signal, "SIGKILL") and code == -signal.SIGKILL
    return how_it_ended(code) + (", perhaps by the system for want of memory" if killed else "")
