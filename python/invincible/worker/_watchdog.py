"""The watchdog: sees workflow code that does not yield, and gets the thread out of it.

One thread of the process looks at all workflow threads, a few times within their budget. It costs them an append and a
pop of a list for each activation: who pops, the workflow thread at the end of the activation or the watchdog, decides
whose the activation is.

Time counts in ticks, each at most its own length, so that a process that was stopped or a machine that is busy eats up
no budget. Time in a debugger does not count, and conversion of payloads counts little.
"""

from __future__ import annotations

import linecache
import math
import os
import sys
import threading
import time
import types
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import invincible.converter
from invincible._engine.explain import Site, user_frame
from invincible.exceptions import TemporalError

from ._watcher import Watcher

_CONVERTER = os.path.dirname(os.path.abspath(invincible.converter.__file__)) + os.sep
_WORKER = os.path.dirname(os.path.abspath(__file__)) + os.sep
_DEBUGGERS = ("pydevd", "debugpy", "_pydev_")
_DEBUGGER_FILES = frozenset({"bdb.py", "pdb.py"})
# Conversion takes as long as payloads are big; but it must not take for ever either.
_CONVERTER_WEIGHT = 0.1

# Looks within a budget, and bounds of the time between two, in seconds.
_LOOKS = 20
_SHORTEST_TICK, _LONGEST_TICK = 0.005, 0.1
# CPU seconds in a tick below which a thread waits rather than works.
_IDLE = 0.0002
# Seconds after which a thread that an interrupt does not get out of workflow code is given up.
_PATIENCE = 0.5


class DeadlockError(TemporalError):
    """Workflow code did not yield within its budget: it loops, blocks, or computes for too long."""


class WorkflowInterrupt(KeyboardInterrupt):
    """Raised in the middle of workflow code that has overrun its budget; nothing of the run counts any more."""


class OverrunError(Exception):
    """The activation that has just ended had overrun its budget, and has been answered."""


class Watch:
    """What the watchdog has to know of one workflow thread.

    Args:
        tick: Longest time between two looks, in seconds.
        budget: The budget of what the thread does, in seconds; called by the watchdog, like all that follows.
        on_overrun: Answers what has overrun its budget in place of the thread; gets it and the thread's frame.
        on_stuck: The thread does not come back from what has overrun its budget.

    Attributes:
        armed: What runs in workflow code, a new object each time. The thread appends it before and calls ``disarm``
            after.
        superseded: The thread was given up: it must end when it comes back.
    """

    def __init__(
        self,
        tick: float,
        budget: Callable[[Any], float],
        on_overrun: Callable[[Any, types.FrameType | None], None],
        on_stuck: Callable[[Any], None],
    ) -> None:
        self.armed: list[Any] = []
        self.superseded = False
        self.tick = tick
        self._budget = budget
        self._on_overrun = on_overrun
        self._on_stuck = on_stuck
        self._thread_id = 0
        self._cpu_clock: int | None = None
        self._lock = threading.Lock()
        self._overrun: Any = None
        self._since_overrun = 0.0
        self._seen: Any = None
        self._spent = 0.0
        self._cpu = 0.0

    # On the workflow thread

    def begin(self) -> None:
        """The calling thread is the one to watch."""
        self._thread_id = threading.get_ident()
        if hasattr(time, "pthread_getcpuclockid"):
            self._cpu_clock = time.pthread_getcpuclockid(self._thread_id)

    def disarm(self) -> None:
        """Workflow code has ended.

        Raises:
            OverrunError: it has overrun its budget, and somebody else has answered.
        """
        try:
            self.armed.pop()
        except IndexError:
            if self.leave():
                raise OverrunError from None

    def leave(self) -> bool:
        """Make sure that no interrupt comes after workflow code; whether it has overrun its budget."""
        overrun = False
        while True:
            try:
                with self._lock:
                    if self._overrun is not None:
                        overrun = True
                        _interrupt(self._thread_id, None)
                        self._overrun = None
                    self.armed.clear()
                return overrun
            except WorkflowInterrupt:
                continue

    # On the watchdog

    def look(self, seconds: float, *, prompt: bool) -> None:
        """Count the time since the last look, ``prompt`` if nothing kept the watchdog from looking when it should."""
        if self._overrun is not None:
            self._press(seconds)
            return
        try:
            armed = self.armed[-1]
        except IndexError:
            self._seen = None
            return
        cpu = self._cpu_seconds()
        if armed is not self._seen:
            self._seen, self._spent, self._cpu = armed, 0.0, cpu
            return
        worked, self._cpu = cpu - self._cpu, cpu
        frame = sys._current_frames().get(self._thread_id)
        # Among busy threads, a thread works for a part of the time only: that part counts, if it is known.
        if not prompt and self._cpu_clock is not None and worked > _IDLE:
            seconds = min(seconds, worked)
        self._spent += seconds * _weight(frame)
        if self._spent >= self._budget(armed):
            self._claim(armed)

    def _claim(self, armed: Any) -> None:
        with self._lock:
            try:
                claimed = self.armed.pop()
            except IndexError:
                return
            if claimed is not armed:
                self.armed.append(claimed)
                return
            self._overrun = armed
        self._since_overrun = 0.0
        self._seen = None
        self._on_overrun(armed, sys._current_frames().get(self._thread_id))
        self._press(0.0)

    def _press(self, seconds: float) -> None:
        with self._lock:
            if self._overrun is None:
                return
            _interrupt(self._thread_id, WorkflowInterrupt)
            self._since_overrun += seconds
            if self.superseded or self._since_overrun < _PATIENCE:
                return
            self.superseded = True
            stuck = self._overrun
        self._on_stuck(stuck)

    def _cpu_seconds(self) -> float:
        if self._cpu_clock is None:
            return 0.0
        try:
            return time.clock_gettime(self._cpu_clock)
        except OSError:  # the thread has ended
            return 0.0


