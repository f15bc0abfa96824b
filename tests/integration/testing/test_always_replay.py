"""Always-replay: code that does something else the second time fails at its second task."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import timedelta

import pytest

from invincible import activity, workflow
from invincible.client import Client, WorkflowTaskFailedError
from invincible.testing import WorkerFactory, WorkflowEnvironment
from invincible.worker import Worker

# These workflows are watched through globals of this module, which workers warn of.
pytestmark = pytest.mark.filterwarnings("ignore:.*test_always_replay.py:UserWarning")

starts = itertools.count()
runs: list[str] = []


@activity.defn(start_to_close_timeout=timedelta(seconds=30))
async def step(name: str) -> None: ...


@activity.defn(start_to_close_timeout=timedelta(seconds=30))
async def other_step(name: str) -> None: ...


@workflow.defn
class Counting:
    """Takes its next step by a counter that all runs share, and each replay counts on."""

    @workflow.run
    async def run(self) -> str:
        runs.append(workflow.info().workflow_id)
        for _ in range(3):
            await (step if next(starts) % 2 else other_step).execute("x")
        return "done"


class Item:
    """Its place in a set is that of its memory."""

    def __init__(self, number: int) -> None:
        self.number = number


kept: list[Item] = []


@workflow.defn
class Unordered:
    """Takes its steps in the order of a set."""

    @workflow.run
    async def run(self) -> str:
        items = [Item(number) for number in range(40)]
        kept.extend(items)  # so that a replay cannot have them in the same places
        for item in set(items):
            await (step if item.number % 2 else other_step).execute("x")
        return "done"


@workflow.defn
class Sound:
    @workflow.run
    async def run(self) -> int:
        runs.append(workflow.info().workflow_id)
        for _ in range(3):
            await step.execute("x")
        return workflow.info().get_current_history_length()


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    runs.clear()
    kept.clear()


@pytest.mark.parametrize("code", [Counting, Unordered], ids=lambda code: code.__name__)
async def test_what_does_not_replay_fails_at_once(client: Client, worker: WorkerFactory, code: type) -> None:
    # An odd number of steps before the replay: a counter that repeats itself would be none.
    next(starts)
    async with worker(code, step, other_step, always_replay=True):
        with pytest.raises(
            WorkflowTaskFailedError, match=rf"the workflow code .*test_always_replay\.py:\d+, in {code.__name__}"
        ):
            await client.execute_workflow(code, id=f"{worker.task_queue}-always", task_queue=worker.task_queue)
    async with worker(code, step, other_step):
        result = await client.execute_workflow(code, id=f"{worker.task_queue}-cached", task_queue=worker.task_queue)
    assert result == "done"


async def test_each_task_begins_from_the_start(client: Client, worker: WorkerFactory) -> None:
    for always_replay, begins in ((True, 4), (False, 1)):
        id = f"{worker.task_queue}-{always_replay}"
        async with worker(Sound, step, always_replay=always_replay):
            await client.execute_workflow(Sound.run, id=id, task_queue=worker.task_queue)
        assert runs.count(id) == begins


async def test_an_environment_says_it_for_all_workers(env: WorkflowEnvironment, address: str, task_queue: str) -> None:
    assert not env.always_replay
    env.always_replay = True
    assert env.always_replay
    other = await env.connect_client()
    for number, client in enumerate((env.client, other)):
        id = f"{task_queue}-{number}"
        async with Worker(client, task_queue=task_queue, workflows=[Sound], activities=[step]):
            await client.execute_workflow(Sound.run, id=id, task_queue=task_queue)
        assert runs.count(id) == 4
    env.always_replay = False
    async with Worker(env.client, task_queue=task_queue, workflows=[Sound], activities=[step]):
        await env.client.execute_workflow(Sound.run, id=f"{task_queue}-cached", task_queue=task_queue)
    assert runs.count(f"{task_queue}-cached") == 1
