"""Python workflows that call the Nexus operations of a Go worker."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from invincible import workflow
from invincible.api.enums.v1 import EventType
from invincible.client import Client, WorkflowFailureError, WorkflowHandle
from invincible.exceptions import (
    ApplicationError,
    CancelledError,
    NexusHandlerError,
    NexusOperationError,
    TimeoutError,
    TimeoutType,
)
from invincible.worker import Worker
from invincible.workflow import NexusOperationCancellationType
from tests.support.conditions import eventually
from tests.support.history import fetch_events, of_type, wait_for_event

from .replaying import assert_replays
from .values import ADA, FAILURE, Person


@dataclass
class Call:
    """One call of an operation. Timeouts are seconds."""

    endpoint: str
    operation: str
    input: Any
    schedule_to_close: float | None = None
    schedule_to_start: float | None = None
    start_to_close: float | None = None


def seconds(number: float | None) -> timedelta | None:
    return None if number is None else timedelta(seconds=number)


@workflow.defn
class Calling:
    """Calls an operation, and returns its result after its token, which only those have that are not done at once."""

    @workflow.run
    async def run(self, call: Call) -> list[Any]:
        client: workflow.NexusClient[Any] = workflow.create_nexus_client(service="interop", endpoint=call.endpoint)
        operation: workflow.NexusOperationHandle[Any] = await client.start_operation(
            call.operation,
            call.input,
            schedule_to_close_timeout=seconds(call.schedule_to_close),
            schedule_to_start_timeout=seconds(call.schedule_to_start),
            start_to_close_timeout=seconds(call.start_to_close),
        )
        return [operation.operation_token, await operation]


@workflow.defn
class Echoing:
    @workflow.run
    async def run(self, endpoint: str, person: Person) -> Person:
        client: workflow.NexusClient[Any] = workflow.create_nexus_client(service="interop", endpoint=endpoint)
        echoed: Person = await client.execute_operation("echo", person, output_type=Person)
        assert isinstance(echoed, Person)
        return echoed


async def test_an_operation_that_is_done_at_once(
    client: Client, task_queue: str, nexus_endpoint: str, worker_options: dict[str, Any]
) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[Echoing], **worker_options):
        handle = await client.start_workflow(
            Echoing.run, args=[nexus_endpoint, ADA], id=task_queue, task_queue=task_queue
        )
        assert await handle.result() == ADA
    await assert_replays(handle, Echoing)


async def test_only_an_operation_that_takes_time_has_a_token(
    client: Client, task_queue: str, nexus_endpoint: str, worker_options: dict[str, Any]
) -> None:
    echo = Call(nexus_endpoint, "echo", {"name": "Ada"})
    greet = Call(nexus_endpoint, "greet", {"name": "Ada", "workflow_id": f"{task_queue}-greet", "seconds": 0.01})
    async with Worker(client, task_queue=task_queue, workflows=[Calling], **worker_options):
        for call, expected in ((echo, "Ada"), (greet, "Hello, Ada")):
            handle = await client.start_workflow(
                Calling.run, call, id=f"{task_queue}-{call.operation}-caller", task_queue=task_queue
            )
            token, result = await handle.result()
            assert bool(token) is (call is greet)
            assert (result if call is greet else result["name"]) == expected
            await assert_replays(handle, Calling)


async def test_an_operation_waits_for_its_workflow(
    client: Client, task_queue: str, nexus_endpoint: str, worker_options: dict[str, Any]
) -> None:
    call = Call(nexus_endpoint, "greet", {"name": "Ada", "workflow_id": f"{task_queue}-greet"})
    async with Worker(client, task_queue=task_queue, workflows=[Calling], **worker_options):
        handle = await client.start_workflow(Calling.run, call, id=task_queue, task_queue=task_queue)
        await wait_for_event(client, task_queue, EventType.EVENT_TYPE_NEXUS_OPERATION_STARTED)
        await client.get_workflow_handle(f"{task_queue}-greet").signal("release")
        assert (await handle.result())[1] == "Hello, Ada"
    await assert_replays(handle, Calling)


async def failure_of(client: Client, task_queue: str, call: Call, worker_options: dict[str, Any]) -> BaseException:
    """Make a call that fails, and return the cause of its error; the history has been replayed."""
    async with Worker(client, task_queue=task_queue, workflows=[Calling], **worker_options):
        handle = await client.start_workflow(Calling.run, call, id=task_queue, task_queue=task_queue)
        with pytest.raises(WorkflowFailureError) as raised:
            await handle.result()
    await assert_replays(handle, Calling)
    error = raised.value.cause
    assert isinstance(error, NexusOperationError)
    assert (error.endpoint, error.service, error.operation) == (call.endpoint, "interop", call.operation)
    assert error.cause is not None
    return error.cause


def assert_wanted(cause: BaseException | None) -> None:
    """Raise unless an error is `FAILURE`, cause and all."""
    assert isinstance(cause, ApplicationError)
    assert (cause.message, cause.type, cause.non_retryable) == ("on demand", "Wanted", True)
    assert list(cause.details) == [{"code": 7}]
    assert isinstance(cause.cause, ApplicationError)
    assert (cause.cause.message, cause.cause.type) == ("the reason", "Reason")


async def test_an_operation_fails(
    client: Client, task_queue: str, nexus_endpoint: str, worker_options: dict[str, Any]
) -> None:
    call = Call(nexus_endpoint, "fail", {"failure": FAILURE})
    cause = await failure_of(client, task_queue, call, worker_options)
    assert isinstance(cause, ApplicationError)
    assert (cause.message, cause.type, cause.non_retryable) == ("given up", "OperationError", True)
    assert_wanted(cause.cause)


async def test_the_workflow_of_an_operation_fails(
    client: Client, task_queue: str, nexus_endpoint: str, worker_options: dict[str, Any]
) -> None:
    greet = {"name": "Ada", "workflow_id": f"{task_queue}-greet", "seconds": 0.01, "failure": FAILURE}
    assert_wanted(await failure_of(client, task_queue, Call(nexus_endpoint, "greet", greet), worker_options))


async def test_an_operation_ends_as_cancelled(
    client: Client, task_queue: str, nexus_endpoint: str, worker_options: dict[str, Any]
) -> None:
    call = Call(nexus_endpoint, "fail", {"cancelled": True, "failure": FAILURE})
    assert isinstance(await failure_of(client, task_queue, call, worker_options), CancelledError)


def handler_error_type(error: BaseException) -> str:
    """The type of the error that a handler has answered with."""
    assert isinstance(error, NexusHandlerError)
    return error.type


async def test_a_handler_refuses(
    client: Client, task_queue: str, nexus_endpoint: str, worker_options: dict[str, Any]
) -> None:
    call = Call(nexus_endpoint, "fail", {"handler_error": "BAD_REQUEST", "failure": FAILURE})
    error = await failure_of(client, task_queue, call, worker_options)
    assert handler_error_type(error) == "BAD_REQUEST"
    assert "refused" in str(error)
    assert_wanted(error.__cause__)


async def test_nobody_knows_the_operation(
    client: Client, task_queue: str, nexus_endpoint: str, worker_options: dict[str, Any]
) -> None:
    error = await failure_of(client, task_queue, Call(nexus_endpoint, "dance", None), worker_options)
    assert handler_error_type(error) == "NOT_FOUND"
    assert '"dance" not found' in str(error)


@pytest.mark.parametrize(
    ("operation", "timeouts", "kind"),
    [
        # It is started, and does not end.
        ("greet", {"schedule_to_close": 1.0}, TimeoutType.SCHEDULE_TO_CLOSE),
        ("greet", {"start_to_close": 1.0}, TimeoutType.START_TO_CLOSE),
        # The handler fails in a way that is tried again.
        ("fail", {"schedule_to_close": 1.0}, TimeoutType.SCHEDULE_TO_CLOSE),
        ("fail", {"schedule_to_start": 1.0}, TimeoutType.SCHEDULE_TO_START),
    ],
)
async def test_time_runs_out(
    client: Client,
    task_queue: str,
    nexus_endpoint: str,
    worker_options: dict[str, Any],
    operation: str,
    timeouts: dict[str, float],
    kind: TimeoutType,
) -> None:
    retryable = {"message": "not now", "type": "Busy"}
    arguments = {"name": "Ada", "workflow_id": f"{task_queue}-greet"}
    failing = {"handler_error": "UNAVAILABLE", "failure": retryable}
    call = Call(nexus_endpoint, operation, arguments if operation == "greet" else failing, **timeouts)
    cause = await failure_of(client, task_queue, call, worker_options)
    assert isinstance(cause, TimeoutError)
    assert cause.type is kind


@workflow.defn
class Cancelling:
    """Cancels its operation when it is told to, and ends when it is told to, so that a test can look in between."""

    def __init__(self) -> None:
        self.may_cancel = False
        self.may_end = False
        self.settled = False

    @workflow.run
    async def run(self, endpoint: str, cancellation_type: NexusOperationCancellationType) -> None:
        client: workflow.NexusClient[Any] = workflow.create_nexus_client(service="interop", endpoint=endpoint)
        operation: workflow.NexusOperationHandle[str] = await client.start_operation(
            "slow",
            {"workflow_id": f"{workflow.info().workflow_id}-slow", "linger": True},
            output_type=str,
            cancellation_type=cancellation_type,
        )
        await workflow.wait_condition(lambda: self.may_cancel)
        operation.cancel()
        try:
            await operation
        finally:
            self.settled = True
            await workflow.wait_condition(lambda: self.may_end)

    @workflow.signal
    def cancel(self) -> None:
        self.may_cancel = True

    @workflow.signal
    def end(self) -> None:
        self.may_end = True

    @workflow.query
    def is_settled(self) -> bool:
        return self.settled


@dataclass
class Pair:
    """A caller that is about to cancel its operation, and the operation's workflow, which lingers until released."""

    client: Client
    caller: WorkflowHandle[Any, None]
    slow: WorkflowHandle[Any, Any]

    async def caller_settled(self) -> None:
        async def settled() -> bool:
            return await self.caller.query(Cancelling.is_settled)

        await eventually(settled, what="the caller has the outcome of its operation")

    async def slow_cancelled(self) -> None:
        async def cancelled() -> bool:
            return bool(await self.slow.query("cancelled"))

        await eventually(cancelled, what="the operation is asked to cancel")

    async def end_caller(self) -> CancelledError:
        """End the caller, and return the cause of the error that its operation had for it."""
        await self.caller.signal(Cancelling.end)
        with pytest.raises(WorkflowFailureError) as raised:
            await self.caller.result()
        assert isinstance(raised.value.cause, NexusOperationError)
        cause = raised.value.cause.cause
        assert isinstance(cause, CancelledError)
        return cause

    async def release_slow(self) -> Any:
        await self.slow.signal("release", "words")
        return await self.slow.result()

    async def count(self, event_type: EventType.ValueType) -> int:
        """How many events of a type the caller's history has."""
        return len(of_type(await fetch_events(self.client, self.caller.id), event_type))


