"""Go workflows that call activities and workflows of a Python worker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from invincible import activity, workflow
from invincible.client import Client
from invincible.exceptions import ApplicationError
from invincible.worker import Worker

from .replaying import assert_replays
from .values import ADA, BYTES, FAILURE, FLOAT, INT, LIST, MAP, TEXT, VALUES, Failure, Link, Person, Values


@activity.defn
async def echo_note(value: str | None) -> str | None:
    assert value is None
    return value


@activity.defn
async def echo_bytes(value: bytes) -> bytes:
    assert value == BYTES
    return value


@activity.defn
async def echo_int(value: int) -> int:
    assert (type(value), value) == (int, INT)
    return value


@activity.defn
async def echo_float(value: float) -> float:
    assert (type(value), value) == (float, FLOAT)
    return value


@activity.defn
async def echo_text(value: str) -> str:
    assert value == TEXT
    return value


@activity.defn
async def echo_list(value: list[str]) -> list[str]:
    assert value == LIST
    return value


@activity.defn
async def echo_map(value: dict[str, Any]) -> dict[str, Any]:
    assert value == MAP
    return value


@activity.defn
def echo_person(value: Person) -> Person:
    assert value == ADA
    return value


ECHOES: list[Callable[..., Any]] = [
    echo_note,
    echo_bytes,
    echo_int,
    echo_float,
    echo_text,
    echo_list,
    echo_map,
    echo_person,
]


async def test_values_from_go_reach_python_activities_and_return(
    client: Client, task_queue: str, go_queue: str
) -> None:
    async with Worker(client, task_queue=task_queue, activities=ECHOES):
        result = await client.execute_workflow(
            "CallActivities", args=[task_queue, VALUES], id=task_queue, task_queue=go_queue, result_type=Values
        )
    assert result == VALUES


def error_of(failure: Failure) -> ApplicationError:
    error = ApplicationError(failure.message, *failure.details, type=failure.type, non_retryable=failure.non_retryable)
    if failure.cause is not None:
        error.__cause__ = error_of(failure.cause)
    return error


@activity.defn
async def fail(failure: Failure) -> None:
    raise error_of(failure)


@workflow.defn
async def failing_child(failure: Failure) -> None:
    raise error_of(failure)


async def test_go_sees_the_whole_of_python_failures(
    client: Client, task_queue: str, go_queue: str, worker_options: dict[str, Any]
) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[failing_child], activities=[fail], **worker_options):
        seen = await client.execute_workflow(
            "CallFailing",
            args=[task_queue, FAILURE],
            id=task_queue,
            task_queue=go_queue,
            result_type=dict[str, list[Link]],
        )
    raised = [
        Link("application", message="on demand", type="Wanted", non_retryable=True, detail={"code": 7}),
        Link("application", message="the reason", type="Reason", non_retryable=True),
    ]
    assert seen == {
        "activity": [Link("activity", name="fail"), *raised],
        "child": [Link("child", name="failing_child"), *raised],
    }


@workflow.defn(name="python_child")
class PythonChild:
    """Waits to be released, and returns the person it got with the words it was released with as a tag."""

    def __init__(self) -> None:
        self.words: str | None = None

    @workflow.run
    async def run(self, person: Person) -> Person:
        parent = workflow.info().parent
        assert parent is not None
        try:
            await workflow.wait_condition(lambda: self.words is not None)
        except asyncio.CancelledError:
            await workflow.sleep(0.001)
            raise
        assert self.words is not None
        return Person(parent.workflow_id, person.age, [self.words], person)

    @workflow.signal
    def release(self, words: str) -> None:
        self.words = words


async def child_of(client: Client, workflow_id: str) -> Any:
    """A handle of the one child that a workflow has started."""
    async for event in client.get_workflow_handle(workflow_id).fetch_history_events():
        if event.HasField("child_workflow_execution_started_event_attributes"):
            execution = event.child_workflow_execution_started_event_attributes.workflow_execution
            return client.get_workflow_handle(execution.workflow_id, run_id=execution.run_id)
    raise AssertionError(f"workflow {workflow_id} has no child")


async def test_a_python_child_of_a_go_workflow_is_signalled_and_returns(
    client: Client, task_queue: str, go_queue: str, worker_options: dict[str, Any]
) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[PythonChild], **worker_options):
        result = await client.execute_workflow(
            "CallChild", args=[task_queue, ADA, TEXT], id=task_queue, task_queue=go_queue, result_type=Person
        )
    assert asdict(result) == asdict(Person(task_queue, ADA.age, [TEXT], ADA))
    await assert_replays(await child_of(client, task_queue), PythonChild)


async def test_a_python_child_of_a_go_workflow_is_cancelled(
    client: Client, task_queue: str, go_queue: str, worker_options: dict[str, Any]
) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[PythonChild], **worker_options):
        seen = await client.execute_workflow(
            "CancelChild", args=[task_queue, ADA], id=task_queue, task_queue=go_queue, result_type=list[Link]
        )
    assert seen == [Link("child", name="python_child"), Link("cancelled")]
    await assert_replays(await child_of(client, task_queue), PythonChild)


@workflow.defn
class Steered:
    """Waits to be cancelled, and returns what it was signalled before."""

    def __init__(self) -> None:
        self.people: list[Person] = []

    @workflow.run
    async def run(self) -> list[Person]:
        try:
            await workflow.wait_condition(lambda: False)
        except asyncio.CancelledError:
            return self.people
        raise AssertionError("it waits for ever")

    @workflow.signal
    def meet(self, person: Person) -> None:
        self.people.append(person)


async def test_go_signals_and_cancels_a_python_workflow(
    client: Client, task_queue: str, go_queue: str, worker_options: dict[str, Any]
) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[Steered], **worker_options):
        handle = await client.start_workflow(Steered.run, id=task_queue, task_queue=task_queue)
        await client.execute_workflow(
            "Steer", args=[task_queue, "meet", ADA], id=f"{task_queue}-steer", task_queue=go_queue
        )
        assert await handle.result() == [ADA]
    await assert_replays(handle, Steered)
