"""The guide to errors, retries and timeouts, followed; and what its tables say of timeouts, tried."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from invincible import activity, workflow
from invincible.client import Client
from invincible.common import RetryPolicy
from invincible.exceptions import ActivityError, ApplicationError, TimeoutError
from invincible.worker import Worker
from tests.support.guide_sessions import follow

SOON = timedelta(milliseconds=10)
A_WHILE = timedelta(milliseconds=300)
LONG = timedelta(minutes=1)


async def test_the_page_prints_what_it_says(guide_server: str) -> None:
    await follow("errors.md", address=guide_server, namespace="errors", task_queue="payments")


@activity.defn(start_to_close_timeout=LONG, retry_policy=RetryPolicy(initial_interval=SOON))
async def work(how: str) -> None:
    if how == "fails":
        raise LookupError("not there")
    if how == "heartbeats once":
        activity.heartbeat(17)
    await asyncio.sleep(60)


@workflow.defn
async def limited(limit: str, task_queue: str | None) -> list[str]:
    calls = {
        "attempt": work.with_options(
            start_to_close_timeout=A_WHILE, retry_policy=RetryPolicy(initial_interval=SOON, maximum_attempts=2)
        ),
        "heartbeat": work.with_options(heartbeat_timeout=A_WHILE, retry_policy=RetryPolicy(maximum_attempts=1)),
        "wait for a worker": work.with_options(schedule_to_start_timeout=A_WHILE, task_queue=task_queue),
        "all attempts": work.with_options(
            schedule_to_close_timeout=A_WHILE, retry_policy=RetryPolicy(initial_interval=LONG)
        ),
    }
    try:
        await calls[limit].execute("fails" if limit == "all attempts" else "heartbeats once")
    except ActivityError as error:
        return described(error)
    return []


def described(error: ActivityError) -> list[str]:
    assert error.retry_state is not None
    if isinstance(error.cause, TimeoutError):
        assert error.cause.type is not None
        details = [f"{detail}" for detail in error.cause.last_heartbeat_details]
        return [error.retry_state.name, error.cause.type.name, *details]
    return [error.retry_state.name, f"{error.cause}"]


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        ("attempt", ["MAXIMUM_ATTEMPTS_REACHED", "START_TO_CLOSE", "17"]),
        ("heartbeat", ["MAXIMUM_ATTEMPTS_REACHED", "HEARTBEAT", "17"]),
        ("wait for a worker", ["TIMEOUT", "SCHEDULE_TO_START"]),
        ("all attempts", ["TIMEOUT", "LookupError: not there"]),
    ],
)
async def test_each_timeout_of_an_activity(client: Client, task_queue: str, limit: str, told: list[str]) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[limited], activities=[work]):
        nobody = f"{task_queue}-nobody"
        outcome = await client.execute_workflow(limited, args=[limit, nobody], id=task_queue, task_queue=task_queue)
    assert outcome == told


@workflow.defn
async def late_once() -> int:
    if workflow.info().attempt == 1:
        await workflow.sleep(LONG)
    return workflow.info().attempt


async def test_a_run_that_times_out_is_retried_by_its_policy(client: Client, task_queue: str) -> None:
    policy = RetryPolicy(initial_interval=SOON)
    async with Worker(client, task_queue=task_queue, workflows=[late_once]):
        attempt = await client.execute_workflow(
            late_once, id=task_queue, task_queue=task_queue, run_timeout=timedelta(seconds=2), retry_policy=policy
        )
    assert attempt == 2


@workflow.defn
async def locally() -> str:
    once = work.with_options(retry_policy=RetryPolicy(maximum_attempts=1))
    try:
        await once.execute_local("fails")
    except ApplicationError as error:
        return f"{error}"
    return "worked"


async def test_errors_of_local_activities_stand_by_themselves(client: Client, task_queue: str) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[locally], activities=[work]):
        assert await client.execute_workflow(locally, id=task_queue, task_queue=task_queue) == "LookupError: not there"