async def pair(client: Client, task_queue: str, endpoint: str, kind: NexusOperationCancellationType) -> Pair:
    caller = await client.start_workflow(Cancelling.run, args=[endpoint, kind], id=task_queue, task_queue=task_queue)
    await wait_for_event(client, task_queue, EventType.EVENT_TYPE_NEXUS_OPERATION_STARTED)
    await caller.signal(Cancelling.cancel)
    return Pair(client, caller, client.get_workflow_handle(f"{task_queue}-slow"))


async def test_try_cancel_settles_at_once(
    client: Client, task_queue: str, nexus_endpoint: str, worker_options: dict[str, Any]
) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[Cancelling], **worker_options):
        both = await pair(client, task_queue, nexus_endpoint, NexusOperationCancellationType.TRY_CANCEL)
        await both.caller_settled()
        await both.slow_cancelled()
        await both.end_caller()
        with pytest.raises(WorkflowFailureError):
            await both.release_slow()
    await assert_replays(both.caller, Cancelling)


async def test_wait_requested_settles_when_the_request_has_arrived(
    client: Client, task_queue: str, nexus_endpoint: str, worker_options: dict[str, Any]
) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[Cancelling], **worker_options):
        both = await pair(client, task_queue, nexus_endpoint, NexusOperationCancellationType.WAIT_REQUESTED)
        await both.caller_settled()
        assert await both.count(EventType.EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUEST_COMPLETED) == 1
        await both.slow_cancelled()
        await both.end_caller()
        with pytest.raises(WorkflowFailureError):
            await both.release_slow()
    await assert_replays(both.caller, Cancelling)


