"""The guide to signals, queries and updates, followed; and what its tables say, tried."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from invincible import workflow
from invincible.client import Client, WorkflowQueryFailedError, WorkflowUpdateFailedError
from invincible.converter import ArgumentError
from invincible.exceptions import ApplicationError
from invincible.service import RPCError, RPCStatusCode
from invincible.worker import Worker
from tests.support.guide_sessions import follow


async def test_the_page_prints_what_it_says(guide_server: str) -> None:
    await follow("messages.md", address=guide_server, namespace="messages", task_queue="shop")


@workflow.defn
class Counter:
    def __init__(self) -> None:
        self.value = 0
        self.done = False

    @workflow.run
    async def run(self) -> int:
        await workflow.wait_condition(lambda: self.done)
        return self.value

    @workflow.signal
    def add(self, number: int) -> None:
        self.value += number

    @workflow.signal
    def end(self) -> None:
        self.done = True

    @workflow.query
    def at_least(self, number: int) -> bool:
        if number < 0:
            raise ValueError("negative")
        return self.value >= number

    @workflow.update
    async def until(self, number: int) -> int:
        await workflow.wait_condition(lambda: self.value >= number)
        return self.value

    @workflow.update
    def refuse(self) -> None:
        raise ApplicationError("not today", type="Refused")


async def test_messages_that_nobody_takes(client: Client, task_queue: str, caplog: pytest.LogCaptureFixture) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[Counter]):
        handle = await client.start_workflow(Counter.run, id=task_queue, task_queue=task_queue)
        with caplog.at_level(logging.ERROR):
            await handle.signal("add", "not a number")
            await handle.signal("unheard of", 1)
            await handle.signal(Counter.add, 1)
            assert await handle.query(Counter.at_least, 1)
        [dropped] = [record.getMessage() for record in caplog.records if record.name.startswith("invincible")]
        assert "signal 'add'" in dropped
        assert "is dropped" in dropped

        values: list[Any]
        for name, values, why in (
            ("sink", [], "its updates are: refuse, until"),
            ("until", ["many"], "update 'until', argument number: expected int"),
            ("refuse", [], "not today"),
        ):
            with pytest.raises(WorkflowUpdateFailedError) as update:
                await handle.execute_update(name, args=values)
            assert why in str(update.value.cause)
        for name, values, why in (
            ("sink", [], "its queries are: at_least"),
            ("at_least", ["many"], "query 'at_least', argument number: expected int"),
            ("at_least", [-1], "negative"),
        ):
            with pytest.raises(WorkflowQueryFailedError, match=why):
                await handle.query(name, args=values)
        with pytest.raises(ArgumentError, match="2 positional arguments were given"):
            await handle.signal(Counter.add, args=[1, 2])
        await handle.signal(Counter.end)
        assert await handle.result() == 1

        assert await handle.query(Counter.at_least, 1), "closed workflows are queried as well"
        for message in (handle.signal(Counter.end), handle.execute_update(Counter.until, 1)):
            with pytest.raises(RPCError) as call:
                await message
            assert call.value.status is RPCStatusCode.NOT_FOUND
