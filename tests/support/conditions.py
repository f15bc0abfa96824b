"""Waiting for what another process brings about."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(probe: Callable[[], Awaitable[T | None]], *, what: str, timeout: float = 30) -> T:
    """Ask `probe` again and again until its answer is truthy, and return that.

    An assertion that fails inside `probe` counts as "not yet", and is shown as the cause if it never holds.
    `what` says in the error what was waited for.

    Raises:
        AssertionError: `timeout` seconds passed first.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    while True:
        answer: T | None = None
        not_yet: Exception | None = None
        try:
            answer = await asyncio.wait_for(probe(), max(deadline - loop.time(), 0.1))
        except (AssertionError, asyncio.TimeoutError) as error:
            not_yet = error
        if answer:
            return answer
        if loop.time() >= deadline:
            raise AssertionError(f"not within {timeout} s: {what}") from not_yet
        await asyncio.sleep(0.02)
