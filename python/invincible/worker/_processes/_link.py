"""A worker process's end of the pipe to its supervisor."""

from __future__ import annotations

import logging
import pickle
import queue
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from ._messages import Logged

_FLUSH_TIMEOUT = 5.0
# Log records that wait to be sent; a supervisor that reads no more must not be what fills the memory.
_CAPACITY = 10_000


class Link:
    """Sends from any thread without waiting, and calls back with what comes.

    Args:
        connection: The pipe.
    """

    def __init__(self, connection: Connection[Any, Any]) -> None:
        self._connection = connection
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._dropped = 0
        self._sender = threading.Thread(target=self._send_all, name="invincible-link-send", daemon=True)
        self._sender.start()

    def send(self, message: object) -> None:
        """Send a message."""
        self._queue.put(pickle.dumps(message))

    def log(self, record: logging.LogRecord) -> None:
        """Send a log record, unless too many wait already."""
        if self._queue.qsize() >= _CAPACITY:
            self._dropped += 1
            return
        self.send(Logged(record))

    def listen(self, on_command: Callable[[Any], None], on_end: Callable[[], None]) -> None:
        """Call back, from a thread, with each command and once when the supervisor is gone."""

        def read() -> None:
            while True:
                try:
                    command = pickle.loads(self._connection.recv_bytes())
                except (EOFError, OSError):
                    on_end()
                    return
                on_command(command)

        threading.Thread(target=read, name="invincible-link-receive", daemon=True).start()

    def close(self) -> None:
        """Send what waits to be sent."""
        self._queue.put(None)
        self._sender.join(_FLUSH_TIMEOUT)

    def _send_all(self) -> None:
        while (message := self._queue.get()) is not None:
            try:
                self._connection.send_bytes(message)
            except OSError:  # the supervisor is gone; its end of the pipe tells the reader
                continue
            if self._dropped:
                dropped, self._dropped = self._dropped, 0
                text = f"{dropped} log records were dropped: they came faster than the supervisor takes them"
                logging.getLogger("invincible.worker").warning(text)
