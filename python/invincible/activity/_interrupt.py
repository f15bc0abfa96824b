"""``CancelledError`` in the middle of a ``def`` activity, raised by another thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

from invincible.exceptions import CancelledError

T = TypeVar("T")


class ThreadInterrupt:
    """Raises ``CancelledError`` once in the thread that an activity runs on, and never in what that thread does next.

    The interpreter raises it as soon as the thread runs Python code again: a call of C code, ``time.sleep`` say, is
    not cut short. At most one is ever sent, and what was sent but has not arrived can be taken back; both ``call`` and
    shields rely on that. As a context manager it is a shield.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: int | None = None
        self._shields = 0
        self._requested = False
        self._sent = False
        self._arrived = False

    def request(self) -> None:
        """Interrupt the activity, as soon as it runs and is not shielded. On any thread; a second time does nothing."""
        with self._lock:
            self._requested = True
            if self._thread is not None and not self._shields and not self._sent:
                self._sent = True
                _raise_in_thread(self._thread, self._error_class())

    def call(self, function: Callable[[], T]) -> T:
        """Call a function on this thread, interruptible.

        Raises:
            CancelledError: the interrupt was requested before, or has arrived and the function has let it through.
        """
        try:
            try:
                self._begin()
                return function()
            finally:
                self._end()
        except BaseException:
            # The interrupt may have arrived before `_end` was done. As there is only one, nothing disturbs it now.
            self._end()
            raise

    def _begin(self) -> None:
        with self._lock:
            if self._requested:
                self._sent = self._arrived = True
                raise CancelledError
            self._thread = threading.get_ident()

    def _end(self) -> None:
        with self._lock:
            if self._thread is not None:
                self._take_back()
                self._thread = None

    def __enter__(self) -> None:
        """Begin a shield; on another thread than the activity's it means nothing."""
        if threading.get_ident() != self._thread:
            return
        with self._lock:
            # The interrupt may arrive until it is taken back, so that the shield counts from then on.
            self._take_back()
            self._shields += 1

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if threading.get_ident() != self._thread:
            return
        with self._lock:
            self._shields -= 1
            if self._shields or not self._requested or self._sent:
                return
            self._sent = self._arrived = True
        raise CancelledError

    def _take_back(self) -> None:
        if self._sent and not self._arrived:
            _raise_in_thread(threading.get_ident(), None)
            self._sent = self._arrived

    def _error_class(self) -> type[CancelledError]:
        """The interpreter takes a class, and makes its object when the error arrives."""

        def __init__(error: CancelledError, *args: Any) -> None:
            self._arrived = True
            CancelledError.__init__(error, *args)

        def __reduce__(error: CancelledError) -> tuple[type[CancelledError], tuple[Any, ...]]:
            return CancelledError, error.args

        members = {
            "__init__": __init__,
            "__reduce__": __reduce__,
            "__module__": CancelledError.__module__,
            "__qualname__": CancelledError.__qualname__,
        }
        return type("CancelledError", (CancelledError,), members)


def _raise_in_thread(thread: int, error: type[BaseException] | None) -> None:
    import ctypes

    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), None if error is None else ctypes.py_object(error)
    )
