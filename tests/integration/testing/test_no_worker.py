"""Waits for what no worker does: a test is told, instead of waiting for ever."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta

import pytest

from invincible import workflow
from invincible.client import Client, NoWorkerError, PendingActivityState, _unserved
from invincible.testing import mock_activity
from invincible.worker import Worker
from tests.support.conditions import eventually

LIMIT = 60.0
SOON = timedelta(seconds=20)


@workflow.defn
async def asks(task_queue: str | None = None) -> str:
    answer: str = await workflow.execute_activity("answer", task_queue=task_queue, start_to_close_timeout=SOON)
    return answer


@workflow.defn
async def parent(task_queue: str) -> str:
    answer: str = await workflow.execute_child_workflow("asks", task_queue=task_queue, id=f"child-of-{task_queue}")
    return answer


@workflow.defn
class Updated:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.update
    async def change(self) -> None: ...


@pytest.fixture
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_unserved, "_PATIENCE", 0.0)


@pytest.fixture
def id() -> str:
    return f"no-worker-{uuid.uuid4()}"


@pytest.mark.usefixtures("no_patience")
async def test_a_workflow_on_a_task_queue_that_nobody_polls(client: Client, task_queue: str, id: str) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[asks]):
        with pytest.raises(NoWorkerError) as raised:
            await asyncio.wait_for(client.execute_workflow(asks, id=id, task_queue=f"{task_queue}s"), LIMIT)
    assert str(raised.value) == (
        f"workflow {id!r} waits on task queue '{task_queue}s', and no worker polls that for workflows: is it the name "
        "that the worker has, and does the worker run?"
    )
    assert (raised.value.workflow_id, raised.value.task_queue) == (id, f"{task_queue}s")


@pytest.mark.usefixtures("no_patience")
async def test_an_activity_that_no_worker_is_there_for(client: Client, task_queue: str, id: str) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[asks]):
        with pytest.raises(NoWorkerError, match=f"waits for activity 'answer' on task queue '{task_queue}'") as raised:
            await asyncio.wait_for(client.execute_workflow(asks, id=id, task_queue=task_queue), LIMIT)
    assert raised.value.activity_type == "answer"


@pytest.mark.usefixtures("no_patience")
async def test_a_child_workflow_that_nobody_runs(client: Client, task_queue: str, id: str) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[parent]):
        with pytest.raises(NoWorkerError) as raised:
            await asyncio.wait_for(
                client.execute_workflow(parent, f"{task_queue}s", id=id, task_queue=task_queue), LIMIT
            )
    assert raised.value.workflow_id == f"child-of-{task_queue}s"


@pytest.mark.usefixtures("no_patience")
async def test_an_update_that_nobody_takes(client: Client, task_queue: str, id: str) -> None:
    handle = await client.start_workflow(Updated.run, id=id, task_queue=task_queue)
    with pytest.raises(NoWorkerError):
        await asyncio.wait_for(handle.execute_update(Updated.change), LIMIT)


@pytest.mark.usefixtures("no_patience")
async def test_a_worker_that_is_busy_has_time(client: Client, task_queue: str, id: str) -> None:
    told = asyncio.Event()

    async def answer() -> str:
        await told.wait()
        return "in the end"

    slow = f"{task_queue}-slow"
    activities = [mock_activity("answer", side_effect=answer)]
    async with (
        Worker(client, task_queue=task_queue, workflows=[asks]),
        Worker(client, task_queue=slow, activities=activities, max_concurrent_activities=1),
    ):
        running = [
            await client.start_workflow(asks, slow, id=f"{id}-{number}", task_queue=task_queue) for number in range(2)
        ]

        # One has the only slot.
        async def one_waits() -> bool:
            described = [(await each.describe()).raw_description for each in running]
            states = {PendingActivityState(each.state) for raw in described for each in raw.pending_activities}
            return states == {PendingActivityState.SCHEDULED, PendingActivityState.STARTED}

        await eventually(one_waits, what="one activity runs, and one waits")
        for each in running:
            described = (await each.describe()).raw_description
            assert await _unserved.UnservedTasks(client, each.id).error(described) is None
        told.set()
        assert [await asyncio.wait_for(each.result(), LIMIT) for each in running] == ["in the end"] * 2


async def test_a_worker_may_come_late(
    client: Client, task_queue: str, id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = await client.start_workflow(asks, id=id, task_queue=task_queue)
    described = (await handle.describe()).raw_description
    tasks = _unserved.UnservedTasks(client, handle.id)
    assert await tasks.error(described) is None
    monkeypatch.setattr(_unserved, "_PATIENCE", 0.0)
    assert isinstance(await tasks.error(described), NoWorkerError)
    async with Worker(
        client, task_queue=task_queue, workflows=[asks], activities=[mock_activity("answer", returns="a")]
    ):
        assert await asyncio.wait_for(handle.result(), LIMIT) == "a"
