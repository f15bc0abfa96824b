"""Waiting for what has to come to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any


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
