"""Nexus operations of a Go worker, called by the client itself rather than by a workflow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from invincible.client import (
    Client,
    Interceptor,
    NexusClient,
    NexusOperationExecution,
    NexusOperationFailureError,
    NexusOperationHandle,
    OutboundInterceptor,
)
from invincible.common import (
    NexusOperationCancellationState,
    NexusOperationExecutionStatus,
    NexusOperationIDConflictPolicy,
    NexusOperationIDReusePolicy,
)
from invincible.exceptions import (
    ApplicationError,
    CancelledError,
    NexusOperationAlreadyStartedError,
    TerminatedError,
    TimeoutError,
    TimeoutType,
)
from invincible.service import RPCError, RPCStatusCode
from tests.support.conditions import eventually
from tests.support.guides import follow

from .test_nexus import assert_wanted
from .values import ADA, FAILURE, Person


@dataclass
class Operation:
    """What a ``nexusrpc`` service has as an operation."""

    name: str
    input_type: type[Any] | None
    output_type: type[Any] | None


ECHO: Any = Operation("echo", Person, Person)


@pytest.fixture
def nexus(client: Client, nexus_endpoint: str) -> NexusClient[Any]:
    return client.create_nexus_client("interop", nexus_endpoint)


def slow(operation_id: str) -> dict[str, Any]:
    """The input of an operation that waits to be told."""
    return {"name": "Ada", "workflow_id": f"{operation_id}-workflow"}


async def test_the_result_has_the_type_of_the_operation(nexus: NexusClient[Any], task_queue: str) -> None:
    assert await nexus.execute_operation(ECHO, ADA, id=task_queue) == ADA
    plain = await nexus.execute_operation("echo", ADA, id=f"{task_queue}-plain")
    assert plain["name"] == ADA.name
    assert await nexus.execute_operation("echo", ADA, id=f"{task_queue}-typed", result_type=Person) == ADA


async def test_a_handle_by_id_has_the_type_of_the_operation(
    client: Client, nexus: NexusClient[Any], task_queue: str
) -> None:
    started = await nexus.start_operation(ECHO, ADA, id=task_queue)
    assert (started.operation_id, started.service) == (task_queue, "interop")
    found = client.get_nexus_operation_handle(task_queue, operation=ECHO, run_id=started.run_id)
    assert await found.result() == ADA
    assert await client.get_nexus_operation_handle(task_queue, result_type=Person).result() == ADA


async def test_the_description_tells_all(
    client: Client, nexus: NexusClient[Any], nexus_endpoint: str, task_queue: str
) -> None:
    handle = await nexus.start_operation(
        "greet",
        slow(task_queue),
        id=task_queue,
        schedule_to_close_timeout=timedelta(seconds=50),
        schedule_to_start_timeout=timedelta(seconds=40),
        start_to_close_timeout=timedelta(seconds=30),
        summary="a greeting",
    )

    async def started() -> bool:
        return (await handle.describe()).operation_token is not None

    await eventually(started, what="the operation has started")
    running = await handle.describe()
    assert (running.operation_id, running.run_id) == (task_queue, handle.run_id)
    assert (running.endpoint, running.service, running.operation) == (nexus_endpoint, "interop", "greet")
    assert running.status is NexusOperationExecutionStatus.RUNNING
    assert (running.close_time, running.cancellation_info) == (None, None)
    assert running.schedule_to_close_timeout == timedelta(seconds=50)
    assert running.schedule_to_start_timeout == timedelta(seconds=40)
    assert running.start_to_close_timeout == timedelta(seconds=30)
    assert running.schedule_time is not None
    assert running.expiration_time == running.schedule_time + timedelta(seconds=50)
    assert running.identity == client.identity
    assert (running.attempt, running.request_id == "") == (1, False)
    assert (await running.static_summary(), await running.static_details()) == ("a greeting", None)

    await client.get_workflow_handle(f"{task_queue}-workflow").signal("release")
    assert await handle.result() == "Hello, Ada"
    closed = await handle.describe()
    assert closed.status is NexusOperationExecutionStatus.COMPLETED
    assert closed.close_time is not None
    assert closed.execution_duration is not None
    # Each is rounded to microseconds.
    assert abs(closed.execution_duration - (closed.close_time - running.schedule_time)) < timedelta(milliseconds=1)


async def test_a_failed_operation_tells_why(nexus: NexusClient[Any], task_queue: str) -> None:
    handle = await nexus.start_operation("fail", {"failure": FAILURE}, id=task_queue)
    with pytest.raises(NexusOperationFailureError) as raised:
        await handle.result()
    cause = raised.value.cause
    assert isinstance(cause, ApplicationError)
    assert cause.message.endswith("given up")
    assert_wanted(cause.cause)
    described = await handle.describe()
    assert described.status is NexusOperationExecutionStatus.FAILED
    assert described.last_attempt_failure is not None


async def test_a_cancelled_operation_knows_who_asked(nexus: NexusClient[Any], task_queue: str) -> None:
    handle = await nexus.start_operation("slow", {"workflow_id": f"{task_queue}-workflow"}, id=task_queue)

    async def started() -> bool:
        return (await handle.describe()).operation_token is not None

    await eventually(started, what="the operation has started")
    await handle.cancel(reason="no longer needed")
    with pytest.raises(NexusOperationFailureError) as raised:
        await handle.result()
    assert isinstance(raised.value.cause, CancelledError)
    described = await handle.describe()
    assert described.status is NexusOperationExecutionStatus.CANCELED
    assert described.cancellation_info is not None
    assert described.cancellation_info.reason == "no longer needed"
    assert described.cancellation_info.state is NexusOperationCancellationState.SUCCEEDED


async def test_a_terminated_operation_ends_without_its_handler(nexus: NexusClient[Any], task_queue: str) -> None:
    handle = await nexus.start_operation("greet", slow(task_queue), id=task_queue)
    await handle.terminate(reason="enough")
    with pytest.raises(NexusOperationFailureError) as raised:
        await handle.result()
    assert isinstance(raised.value.cause, TerminatedError)
    assert raised.value.cause.message == "enough"


async def test_an_operation_times_out(nexus: NexusClient[Any], task_queue: str) -> None:
    with pytest.raises(NexusOperationFailureError) as raised:
        await nexus.execute_operation(
            "greet", slow(task_queue), id=task_queue, schedule_to_close_timeout=timedelta(milliseconds=300)
        )
    assert isinstance(raised.value.cause, TimeoutError)
    assert raised.value.cause.type is TimeoutType.SCHEDULE_TO_CLOSE


async def test_an_id_is_taken_while_its_operation_runs(nexus: NexusClient[Any], task_queue: str) -> None:
    first = await nexus.start_operation("greet", slow(task_queue), id=task_queue)
    with pytest.raises(NexusOperationAlreadyStartedError) as raised:
        await nexus.start_operation("greet", slow(task_queue), id=task_queue)
    assert (raised.value.operation_id, raised.value.run_id) == (task_queue, first.run_id)
    same = await nexus.start_operation(
        "greet",
        slow(task_queue),
        id=task_queue,
        id_conflict_policy=NexusOperationIDConflictPolicy.USE_EXISTING,
    )
    assert same.run_id == first.run_id
    await first.terminate()
    with pytest.raises(NexusOperationAlreadyStartedError):
        await nexus.start_operation(
            "greet", slow(task_queue), id=task_queue, id_reuse_policy=NexusOperationIDReusePolicy.REJECT_DUPLICATE
        )
    again = await nexus.start_operation("greet", slow(f"{task_queue}-again"), id=task_queue)
    assert again.run_id != first.run_id
    await again.terminate()


async def test_operations_are_listed_and_counted(
    client: Client, nexus: NexusClient[Any], nexus_endpoint: str, task_queue: str
) -> None:
    done = [await nexus.start_operation("echo", ADA, id=f"{task_queue}-{number}") for number in range(3)]
    for handle in done:
        await handle.result()
    running = await nexus.start_operation("greet", slow(task_queue), id=f"{task_queue}-running")
    query = f"Endpoint = '{nexus_endpoint}'"

    async def listed() -> list[NexusOperationExecution]:
        found = [each async for each in client.list_nexus_operations(query, page_size=2)]
        assert sorted(each.operation_id for each in found) == sorted(each.operation_id for each in [*done, running])
        assert sum(each.status is NexusOperationExecutionStatus.COMPLETED for each in found) == 3
        return found

    found = await eventually(listed, what="all operations are listed")
    assert {(each.endpoint, each.service) for each in found} == {(nexus_endpoint, "interop")}
    assert len([each async for each in client.list_nexus_operations(query, limit=3, page_size=2)]) == 3
    assert (await client.count_nexus_operations(query)).count == 4
    grouped = await client.count_nexus_operations(f"{query} GROUP BY ExecutionStatus")
    groups = {str(group.group_values[0]): group.count for group in grouped.groups}
    assert groups == {"Completed": 3, "Running": 1}
    await running.terminate()


async def test_what_does_not_exist_is_not_found(client: Client) -> None:
    handle: NexusOperationHandle[Any] = client.get_nexus_operation_handle(str(uuid4()))
    for call in (handle.result, handle.describe, handle.cancel, handle.terminate):
        with pytest.raises(RPCError) as raised:
            await call()
        assert raised.value.status is RPCStatusCode.NOT_FOUND
    elsewhere = client.create_nexus_client("interop", "no-such-endpoint")
    with pytest.raises(RPCError, match="no-such-endpoint"):
        await elsewhere.start_operation("echo", ADA, id=str(uuid4()))


async def test_interceptors_see_every_call(client: Client, nexus_endpoint: str, task_queue: str) -> None:
    seen: list[str] = []

    class Recording(OutboundInterceptor):
        def __getattribute__(self, name: str) -> Any:
            if "nexus" in name:
                seen.append(name)
            return super().__getattribute__(name)

    class Recorder(Interceptor):
        def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
            return Recording(next)

    config = client.config()
    config["interceptors"] = [Recorder()]
    watched = Client(**config)
    nexus = watched.create_nexus_client("interop", nexus_endpoint)
    handle = await nexus.start_operation("greet", slow(task_queue), id=task_queue)
    await handle.describe()
    await handle.cancel()
    await handle.terminate()
    with pytest.raises(NexusOperationFailureError):
        await handle.result()
    async for _ in watched.list_nexus_operations("", limit=1):
        pass
    await watched.count_nexus_operations()
    assert seen == [
        "start_nexus_operation",
        "describe_nexus_operation",
        "cancel_nexus_operation",
        "terminate_nexus_operation",
        "get_nexus_operation_result",
        "list_nexus_operations",
        "count_nexus_operations",
    ]


async def test_the_guide_does_what_it_says(client: Client, address: str, nexus_endpoint: str, task_queue: str) -> None:
    order = {"id": task_queue, "name": "Ada", "age": 36}
    # The page's operation takes an order and gives a text; this one gives back what it takes.
    there = {'"payments"': '"interop"', "payments-endpoint": nexus_endpoint, "result_type=str": "result_type=dict"}
    names = await follow("nexus-operations.md", address, {**there, '"charge"': '"echo"'})
    echoed = await names["charge"](client, order)
    assert echoed["name"] == "Ada"
    names = await follow("nexus-operations.md", address, {**there, '"charge"': '"fail"'})
    with pytest.raises(RuntimeError, match=f"order {task_queue}-failing was not charged") as error:
        await names["charge"](client, {**order, "id": f"{task_queue}-failing"})
    assert error.value.__cause__ is not None
