"""Threads that look at what has no time to look at itself."""

from __future__ import annotations

import os
import threading
import time
from typing import Protocol

from ._failures import logger

# Seconds that a look may come late and count as prompt.
_PROMPT = 0.003


class Watched(Protocol):
    """What is looked at.

    Attributes:
        tick: Seconds between two looks.
    """

    tick: float

    def look(self, seconds: float, *, prompt: bool) -> None:
        """Count the time since the last look, never more than a tick: a process that was stopped, or that something
        kept from running, has not waited for anything. ``prompt`` if nothing kept the thread from looking in time."""


class Watcher:
    """A thread that looks; it runs while there is something to look at.

    Args:
        thread: What to call the thread.
    """

    def __init__(self, thread: str) -> None:
        self._name = thread
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin)
        self._begin()

    def _begin(self) -> None:
        """In a forked child, too: the thread, and what it looks at, belong to the parent."""
        self._changed = threading.Condition()
        self._watched: tuple[Watched, ...] = ()
        self._thread: threading.Thread | None = None

    def add(self, watched: Watched) -> None:
        with self._changed:
            self._watched += (watched,)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
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
            passed = time.monotonic() - began
            for each in watched:
                try:
                    each.look(min(passed, tick), prompt=passed < tick + _PROMPT)
                except Exception:  # the others are to be watched on
                    logger.exception("thread %s has failed to watch over a worker", self._name)
