"""The event loop that all blocking calls of a process run on, in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable

_logger = logging.getLogger(__name__)


class Portal:
    """An event loop in a daemon thread, and the way in for other threads."""

    def __init__(self) -> None:
        """Starts the thread."""
        self._loop = asyncio.new_event_loop()
        self._pid = os.getpid()
        self._thread = threading.Thread(target=self._serve, name="invincible-sync-client", daemon=True)
        self._thread.start()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop."""
        return self._loop

    @property
    def is_here(self) -> bool:
        """Whether the caller is on the portal's own thread, where nothing may block."""
        return self._thread.ident == threading.get_ident()

    def post(self, callback: Callable[[], object]) -> None:
        """Has the loop call something in the caller's context. Does nothing in a forked child, where no loop runs."""
        if self._pid == os.getpid():
            self._loop.call_soon_threadsafe(callback)

    def _serve(self) -> None:
        while True:
            try:
                self._loop.run_forever()
            except BaseException:
                # A task that user code made beside its call may raise SystemExit, which asyncio lets through.
                _logger.exception("a task on the event loop of the blocking client stopped the loop; it goes on")


_current: Portal | None = None
_lock = threading.Lock()
# The loops of parents. They must not be closed, nor collected: they share descriptors with loops that still run.
_inherited: list[Portal] = []


def portal() -> Portal:
    """This process's portal, made at the first call."""
    return _current or _open()


def _open() -> Portal:
    global _current
    with _lock:
        if _current is None:
            _current = Portal()
        return _current


def _forget() -> None:
    """In a forked child: the thread is the parent's, and perhaps the lock is held for ever."""
    global _current, _lock
    _lock = threading.Lock()
    if _current is not None:
        _inherited.append(_current)
        _current = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
