"""Workflow code that signals a workflow and starts it if need be, over the server's own Nexus service."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from invincible import workflow
from invincible.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from invincible.common import Priority, RetryPolicy, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from invincible.exceptions import ApplicationError, NexusOperationError
from invincible.worker import Replayer, Worker

HOUR = timedelta(hours=1)
EVERY_OPTION: dict[str, Any] = {
    "execution_timeout": 4 * HOUR,
    "run_timeout": 3 * HOUR,
    "task_timeout": timedelta(seconds=7),
    "id_reuse_policy": WorkflowIDReusePolicy.REJECT_DUPLICATE,
    "id_conflict_policy": WorkflowIDConflictPolicy.USE_EXISTING,
    "retry_policy": RetryPolicy(maximum_attempts=3),
    "memo": {"customer": "Ada"},
    "priority": Priority(priority_key=2),
    "start_delay": HOUR,
    "static_summary": "A basket",
    "static_details": "Of **Ada**",
}


@workflow.defn
class Basket:
    """Has its owner and what is put into it, until it is bought."""

    def __init__(self) -> None:
        self._items: list[str] = []
        self._bought = False

    @workflow.run
    async def run(self, owner: str) -> list[str]:
        await workflow.wait_condition(lambda: self._bought)
        return [owner, *self._items]

    @workflow.signal
    def add(self, item: str, count: int = 1) -> None:
        self._items += [item] * count

    @workflow.signal
    def buy(self) -> None:
        self._bought = True


async def add(basket: str, signal_args: Any, **options: Any) -> str:
    """Put something into Ada's basket; the run it went to."""
    handle = await workflow.signal_with_start_workflow(
        Basket.run,
        "Ada",
        id=basket,
        task_queue=workflow.info().task_queue,
        signal=Basket.add,
        signal_args=signal_args,
        **options,
    )
    assert handle.id == basket
    assert handle.run_id is not None
    return handle.run_id


@workflow.defn
class Shopping:
    """Puts two things into a basket that is not there before, and buys it."""

    @workflow.run
    async def run(self, basket: str) -> list[str]:
        runs = [await add(basket, "apple"), await add(basket, ["pear", 2])]
        handle: workflow.ExternalWorkflowHandle[Any] = workflow.get_external_workflow_handle(basket, run_id=runs[0])
        await handle.signal(Basket.buy)
        return runs


@workflow.defn
class Choosy:
    """Starts a basket with every option."""

    @workflow.run
    async def run(self, basket: str) -> str:
        return await add(basket, "apple", **EVERY_OPTION)


@workflow.defn
class Late:
    """Puts something into a basket that has been bought, which may not be started again."""

    @workflow.run
    async def run(self, basket: str) -> str:
        try:
            return await add(basket, "apple", id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE)
        except NexusOperationError as error:
            raise ApplicationError(f"too late: {error.cause}") from error


@workflow.defn
class Careless:
    """Gives what does not fit; what the calls say."""

    @workflow.run
    async def run(self) -> list[str]:
        start: Any = workflow.signal_with_start_workflow
        common = {"id": "basket", "task_queue": workflow.info().task_queue, "signal": Basket.add}
        calls = (
            start(Basket.run, **common, signal_args="apple"),
            start(Basket.run, "Ada", **common),
            start(Basket.run, "Ada", args=["Ada"], **common, signal_args="apple"),
            start(add, "Ada", **common, signal_args="apple"),
            start(Basket.run, "Ada", **{**common, "signal": Basket.run}),
        )
        said = []
        for call in calls:
            try:
                await call
            except TypeError as error:
                said.append(str(error))
        return said


WORKFLOWS = [Basket, Shopping, Choosy, Late, Careless]


@pytest.fixture(params=[{}, {"max_cached_workflows": 0}], ids=["cached", "replayed"])
def worker(client: Client, task_queue: str, request: pytest.FixtureRequest) -> Worker:
    return Worker(client, task_queue=task_queue, workflows=WORKFLOWS, **request.param)


async def test_a_workflow_is_started_once_and_signalled_twice(client: Client, task_queue: str, worker: Worker) -> None:
    basket = f"{task_queue}-basket"
    async with worker:
        handle = await client.start_workflow(Shopping.run, basket, id=task_queue, task_queue=task_queue)
        first, second = await handle.result()
        assert first == second
        target = client.get_workflow_handle(basket, run_id=first)
        assert await target.result() == ["Ada", "apple", "pear", "pear"]
    await Replayer(workflows=WORKFLOWS).replay_workflow(await handle.fetch_history())


async def test_a_running_workflow_is_only_signalled(client: Client, task_queue: str, worker: Worker) -> None:
    basket = f"{task_queue}-basket"
    async with worker:
        target = await client.start_workflow(Basket.run, "Grace", id=basket, task_queue=task_queue)
        runs = await client.execute_workflow(Shopping.run, basket, id=task_queue, task_queue=task_queue)
        assert runs == [target.result_run_id] * 2
        assert await target.result() == ["Grace", "apple", "pear", "pear"]


async def test_every_option_arrives(client: Client, task_queue: str, worker: Worker) -> None:
    basket = f"{task_queue}-basket"
    async with worker:
        run_id = await client.execute_workflow(Choosy.run, basket, id=task_queue, task_queue=task_queue)
    target = client.get_workflow_handle(basket, run_id=run_id)
    described = await target.describe()
    assert (described.run_id, described.workflow_type, described.task_queue) == (run_id, "Basket", task_queue)
    assert described.status is WorkflowExecutionStatus.RUNNING
    assert await described.memo() == {"customer": "Ada"}
    assert await described.static_summary() == "A basket"
    assert await described.static_details() == "Of **Ada**"
    assert described.raw_info.priority.priority_key == 2
    config = described.raw_description.execution_config
    assert config.workflow_execution_timeout.ToTimedelta() == 4 * HOUR
    assert config.workflow_run_timeout.ToTimedelta() == 3 * HOUR
    assert config.default_workflow_task_timeout.ToTimedelta() == timedelta(seconds=7)
    started, signalled = (await target.fetch_history()).events[:2]
    attributes = started.workflow_execution_started_event_attributes
    assert attributes.retry_policy.maximum_attempts == 3
    assert attributes.first_workflow_task_backoff.ToTimedelta() == HOUR
    assert signalled.workflow_execution_signaled_event_attributes.signal_name == "add"
    await target.terminate()


async def test_the_server_s_refusal_is_the_cause(client: Client, task_queue: str, worker: Worker) -> None:
    basket = f"{task_queue}-basket"
    async with worker:
        await client.execute_workflow(Shopping.run, basket, id=f"{task_queue}-first", task_queue=task_queue)
        await client.get_workflow_handle(basket).result()
        with pytest.raises(WorkflowFailureError) as failed:
            await client.execute_workflow(Late.run, basket, id=task_queue, task_queue=task_queue)
    assert re.search("^too late: .*already", str(failed.value.cause))


async def test_what_does_not_fit_is_named_before_anything_is_sent(
    client: Client, task_queue: str, worker: Worker
) -> None:
    async with worker:
        said = await client.execute_workflow(Careless.run, id=task_queue, task_queue=task_queue)
    assert said == [
        "workflow 'Basket' takes (owner: str), but 'owner' is missing",
        "signal 'add' takes (item: str, count: int = 1), but 'item' is missing",
        "give the arguments either one by one or as args, not both",
        "add is not a workflow: give a class or function decorated with @workflow.defn, its @workflow.run method, "
        "or the workflow's name",
        "Basket.run is not a signal: give a method decorated with @workflow.signal, or the signal's name",
    ]
