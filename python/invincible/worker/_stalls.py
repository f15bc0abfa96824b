"""The thread that watches over the workers of a process: whether Python runs, event loops turn, and work moves.

It tells the bridge each time that Python runs. If that word does not come, because something holds the GIL, the bridge
has the stacks of all threads written by a signal that ``faulthandler`` handles without Python.
"""

from __future__ import annotations

import faulthandler
import math
import os
import signal
import sys
import threading
import time
import traceback
from typing import Protocol

from ._failures import logger

# Bounds of the time between two looks, in seconds, and looks within what is to be noticed.
_SHORTEST_TICK, _LONGEST_TICK = 0.01, 1.0
_LOOKS = 4


class Watched(Protocol):
    """What is looked at.

    Attributes:
        tick: Seconds between two looks.
    """

    tick: float

    def look(self, seconds: float) -> None:
        """Count the time since the last look, which is never much more than ``tick``."""


def tick_for(*limits: float | None) -> float:
    """Seconds between looks that notice, in time, what takes so many seconds."""
    shortest = min((limit for limit in limits if limit is not None), default=math.inf)
    return min(max(shortest / _LOOKS, _SHORTEST_TICK), _LONGEST_TICK)


class Watcher:
    """The thread; it runs while there is something to look at."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._watched: tuple[Watched, ...] = ()
        self._thread: threading.Thread | None = None

    def forget(self) -> None:
        """In a forked child: the thread, and what it looks at, belong to the parent."""
        self._changed = threading.Condition()
        self._watched = ()
        self._thread = None

    def add(self, watched: Watched) -> None:
        with self._changed:
            self._watched += (watched,)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="invincible-health", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def remove(self, watched: Watched) -> None:
        with self._changed:
            self._watched = tuple(each for each in self._watched if each is not watched)
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._watched:
                    self._thread = None
                    return
                tick = min(each.tick for each in self._watched)
                began = time.monotonic()
                self._changed.wait(tick)
                watched = self._watched
            # A process that was stopped, or that something kept from running, has not waited for anything.
            passed = min(time.monotonic() - began, 2 * tick)
            for each in watched:
                try:
                    each.look(passed)
                except Exception:  # the others are to be watched on
                    logger.exception("the watch over a worker failed")


watcher = Watcher()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=watcher.forget)


def stacks() -> str:
    """The stacks of all threads, as a traceback shows them."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    own = threading.get_ident()
    parts = []
    for thread_id, frame in sys._current_frames().items():
        if thread_id != own:
            name = names.get(thread_id, "unknown")
            parts.append(f"Thread {name!r} ({thread_id:#x}):\n{''.join(traceback.format_stack(frame))}")
    return "\n".join(parts)


_dump_signal: int | None = None
_lock = threading.Lock()


def dump_signal() -> int | None:
    """A signal that has the stacks of all threads written to standard error, without Python; ``None`` if there is none.

    It is a real-time signal that nobody else uses, so that neither handlers of the program nor timers of
    ``faulthandler`` that others have set are touched.
    """
    global _dump_signal
    with _lock:
        if _dump_signal is None:
            free = _free_signal()
            if free is not None:
                faulthandler.register(free, file=2, all_threads=True)
                _dump_signal = free
        return _dump_signal


def _free_signal() -> int | None:
    if not hasattr(faulthandler, "register") or not hasattr(signal, "SIGRTMAX"):
        return None
    candidates = range(signal.SIGRTMAX - 3, signal.SIGRTMIN, -1)
    return next((number for number in candidates if signal.getsignal(number) is signal.SIG_DFL), None)
