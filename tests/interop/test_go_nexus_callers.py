"""Go workflows that call Nexus operations of a Python worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import nexusrpc
import pytest
from nexusrpc.handler import StartOperationContext, service_handler, sync_operation

from invincible import nexus, workflow
from invincible.client import Client
from invincible.exceptions import ApplicationError
from invincible.worker import Worker
from tests.support.go_worker import GoWorker, nexus_endpoint

from .values import ADA, Person


@workflow.defn
class Behind:
    @workflow.run
    async def run(self, what: str) -> str:
        if what == "wait":
            await asyncio.Event().wait()
        if what == "fail":
            raise ApplicationError("given up", {"why": 1}, type="Wanted", non_retryable=True)
        return f"{what} done"


@service_handler(name="python")
class Python:
    @sync_operation
    async def echo(self, ctx: StartOperationContext, input: Person) -> Person:
        return input

    @sync_operation
    def fail(self, ctx: StartOperationContext, input: str) -> None:
        if input == "operation":
            cause = ApplicationError("given up", {"why": 1}, type="Wanted", non_retryable=True)
            raise nexusrpc.OperationError("no", state=nexusrpc.OperationErrorState.FAILED) from cause
        raise nexusrpc.HandlerError("refused", type=nexusrpc.HandlerErrorType.BAD_REQUEST)

    @nexus.workflow_run_operation
    async def run(self, ctx: nexus.WorkflowRunOperationContext, input: str) -> nexus.WorkflowHandle[str]:
        return await ctx.start_workflow(Behind.run, input, id=f"{nexus.info().task_queue}-{input}")


@pytest.fixture
async def endpoint(client: Client, task_queue: str, go_worker: GoWorker) -> AsyncIterator[str]:
    async with (
        nexus_endpoint(client, name=task_queue, task_queue=task_queue) as endpoint,
        Worker(client, task_queue=task_queue, workflows=[Behind], nexus_service_handlers=[Python()]),
    ):
        yield endpoint


async def call(client: Client, go_queue: str, endpoint: str, operation: str, input: Any, **options: Any) -> Any:
    arguments = {"endpoint": endpoint, "operation": operation, "input": input, **options}
    return await client.execute_workflow("CallOperation", arguments, id=f"{endpoint}-caller", task_queue=go_queue)


async def test_results_come_back(client: Client, go_queue: str, endpoint: str) -> None:
    seen = await call(client, go_queue, endpoint, "echo", ADA)
    assert (seen["result"]["name"], seen["failed"]) == (ADA.name, None)
    seen = await call(client, go_queue, endpoint, "run", "work")
    assert (seen["result"], seen["failed"]) == ("work done", None)


OPERATION = {"kind": "nexus_operation"}
WANTED = {"kind": "application", "message": "given up", "type": "Wanted", "non_retryable": True, "detail": {"why": 1}}
UNFIT = {"kind": "application", "type": "ConversionError"}


@pytest.mark.parametrize(
    ("operation", "input", "expected"),
    [
        ("fail", "operation", [OPERATION, {"kind": "application", "type": "OperationError", "message": "no"}, WANTED]),
        ("fail", "handler", [OPERATION, {"kind": "nexus_handler", "type": "BAD_REQUEST", "message": "refused"}]),
        ("echo", 5, [OPERATION, {"kind": "nexus_handler", "type": "BAD_REQUEST"}, UNFIT]),
        ("no-such", None, [OPERATION, {"kind": "nexus_handler", "type": "NOT_FOUND"}]),
        ("run", "fail", [OPERATION, WANTED]),
    ],
)
async def test_failures_are_understood(
    client: Client, go_queue: str, endpoint: str, operation: str, input: Any, expected: list[dict[str, Any]]
) -> None:
    failed = (await call(client, go_queue, endpoint, operation, input))["failed"]
    assert [link | wanted for link, wanted in zip(failed, expected, strict=True)] == failed
    assert failed[0]["name"] == operation


async def test_operations_are_cancelled(client: Client, go_queue: str, endpoint: str) -> None:
    failed = (await call(client, go_queue, endpoint, "run", "wait", cancel=True))["failed"]
    assert [link["kind"] for link in failed] == ["nexus_operation", "cancelled"]