async def test_wait_completed_settles_when_the_operation_has_ended(
    client: Client, task_queue: str, nexus_endpoint: str, worker_options: dict[str, Any]
) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[Cancelling], **worker_options):
        both = await pair(client, task_queue, nexus_endpoint, NexusOperationCancellationType.WAIT_COMPLETED)
        await both.slow_cancelled()
        assert await both.caller.query(Cancelling.is_settled) is False
        with pytest.raises(WorkflowFailureError):
            await both.release_slow()
        await both.caller_settled()
        assert list((await both.end_caller()).details) == ["let go"]
    await assert_replays(both.caller, Cancelling)


async def test_abandon_settles_and_leaves_the_operation_alone(
    client: Client, task_queue: str, nexus_endpoint: str, worker_options: dict[str, Any]
) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[Cancelling], **worker_options):
        both = await pair(client, task_queue, nexus_endpoint, NexusOperationCancellationType.ABANDON)
        await both.caller_settled()
        await both.end_caller()
        assert await both.count(EventType.EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUESTED) == 0
        assert await both.release_slow() == "words"
    await assert_replays(both.caller, Cancelling)


async def test_cancelling_the_caller_cancels_the_operation(
    client: Client, task_queue: str, nexus_endpoint: str, worker_options: dict[str, Any]
) -> None:
    call = Call(nexus_endpoint, "slow", {"workflow_id": f"{task_queue}-slow"})
    async with Worker(client, task_queue=task_queue, workflows=[Calling], **worker_options):
        handle = await client.start_workflow(Calling.run, call, id=task_queue, task_queue=task_queue)
        await wait_for_event(client, task_queue, EventType.EVENT_TYPE_NEXUS_OPERATION_STARTED)
        await handle.cancel()
        for ended in (handle, client.get_workflow_handle(f"{task_queue}-slow")):
            with pytest.raises(WorkflowFailureError) as raised:
                await ended.result()
            assert isinstance(raised.value.cause, CancelledError)
    await assert_replays(handle, Calling)


@workflow.defn
class Hesitating:
    """Cancels the start of an operation before the server hears of it."""

    @workflow.run
    async def run(self, endpoint: str) -> str:
        client: workflow.NexusClient[Any] = workflow.create_nexus_client(service="interop", endpoint=endpoint)
        starting = asyncio.ensure_future(client.start_operation("slow", {}))
        await asyncio.sleep(0)
        starting.cancel()
        with pytest.raises(NexusOperationError) as raised:
            await starting
        assert isinstance(raised.value.cause, CancelledError)
        return raised.value.operation


async def test_a_start_that_is_cancelled_at_once_leaves_no_trace(
    client: Client, task_queue: str, nexus_endpoint: str, worker_options: dict[str, Any]
) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[Hesitating], **worker_options):
        handle = await client.start_workflow(Hesitating.run, nexus_endpoint, id=task_queue, task_queue=task_queue)
        assert await handle.result() == "slow"
    scheduled = EventType.EVENT_TYPE_NEXUS_OPERATION_SCHEDULED
    assert of_type(await fetch_events(client, task_queue), scheduled) == []
    await assert_replays(handle, Hesitating)
