"""Python workflows that call activities of a Go worker."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from invincible import workflow
from invincible.api.enums.v1 import EventType
from invincible.client import Client, WorkflowFailureError
from invincible.common import RetryPolicy
from invincible.exceptions import ActivityError, ApplicationError, CancelledError
from invincible.worker import Worker
from tests.support.conditions import eventually
from tests.support.history import fetch_events, of_type

from .replaying import assert_replays
from .values import ADA, BYTES, FAILURE, FLOAT, INT, LIST, MAP, TEXT, Failure, Person

LIMIT = timedelta(seconds=30)


@workflow.defn
class Echoes:
    """Sends a value of each type through the Go activity for it, and compares."""

    @workflow.run
    async def run(self, go_queue: str) -> list[str]:
        samples: list[tuple[str, Any, Any]] = [
            ("EchoNote", None, str | None),
            ("EchoNote", TEXT, str | None),
            ("EchoBytes", BYTES, bytes),
            ("EchoInt", INT, int),
            ("EchoInt", -INT - 1, int),
            ("EchoFloat", FLOAT, float),
            ("EchoText", TEXT, str),
            ("EchoText", "", str),
            ("EchoList", LIST, list[str]),
            ("EchoMap", MAP, dict[str, Any]),
            ("EchoPerson", ADA, Person),
        ]
        wrong = []
        for name, value, result_type in samples:
            back = await workflow.execute_activity(
                name, value, task_queue=go_queue, result_type=result_type, start_to_close_timeout=LIMIT
            )
            if back != value or type(back) is not type(value):
                wrong.append(f"{name}: {value!r} came back as {back!r}")
        return wrong


async def test_values_come_back_from_go_as_they_went(
    client: Client, task_queue: str, go_queue: str, worker_options: dict[str, Any]
) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[Echoes], **worker_options):
        handle = await client.start_workflow(Echoes.run, go_queue, id=task_queue, task_queue=task_queue)
        assert await handle.result() == []

    scheduled = of_type(await fetch_events(client, task_queue), EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
    encodings = [
        event.activity_task_scheduled_event_attributes.input.payloads[0].metadata["encoding"] for event in scheduled
    ]
    assert set(encodings) == {b"binary/null", b"binary/plain", b"json/plain"}
    await assert_replays(handle, Echoes)


@workflow.defn
async def signatures(go_queue: str) -> list[Any]:
    combined = await workflow.execute_activity(
        "Combine", args=["two", 2, ADA], task_queue=go_queue, start_to_close_timeout=LIMIT
    )
    nothing = await workflow.execute_activity("Nothing", task_queue=go_queue, start_to_close_timeout=LIMIT)
    return [combined, nothing]


async def test_go_activities_take_several_arguments_or_none(
    client: Client, task_queue: str, go_queue: str, worker_options: dict[str, Any]
) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[signatures], **worker_options):
        handle = await client.start_workflow(signatures, go_queue, id=task_queue, task_queue=task_queue)
        assert await handle.result() == ["two 2 Ada", None]
    await assert_replays(handle, signatures)


@workflow.defn
async def failing(go_queue: str, failure: Failure) -> None:
    await workflow.execute_activity(
        "FailWith",
        failure,
        task_queue=go_queue,
        start_to_close_timeout=LIMIT,
        retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=1), maximum_attempts=3),
    )


@pytest.mark.parametrize(("non_retryable", "attempts"), [(True, 1), (False, 3)])
async def test_failures_of_go_activities_arrive_whole(
    client: Client, task_queue: str, go_queue: str, worker_options: dict[str, Any], non_retryable: bool, attempts: int
) -> None:
    failure = Failure(FAILURE.message, FAILURE.type, FAILURE.details, non_retryable, FAILURE.cause)
    async with Worker(client, task_queue=task_queue, workflows=[failing], **worker_options):
        handle = await client.start_workflow(failing, args=[go_queue, failure], id=task_queue, task_queue=task_queue)
        with pytest.raises(WorkflowFailureError) as raised:
            await handle.result()

    error = raised.value.cause
    assert isinstance(error, ActivityError)
    assert error.activity_type == "FailWith"
    cause = error.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.message, cause.type, cause.non_retryable) == ("on demand", "Wanted", non_retryable)
    assert list(cause.details) == [{"code": 7}]
    assert isinstance(cause.cause, ApplicationError)
    assert (cause.cause.message, cause.cause.type) == ("the reason", "Reason")

    (started,) = of_type(await fetch_events(client, task_queue), EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED)
    assert started.activity_task_started_event_attributes.attempt == attempts
    await assert_replays(handle, failing)


@workflow.defn
class Stopping:
    def __init__(self) -> None:
        self.stop = False

    @workflow.run
    async def run(self, go_queue: str) -> Any:
        beating = workflow.start_activity(
            "Beat",
            task_queue=go_queue,
            start_to_close_timeout=LIMIT,
            heartbeat_timeout=timedelta(seconds=10),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        await workflow.wait_condition(lambda: self.stop)
        beating.cancel()
        with pytest.raises(ActivityError) as raised:
            await beating
        assert isinstance(raised.value.cause, CancelledError)
        return list(raised.value.cause.details)

    @workflow.signal
    def end(self) -> None:
        self.stop = True


async def test_a_go_activity_that_heartbeats_hears_of_its_cancellation(
    client: Client, task_queue: str, go_queue: str, worker_options: dict[str, Any]
) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[Stopping], **worker_options):
        handle = await client.start_workflow(Stopping.run, go_queue, id=task_queue, task_queue=task_queue)

        async def beats() -> bool:
            pending = (await handle.describe()).raw_description.pending_activities
            return bool(pending) and bool(pending[0].heartbeat_details.payloads)

        await eventually(beats, what="the Go activity has sent a heartbeat")
        await handle.signal(Stopping.end)
        assert await asyncio.wait_for(handle.result(), 30) == ["stopped beating"]
    await assert_replays(handle, Stopping)


@workflow.defn
async def resuming(go_queue: str) -> Person:
    reached: Person = await workflow.execute_activity(
        "Resume",
        ADA,
        task_queue=go_queue,
        result_type=Person,
        start_to_close_timeout=LIMIT,
        retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=1)),
    )
    return reached


async def test_a_go_activity_resumes_from_its_heartbeat(
    client: Client, task_queue: str, go_queue: str, worker_options: dict[str, Any]
) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[resuming], **worker_options):
        handle = await client.start_workflow(resuming, go_queue, id=task_queue, task_queue=task_queue)
        assert await handle.result() == ADA
    await assert_replays(handle, resuming)
