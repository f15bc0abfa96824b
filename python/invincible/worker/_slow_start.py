"""Warnings of a start that takes long, ever more rarely."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

# Seconds until the first warning, and between any two at the most.
FIRST = 10.0
_LONGEST = 300.0


def pauses() -> Iterator[float]:
    """Seconds until the first warning, until the second, ..."""
    pause = FIRST
    while True:
        yield pause
        pause = min(2 * pause, _LONGEST)


class SlowStart:
    """Warns from a thread of its own, as the main one may be importing, until it is ``done``.

    Args:
        warn: Called with the seconds since the start.
    """

    def __init__(self, warn: Callable[[float], None]) -> None:
        self._warn = warn
        self._done = threading.Event()
        threading.Thread(target=self._watch, name="invincible-slow-start", daemon=True).start()

    def done(self) -> None:
        """The start is over."""
        self._done.set()

    def _watch(self) -> None:
        began = time.monotonic()
        for pause in pauses():
            if self._done.wait(pause):
                return
            self._warn(time.monotonic() - began)