watchdog = Watcher("invincible-watchdog")


def deadlock_timeout_seconds(timeout: timedelta | None, *, debug_mode: bool) -> float | None:
    """The budget in seconds, infinite if there is none; ``None`` in debug mode, where nothing is watched at all.

    Raises:
        ValueError: it is not positive.
    """
    if debug_mode or os.environ.get("TEMPORAL_DEBUG"):
        return None
    if timeout is None:
        return math.inf
    if timeout <= timedelta():
        raise ValueError(f"deadlock_timeout must be positive, not {timeout}: None turns the watchdog off")
    return timeout.total_seconds()


def tick_for(budget: float) -> float:
    """Seconds between two looks at a thread with this budget, in seconds."""
    return min(max(budget / _LOOKS, _SHORTEST_TICK), _LONGEST_TICK)


def deadlock_error(workflow: str, budget: float, frame: types.FrameType | None) -> DeadlockError:
    """The error of a workflow whose code is in this frame, with the stack as its traceback.

    Args:
        workflow: Its type and id, as a message names it.
        budget: What it has overrun, in seconds.
        frame: The innermost frame of the thread.
    """
    message = f"[TMPRL1101] Potential deadlock detected: workflow {workflow} did not yield within {budget:g} s"
    place = user_frame(frame)
    if place is not None:
        path, line = place.f_code.co_filename, place.f_lineno
        message += f"; it is at {Site(place.f_code, place.f_lasti)}: {linecache.getline(path, line).strip()}"
    return DeadlockError(message).with_traceback(_traceback(frame))


def _traceback(frame: types.FrameType | None) -> types.TracebackType | None:
    """The stack of a thread within the engine, as if an exception had come up it."""
    traceback = None
    while frame is not None and not frame.f_code.co_filename.startswith(_WORKER):
        traceback = types.TracebackType(traceback, frame, frame.f_lasti, frame.f_lineno)
        frame = frame.f_back
    return traceback


_weights: dict[str, float] = {}


def _weight(frame: types.FrameType | None) -> float:
    """How much of the time in code with this stack counts."""
    weight = 1.0
    while frame is not None:
        path = frame.f_code.co_filename
        known = _weights.get(path)
        if known is None:
            known = _weights[path] = _weight_of(path)
        weight = min(weight, known)
        frame = frame.f_back
    return weight


def _weight_of(path: str) -> float:
    if os.path.basename(path) in _DEBUGGER_FILES or any(name in path for name in _DEBUGGERS):
        return 0.0
    return _CONVERTER_WEIGHT if path.startswith(_CONVERTER) else 1.0


def _interrupt(thread_id: int, exception: type[BaseException] | None) -> None:
    """Have the exception raised in the thread, when it next runs Python code; ``None`` takes it back."""
    import ctypes

    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread_id), None if exception is None else ctypes.py_object(exception)
    )
