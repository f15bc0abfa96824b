"""Calls of the async client from fixtures and hooks, which block."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from invincible.client._sync.portal import portal

T = TypeVar("T")


def wait_for(work: Coroutine[Any, Any, T], timeout: float) -> T:
    """Does the work on the event loop of the blocking clients, whether or not an event loop runs here.

    Args:
        work: The work.
        timeout: Seconds that it may take.

    Raises:
        TimeoutError: It takes longer.
    """
    return asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, timeout), portal().loop).result()
