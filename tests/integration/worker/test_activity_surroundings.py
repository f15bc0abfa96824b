"""What surrounds an activity and is not its own: context variables, event loops, logging of the program."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

import pytest

from invincible import activity
from invincible.client import ActivityFailureError, Client
from invincible.common import RetryPolicy
from invincible.worker import Worker

LIMIT = 60.0
ONCE = RetryPolicy(maximum_attempts=1)

tenant: ContextVar[str] = ContextVar("tenant", default="nobody")


@activity.defn
def on_thread(name: str) -> str:
    before = tenant.get()
    tenant.set(name)
    return before


@activity.defn
async def on_loop(name: str) -> str:
    before = tenant.get()
    tenant.set(name)
    return before


@activity.defn
def with_own_loop() -> str:
    async def gives_up() -> str:
        try:
            await asyncio.wait_for(activity.wait_for_worker_shutdown(), 0.01)
        except asyncio.TimeoutError:
            return "gave up"
        return "the worker ends"

    return asyncio.run(gives_up())


@activity.defn
def fails_on_thread(name: str) -> None:
    raise LookupError(name)


@activity.defn
async def fails_on_loop(name: str) -> None:
    raise LookupError(name)


ALL: list[Any] = [on_thread, on_loop, with_own_loop, fails_on_thread, fails_on_loop]


async def run(client: Client, target: Any, *args: Any, task_queue: str) -> Any:
    result = client.execute_activity(
        target,
        args=args,
        id=str(uuid.uuid4()),
        task_queue=task_queue,
        start_to_close_timeout=timedelta(seconds=LIMIT),
        retry_policy=ONCE,
    )
    return await asyncio.wait_for(result, LIMIT)


@pytest.mark.parametrize("own_threads", [True, False])
@pytest.mark.parametrize("target", [on_thread, on_loop])
async def test_context_variables_are_those_of_the_worker_and_of_no_other_activity(
    client: Client, task_queue: str, target: Any, own_threads: bool
) -> None:
    with ThreadPoolExecutor(1) as executor:
        worker = Worker(
            client,
            task_queue=task_queue,
            activities=ALL,
            activity_executor=None if own_threads else executor,
            max_concurrent_activities=1,
        )
        token = tenant.set("the worker")
        async with worker:
            tenant.reset(token)
            assert [await run(client, target, name, task_queue=task_queue) for name in "abc"] == ["the worker"] * 3


async def test_a_worker_ends_after_an_activity_that_closed_a_loop_of_its_own(client: Client, task_queue: str) -> None:
    worker = Worker(client, task_queue=task_queue, activities=ALL)
    running = asyncio.create_task(worker.run())
    assert await run(client, with_own_loop, task_queue=task_queue) == "gave up"
    await asyncio.wait_for(worker.shutdown(), LIMIT)
    await running


class BrokenHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        raise OSError("no space left on device")


@pytest.fixture
def broken_logging() -> Iterator[None]:
    handler = BrokenHandler()
    logger = logging.getLogger("invincible.worker")
    logger.addHandler(handler)
    yield
    logger.removeHandler(handler)


@pytest.mark.parametrize("target", [fails_on_thread, fails_on_loop])
async def test_logging_that_raises_keeps_no_activity_from_ending(
    client: Client, task_queue: str, target: Any, broken_logging: None, capsys: pytest.CaptureFixture[str]
) -> None:
    async with Worker(client, task_queue=task_queue, activities=ALL, max_concurrent_activities=1):
        for _ in range(2):
            with pytest.raises(ActivityFailureError) as raised:
                await run(client, target, "the end is told", task_queue=task_queue)
            assert "the end is told" in str(raised.value.__cause__)
    assert "no space left on device" in capsys.readouterr().err
