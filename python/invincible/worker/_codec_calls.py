"""Calls of a worker's codec and external storage: user code that may take for ever, and must not keep the worker."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

T = TypeVar("T")

# Seconds that a call may still take once the worker shuts down.
_END_TIMEOUT = 5.0


class CodecCalls:
    """Runs calls on the worker's event loop, and ends those that take too long."""

    def __init__(self) -> None:
        self._running: set[asyncio.Future[Any]] = set()
        self._ending = False

    async def run(self, call: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        """The outcome of a call.

        Args:
            call: The call.
            timeout: Seconds it may take; ``None`` for as long as the worker runs.

        Raises:
            TimeoutError: It has taken longer, or still runs while the worker shuts down.
        """
        if self._ending:
            timeout = _END_TIMEOUT if timeout is None else min(timeout, _END_TIMEOUT)
        task = asyncio.ensure_future(call)
        self._running.add(task)
        try:
            await asyncio.wait((task,), timeout=timeout)
        finally:
            self._running.discard(task)
            unfinished = not task.done()
            task.cancel()
        if unfinished:
            raise TimeoutError(f"the payload codec or external storage has not answered within {timeout:g} s")
        if task.cancelled():
            raise TimeoutError("the payload codec or external storage has not answered, and the worker shuts down")
        return task.result()

    def end(self) -> None:
        """Give what runs, and what is still to come, only a little more time: the worker shuts down."""
        self._ending = True
        loop = asyncio.get_running_loop()
        for task in self._running:
            loop.call_later(_END_TIMEOUT, task.cancel)


async def all_of(calls: Sequence[Callable[[], Awaitable[T]]], concurrency: int) -> list[T]:
    """The outcomes of all calls, in order; some of them run at the same time.

    Raises:
        Exception: What one has raised; the others are cancelled.
    """
    if concurrency == 1 or len(calls) == 1:
        return [await call() for call in calls]
    free = asyncio.Semaphore(concurrency)

    async def limited(call: Callable[[], Awaitable[T]]) -> T:
        async with free:
            return await call()

    tasks = [asyncio.ensure_future(limited(call)) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
