"""Go workflows that a Python client starts, signals, queries, cancels and terminates."""

from __future__ import annotations

import pytest

from invincible.client import (
    Client,
    WorkflowContinuedAsNewError,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
)
from invincible.exceptions import ApplicationError, CancelledError
from tests.support.conditions import eventually

from .values import ADA, BOB, FAILURE, VALUES, Person, Values


async def test_arguments_and_result(client: Client, task_queue: str, go_queue: str) -> None:
    result = await client.execute_workflow("Echo", VALUES, id=task_queue, task_queue=go_queue, result_type=Values)
    assert result == VALUES


async def test_failure(client: Client, task_queue: str, go_queue: str) -> None:
    with pytest.raises(WorkflowFailureError) as raised:
        await client.execute_workflow("Fail", FAILURE, id=task_queue, task_queue=go_queue)
    error = raised.value.cause
    assert isinstance(error, ApplicationError)
    assert (error.message, error.type, error.non_retryable) == ("on demand", "Wanted", True)
    assert list(error.details) == [{"code": 7}]
    assert isinstance(error.cause, ApplicationError)
    assert (error.cause.message, error.cause.type) == ("the reason", "Reason")


async def test_signal_and_query(client: Client, task_queue: str, go_queue: str) -> None:
    handle: WorkflowHandle[object, str] = await client.start_workflow(
        "Hold", {}, id=task_queue, task_queue=go_queue, result_type=str
    )
    assert await handle.query("cancelled") is False
    await handle.signal("release", "words")
    assert await handle.result() == "words"


async def test_cancel(client: Client, task_queue: str, go_queue: str) -> None:
    handle = await client.start_workflow("Hold", {"linger": True}, id=task_queue, task_queue=go_queue)
    await handle.cancel()

    async def is_cancelled() -> bool:
        return bool(await handle.query("cancelled"))

    await eventually(is_cancelled, what="the Go workflow is asked to cancel")
    await handle.signal("release", "")
    with pytest.raises(WorkflowFailureError) as raised:
        await handle.result()
    assert isinstance(raised.value.cause, CancelledError)
    assert list(raised.value.cause.details) == ["let go"]


async def test_continue_as_new(client: Client, task_queue: str, go_queue: str) -> None:
    handle: WorkflowHandle[object, str] = await client.start_workflow(
        "ContinueOnce", "words", id=task_queue, task_queue=go_queue, result_type=str
    )
    with pytest.raises(WorkflowContinuedAsNewError) as raised:
        await handle.result(follow_runs=False)
    assert await handle.result() == "words"
    assert raised.value.new_execution_run_id != handle.result_run_id


async def test_queries_and_updates(client: Client, task_queue: str, go_queue: str) -> None:
    handle: WorkflowHandle[object, list[Person]] = await client.start_workflow(
        "Interactive", id=task_queue, task_queue=go_queue, result_type=list[Person]
    )
    assert await handle.query("named", "Ada") is None
    assert await handle.execute_update("add", ADA, result_type=int) == 1
    assert await handle.execute_update("add", BOB, result_type=int) == 2
    assert await handle.query("named", "Ada", result_type=Person) == ADA
    await handle.signal("release")
    assert await handle.result() == [ADA, BOB]


async def test_queries_and_updates_that_fail(client: Client, task_queue: str, go_queue: str) -> None:
    handle = await client.start_workflow("Interactive", id=task_queue, task_queue=go_queue)
    with pytest.raises(WorkflowQueryFailedError, match="whom do you want"):
        await handle.query("named", "")
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await handle.execute_update("add", Person("", 1))
    assert isinstance(refused.value.cause, ApplicationError)
    assert refused.value.cause.message == "everybody has a name"
    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await handle.execute_update("add", Person("Methuselah", 969))
    error = failed.value.cause
    assert isinstance(error, ApplicationError)
    assert (error.message, error.type, list(error.details)) == ("nobody is that old", "TooOld", [969])
    await handle.signal("release")
    assert await handle.result() == []
