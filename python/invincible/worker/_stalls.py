"""The thread that watches over the workers of a process: whether Python runs, event loops turn, and work moves.

It tells the bridge each time that Python runs. If that word does not come, because something holds the GIL, the bridge
has the stacks of all threads written by a signal that ``faulthandler`` handles without Python.
"""

from __future__ import annotations

import faulthandler
import math
import signal
import sys
import threading
import traceback

from ._watcher import Watcher

# Bounds of the time between two looks, in seconds, and looks within what is to be noticed.
_SHORTEST_TICK, _LONGEST_TICK = 0.01, 1.0
_LOOKS = 4


def tick_for(*limits: float | None) -> float:
    """Seconds between looks that notice, in time, what takes so many seconds."""
    shortest = min((limit for limit in limits if limit is not None), default=math.inf)
    return min(max(shortest / _LOOKS, _SHORTEST_TICK), _LONGEST_TICK)


# Apart from the one that watches workflow code, which writes no stacks and so is never late.
watcher = Watcher("invincible-health")


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
