"""Waiting for what has to come to its end, and for what need not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

T = TypeVar("T")


async def uninterrupted(work: Awaitable[Any]) -> None:
    """Wait for the work even if the waiting task is cancelled; the cancellation comes after it."""
    work = asyncio.ensure_future(work)
    cancelled = None
    while not work.done():
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError as error:
            if work.cancelled():
                raise
            cancelled = error
    work.result()
    if cancelled is not None:
        raise cancelled


async def unless(stop: asyncio.Event, work: Awaitable[T]) -> T | None:
    """The result of the work; ``None`` if the event was set before, and the work is cancelled."""
    working, stopped = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    await asyncio.wait((working, stopped), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if working.done():
        return await working
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    return None
