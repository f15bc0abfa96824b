"""``wait`` and ``as_completed`` with an order that is the same on every replay."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from invincible._engine.context import current_run

T = TypeVar("T")
F = TypeVar("F", bound="asyncio.Future[Any]")


async def wait(
    fs: Iterable[F], *, timeout: float | None = None, return_when: str = asyncio.ALL_COMPLETED
) -> tuple[list[F], list[F]]:
    """``asyncio.wait``, whose results are lists in the order of ``fs``.

    Args:
        fs: Tasks, handles of activities and child workflows, other futures.
        timeout: Seconds after which the wait ends.
        return_when: ``asyncio.FIRST_COMPLETED``, ``FIRST_EXCEPTION`` or ``ALL_COMPLETED``.

    Returns:
        Those that are done, and those that are not.

    Raises:
        TypeError: one of them is a coroutine: make it a task.
        ValueError: there are none, or ``return_when`` is none of the three.
    """
    current_run()
    futures = list(fs)
    for each in futures:
        if asyncio.iscoroutine(each):
            raise TypeError(
                "workflow.wait takes tasks and futures, not coroutines: make it a task by asyncio.create_task"
            )
    done, _ = await asyncio.wait(set(futures), timeout=timeout, return_when=return_when)
    return [each for each in futures if each in done], [each for each in futures if each not in done]


def as_completed(fs: Iterable[Awaitable[T]], *, timeout: float | None = None) -> Iterator[Awaitable[T]]:
    """``asyncio.as_completed``, with coroutines started in the order of ``fs``.

    Args:
        fs: Coroutines, tasks, handles, other futures.
        timeout: Seconds after which awaiting the next one raises.

    Raises:
        asyncio.TimeoutError: not all were done in time; raised where one is awaited.

    Example:
        for next_done in workflow.as_completed([charge.start(order) for order in orders]):
            receipt = await next_done
    """
    current_run()
    futures: Sequence[asyncio.Future[T]] = [asyncio.ensure_future(each) for each in dict.fromkeys(fs)]
    return iter(asyncio.as_completed(futures, timeout=timeout))
