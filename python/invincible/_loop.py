"""The event loop's side of native calls: one completion queue per loop resolves the futures of all its calls."""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary, WeakSet

from . import _native

if TYPE_CHECKING:
    from ._native import CompletionQueue, Operation

T = TypeVar("T")


class NativeCall(asyncio.Future[T]):
    """The outcome of a native operation. Cancelling it aborts the operation."""

    _queue: CompletionQueue
    _ticket: int

    def cancel(self, msg: Any | None = None) -> bool:
        """Cancels the future and aborts the work behind it."""
        cancelled = super().cancel(msg)
        if cancelled:
            self._queue.abort(self._ticket)
        return cancelled


def run(operation: Operation[T]) -> asyncio.Future[T]:
    """Starts a native operation for the running event loop."""
    loop = asyncio.get_running_loop()
    call: NativeCall[T] = NativeCall(loop=loop)
    call._queue = completions = _queue_of(loop)
    call._ticket = completions.submit(operation, call)
    _under_way.add(call)
    return call


def queue() -> CompletionQueue:
    """The running event loop's completion queue, for native objects that deliver to callbacks."""
    return _queue_of(asyncio.get_running_loop())


_queues: WeakKeyDictionary[asyncio.AbstractEventLoop, CompletionQueue] = WeakKeyDictionary()
_lock = threading.Lock()
_under_way: WeakSet[NativeCall[Any]] = WeakSet()
# The event loop, if any, that the thread that is forking runs.
_forking: asyncio.AbstractEventLoop | None = None


def _queue_of(loop: asyncio.AbstractEventLoop) -> CompletionQueue:
    found = _queues.get(loop)
    return _open(loop) if found is None else found


def _open(loop: asyncio.AbstractEventLoop) -> CompletionQueue:
    with _lock:
        # Nobody tells when a loop is closed. Calls that were under way then would keep it for ever.
        for closed in [known for known in _queues if known.is_closed()]:
            _queues.pop(closed).close()
        completions = _watched_by_loop(loop) or _watched_by_thread(loop)
        _queues[loop] = completions
    return completions


def _watched_by_loop(loop: asyncio.AbstractEventLoop) -> CompletionQueue | None:
    """None if the loop cannot watch a socket: the default loop of Windows cannot."""
    try:
        completions = _native.CompletionQueue(poll=True)
        loop.add_reader(completions.fileno(), completions.drain)
    except NotImplementedError:
        return None
    return completions


def _watched_by_thread(loop: asyncio.AbstractEventLoop) -> CompletionQueue:
    completions = _native.CompletionQueue(poll=False)

    def watch() -> None:
        while completions.wait():
            try:
                loop.call_soon_threadsafe(completions.drain)
            except RuntimeError:  # the loop is closed
                return

    threading.Thread(target=watch, name="invincible-completions", daemon=True).start()
    return completions


def _close_all() -> None:
    for completions in list(_queues.values()):
        completions.close()
    _queues.clear()


def _before_fork() -> None:
    global _forking
    try:
        _forking = asyncio.get_running_loop()
    except RuntimeError:
        _forking = None


def _forget_fork() -> None:
    global _forking
    _forking = None


def _after_fork() -> None:
    """In a forked child: the queues, and perhaps the lock, belong to the threads of the parent, and so do the calls."""
    global _lock, _queues, _under_way
    _lock = threading.Lock()
    _queues = WeakKeyDictionary()
    calls, _under_way = list(_under_way), WeakSet()
    forked = _forking
    _forget_fork()
    for call in calls:
        # The loop goes on in the child, and whoever waits there for a call of the parent would wait for ever.
        if call.get_loop() is forked and not call.done():
            call.set_exception(
                RuntimeError(
                    "this call was made before the process was forked: create a new Client and Runtime after fork"
                )
            )


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_forget_fork, after_in_child=_after_fork)
