"""A server that is gone for a while, under load: every workflow ends as it should, and the worker is the same one."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from invincible import activity, workflow
from invincible.client import Client, WorkflowHandle
from invincible.common import RetryPolicy
from invincible.worker import Worker, _lost_server
from tests.support.conditions import eventually
from tests.support.relay import relay
from tests.support.server import server_process

RUNS = 20
STEPS = 5
LIMIT = 60.0
# When the server gives a task again whose outcome, or whose poll, was lost.
SOON = timedelta(seconds=1)

completed: Counter[str] = Counter()


@pytest.fixture(autouse=True)
def _nothing_completed() -> None:
    completed.clear()


# What the server did not hear of is tried again after the timeout.
@activity.defn(
    start_to_close_timeout=timedelta(seconds=2), retry_policy=RetryPolicy(maximum_interval=timedelta(seconds=1))
)
async def step(number: int) -> int:
    completed[f"{activity.info().workflow_id} {number}"] += 1
    return number


@workflow.defn
async def steps() -> int:
    total = 0
    for number in range(STEPS):
        await workflow.sleep(0.2)
        total += await step.execute(number)
    return total


class Load:
    """Workflows that are under way, on a worker of their own.

    Args:
        client: Where they run.
        task_queue: Task queue of the worker.
    """

    def __init__(self, client: Client, task_queue: str) -> None:
        self._client = client
        self._task_queue = task_queue
        self.worker = Worker(
            client,
            task_queue=task_queue,
            workflows=[steps],
            activities=[step],
            sticky_queue_schedule_to_start_timeout=SOON,
        )
        self._handles: list[WorkflowHandle[object, int]] = []

    async def start(self) -> None:
        """Start the workflows, and return when they have begun to work."""
        for number in range(RUNS):
            handle = await self._client.start_workflow(
                steps, id=f"{self._task_queue}-{number}", task_queue=self._task_queue, task_timeout=SOON
            )
            self._handles.append(handle)

        async def working() -> bool:
            return sum(completed.values()) > RUNS

        await eventually(working, what="the workflows work")

    async def end(self) -> None:
        """Have all workflows end, each with all its steps."""
        results = await asyncio.wait_for(asyncio.gather(*(handle.result() for handle in self._handles)), LIMIT)
        assert results == [sum(range(STEPS))] * RUNS
        assert len(completed) == RUNS * STEPS
        assert self.worker.is_running


@pytest.mark.parametrize("loses", ["packets", "connections"])
async def test_a_network_that_is_gone_for_a_while(task_queue: str, address: str, loses: str) -> None:
    async with relay(address) as way:
        load = Load(await Client.connect(way.address), task_queue)
        async with load.worker:
            await load.start()
            way.pause()
            before = sum(completed.values())
            assert before < RUNS * STEPS
            if loses == "connections":
                await way.cut()
            await asyncio.sleep(1)  # for so long there is no network
            way.resume()
            await load.end()


async def test_a_server_that_is_killed_and_started_again(task_queue: str, tmp_path: Path) -> None:
    database = tmp_path / "temporal.db"
    async with server_process(database=database) as first:
        load = Load(await Client.connect(first.address), task_queue)
        async with load.worker:
            await load.start()
            await first.program.kill()
            assert sum(completed.values()) < RUNS * STEPS
            async with server_process(address=first.address, database=database):
                await load.end()
                await load.worker.shutdown()


@pytest.mark.skipif(sys.platform != "linux", reason="needs limits of other processes")
async def test_a_server_whose_disk_is_full_for_a_while(task_queue: str, tmp_path: Path) -> None:
    import resource

    database = tmp_path / "temporal.db"
    async with server_process(database=database) as server:
        load = Load(await Client.connect(server.address), task_queue)
        async with load.worker:
            await load.start()
            _, hard = resource.prlimit(server.program.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(server.program.pid, resource.RLIMIT_FSIZE, (4096, hard))
            before = sum(completed.values())
            await asyncio.sleep(1)  # for so long nothing can be written
            assert before <= sum(completed.values()) < RUNS * STEPS
            resource.prlimit(server.program.pid, resource.RLIMIT_FSIZE, (hard, hard))
            await load.end()


async def test_a_worker_ends_though_its_server_is_gone(
    task_queue: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Core itself would wait for its polls until the server is back."""
    monkeypatch.setattr(_lost_server, "_PATIENCE", 0.2)
    async with server_process() as server:
        load = Load(await Client.connect(server.address), task_queue)
        run = asyncio.ensure_future(load.worker.run())
        await load.start()
        await server.program.kill()
        await asyncio.wait_for(load.worker.shutdown(), LIMIT)
        await run
    assert "the worker ends with its polls open" in caplog.text


async def test_a_server_that_was_gone_when_the_worker_was_told_to_end_is_told_again(
    task_queue: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Otherwise it would hold the polls, which it gets once it is back, for a minute."""
    monkeypatch.setattr(_lost_server, "_PATIENCE", 1.0)
    monkeypatch.setattr(_lost_server, "_MISSES", 1000)
    database = tmp_path / "temporal.db"
    async with server_process(database=database) as first:
        load = Load(await Client.connect(first.address), task_queue)
        run = asyncio.ensure_future(load.worker.run())
        await load.start()
        await first.program.kill()
        ending = asyncio.ensure_future(load.worker.shutdown())
        async with server_process(address=first.address, database=database):
            await asyncio.wait_for(ending, LIMIT / 2)
            await run
