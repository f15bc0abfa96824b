"""Signals that wake an event loop."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def woken_by_signals(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Have an idle event loop of the main thread run the handlers of ``signal.signal`` when a signal comes.

    One that comes right before the loop begins to wait, or to another thread, would have to wait for its next turn.
    """
    reading, writing = socket.socketpair()
    with reading, writing:
        reading.setblocking(False)
        writing.setblocking(False)
        previous = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
        if previous != -1:
            # Some loops, as that of Windows, see to it themselves.
            signal.set_wakeup_fd(previous)
            yield
            return
        loop.add_reader(reading, reading.recv, 4096)
        try:
            yield
        finally:
            loop.remove_reader(reading)
            signal.set_wakeup_fd(-1)
