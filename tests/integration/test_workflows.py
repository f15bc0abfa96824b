"""Workflows and activities on the real server."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from datetime import timedelta

import pytest

from invincible import activity, workflow
from invincible.client import Client, WorkflowFailureError
from invincible.common import RetryPolicy
from invincible.exceptions import ActivityError, ApplicationError, CancelledError, TerminatedError
from invincible.worker import Replayer, Worker
from tests.support.conditions import eventually

TEN_SECONDS = timedelta(seconds=10)


@dataclass
class Greeting:
    name: str
    times: int = 1


@activity.defn(start_to_close_timeout=TEN_SECONDS)
async def greet(greeting: Greeting) -> str:
    return " ".join([f"Hello, {greeting.name}"] * greeting.times)


@activity.defn(start_to_close_timeout=TEN_SECONDS)
def shout(text: str) -> str:
    assert threading.current_thread() is not threading.main_thread()
    return text.upper()


@workflow.defn
async def politely(greeting: Greeting, pause: float = 0.0) -> str:
    text = await greet.execute(greeting)
    await asyncio.sleep(pause)
    return await shout.execute(text)


async def test_a_function_workflow_with_async_and_thread_activities(client: Client, task_queue: str) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[politely], activities=[greet, shout]):
        result = await client.execute_workflow(
            politely, args=[Greeting("Ada", times=2), 0.01], id=task_queue, task_queue=task_queue
        )
    assert result == "HELLO, ADA HELLO, ADA"


@workflow.defn
class Basket:
    def __init__(self) -> None:
        self.items: list[str] = []
        self.closed = False

    @workflow.run
    async def run(self, owner: str) -> list[str]:
        await workflow.wait_condition(lambda: self.closed)
        return [owner, *self.items]

    @workflow.signal
    async def add(self, item: str) -> None:
        self.items.append(await shout.execute(item))

    @workflow.signal
    def close(self) -> None:
        self.closed = True

    @workflow.query
    def content(self) -> list[str]:
        return self.items


async def test_signals_and_queries_reach_a_running_workflow(client: Client, task_queue: str) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[Basket], activities=[shout]):
        handle = await client.start_workflow(Basket.run, "Ada", id=task_queue, task_queue=task_queue)
        await handle.signal(Basket.add, "apple")

        async def has_apple() -> bool:
            return await handle.query(Basket.content) == ["APPLE"]

        await eventually(has_apple, what="the signal is handled")
        await handle.signal("close")
        assert await handle.result() == ["Ada", "APPLE"]
        # A closed workflow still answers, by replay.
        assert await handle.query(Basket.content) == ["APPLE"]


@workflow.defn
class Waiting:
    @workflow.run
    async def run(self) -> str:
        try:
            await workflow.wait_condition(lambda: False)
        except asyncio.CancelledError:
            await shout.execute("cleaning up")
            raise
        return "never"


async def test_cancel_lets_a_workflow_clean_up(client: Client, task_queue: str) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[Waiting], activities=[shout]):
        handle = await client.start_workflow(Waiting.run, id=task_queue, task_queue=task_queue)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError) as failure:
            await handle.result()
    assert isinstance(failure.value.cause, CancelledError)


async def test_terminate_ends_a_workflow_without_its_doing(client: Client, task_queue: str) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[Waiting], activities=[shout]):
        handle = await client.start_workflow(Waiting.run, id=task_queue, task_queue=task_queue)
        await handle.terminate(reason="enough")
        with pytest.raises(WorkflowFailureError) as failure:
            await handle.result()
    assert isinstance(failure.value.cause, TerminatedError)
    assert "enough" in str(failure.value.cause)


attempts = 0


@activity.defn(
    start_to_close_timeout=TEN_SECONDS, retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=10))
)
async def flaky(fail: int, final: bool = False) -> int:
    global attempts
    attempts = activity.info().attempt
    if attempts <= fail:
        raise ApplicationError(f"attempt {attempts} fails", "the details", type="Flaky", non_retryable=final)
    return attempts


@workflow.defn
async def persistent(fail: int, final: bool = False) -> int:
    return await flaky.execute(fail, final)


async def test_failed_activities_are_retried_as_the_policy_says(client: Client, task_queue: str) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[persistent], activities=[flaky]):
        assert await client.execute_workflow(persistent, 2, id=task_queue, task_queue=task_queue) == 3


async def test_an_activity_that_raises_fails_its_workflow_with_the_whole_story(client: Client, task_queue: str) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[persistent], activities=[flaky]):
        with pytest.raises(WorkflowFailureError) as failure:
            await client.execute_workflow(persistent, args=[5, True], id=task_queue, task_queue=task_queue)
    error = failure.value.cause
    assert isinstance(error, ActivityError)
    assert error.activity_type == "flaky"
    assert isinstance(error.cause, ApplicationError)
    assert (error.cause.message, error.cause.type) == ("attempt 1 fails", "Flaky")
    assert list(error.cause.details) == ["the details"]


@activity.defn(start_to_close_timeout=TEN_SECONDS, heartbeat_timeout=timedelta(seconds=1))
async def patient() -> str:
    try:
        while True:
            activity.heartbeat("alive")
            await asyncio.sleep(0.05)
    except asyncio.CancelledError:
        details = activity.cancellation_details()
        assert details is not None
        assert details.cancel_requested
        raise


@workflow.defn
async def impatient() -> str:
    handle = patient.with_options(
        cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
    ).start()
    await workflow.sleep(0.1)
    handle.cancel()
    try:
        return await handle
    except ActivityError as error:
        return type(error.cause).__name__


async def test_cancelling_an_activity_reaches_its_code(client: Client, task_queue: str) -> None:
    async with Worker(
        client,
        task_queue=task_queue,
        workflows=[impatient],
        activities=[patient],
        max_heartbeat_throttle_interval=timedelta(milliseconds=100),
    ):
        assert await client.execute_workflow(impatient, id=task_queue, task_queue=task_queue) == "CancelledError"


@workflow.defn
async def facts() -> dict[str, str]:
    info = workflow.info()
    return {"id": info.workflow_id, "run": info.run_id, "type": info.workflow_type, "queue": info.task_queue}


async def test_a_workflow_knows_who_it_is(client: Client, task_queue: str) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[facts]):
        handle = await client.start_workflow(facts, id=task_queue, task_queue=task_queue)
        result = await handle.result()
    assert result == {"id": task_queue, "run": handle.result_run_id, "type": "facts", "queue": task_queue}


async def test_describe_tells_the_state_of_a_run(client: Client, task_queue: str) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[Waiting], activities=[shout]):
        handle = await client.start_workflow(Waiting.run, id=task_queue, task_queue=task_queue)
        description = await handle.describe()
        assert (description.id, description.workflow_type) == (task_queue, "Waiting")
        assert description.status is not None
        assert description.status.name == "RUNNING"
        await handle.terminate()


async def test_runs_that_do_not_fit_the_cache_are_replayed(client: Client, task_queue: str) -> None:
    """With room for one run, two that alternate evict each other all the time."""
    async with Worker(
        client,
        task_queue=task_queue,
        workflows=[politely],
        activities=[greet, shout],
        max_cached_workflows=1,
        max_concurrent_workflow_tasks=2,
        max_concurrent_workflow_task_polls=2,
    ):
        runs = [
            client.execute_workflow(
                politely, args=[Greeting(name), 0.05], id=f"{task_queue}-{name}", task_queue=task_queue
            )
            for name in ("ada", "bob", "cy")
        ]
        assert await asyncio.gather(*runs) == ["HELLO, ADA", "HELLO, BOB", "HELLO, CY"]


async def test_a_history_from_the_server_replays(client: Client, task_queue: str) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[politely], activities=[greet, shout]):
        handle = await client.start_workflow(politely, Greeting("Ada"), id=task_queue, task_queue=task_queue)
        await handle.result()
    history = await handle.fetch_history()
    await Replayer(workflows=[politely]).replay_workflow(history)


async def test_many_runs_side_by_side(client: Client, task_queue: str) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[politely], activities=[greet, shout]):
        runs = [
            client.execute_workflow(politely, Greeting(str(n)), id=f"{task_queue}-{n}", task_queue=task_queue)
            for n in range(50)
        ]
        assert await asyncio.gather(*runs) == [f"HELLO, {n}" for n in range(50)]
