"""What type checkers make of Nexus handlers. Nothing here is run; ``test_checkers`` has the checkers read it."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from datetime import timedelta
from typing import Any

import nexusrpc
from nexusrpc.handler import StartOperationContext, service_handler, sync_operation
from typing_extensions import assert_type

from invincible import activity, nexus, workflow
from invincible.client import Client, WorkflowUpdateStage
from invincible.nexus import TemporalOperationResult, WorkflowHandle
from invincible.worker import Worker

MINUTE = timedelta(minutes=1)


@workflow.defn
class Translate:
    @workflow.run
    async def run(self, text: str) -> list[str]:
        return [text]

    @workflow.update
    async def add(self, text: str) -> int:
        return len(text)

    @workflow.update
    def clear(self) -> None: ...


@workflow.defn
async def translate_all() -> int:
    return 1


@activity.defn
async def look_up(text: str) -> list[str]:
    return [text]


@activity.defn
def count(text: str) -> int:
    return len(text)


@nexusrpc.service
class Translation:
    translate: nexusrpc.Operation[str, list[str]]
    count: nexusrpc.Operation[str, int]


async def workflow_runs(ctx: nexus.WorkflowRunOperationContext) -> None:
    assert_type(await ctx.start_workflow(Translate.run, "hello", id="1"), WorkflowHandle[list[str]])
    assert_type(await ctx.start_workflow(Translate.run, args=["hello"], id="1"), WorkflowHandle[list[str]])
    assert_type(await ctx.start_workflow("Translate", "hello", id="1"), WorkflowHandle[Any])
    assert_type(await ctx.start_workflow("Translate", "hello", id="1", result_type=int), WorkflowHandle[int])
    await ctx.start_workflow(Translate.run, "hello", id="1", task_queue="others", run_timeout=MINUTE)
    await ctx.start_workflow(Translate.run, 1, id="1")  # type: ignore[misc]
    await ctx.start_workflow(Translate.run, "hello")  # type: ignore[call-overload]
    await ctx.start_workflow(Translate.run, "hello", id="1", run_timeout=1)  # type: ignore[call-overload]


async def temporal(client: nexus.TemporalNexusClient) -> None:
    assert_type(client.client, Client)
    accepted = WorkflowUpdateStage.ACCEPTED
    assert_type(await client.start_workflow(Translate.run, "hello", id="1"), TemporalOperationResult[list[str]])
    assert_type(
        await client.start_workflow_update(
            "1", Translate.add, "x", wait_for_stage=WorkflowUpdateStage.ACCEPTED, update_id="u"
        ),
        TemporalOperationResult[int],
    )
    assert_type(
        await client.start_workflow_update("1", Translate.clear, wait_for_stage=WorkflowUpdateStage.ACCEPTED),
        TemporalOperationResult[None],
    )
    assert_type(
        await client.start_workflow_update(
            "1", "add", "x", wait_for_stage=WorkflowUpdateStage.ACCEPTED, result_type=int
        ),
        TemporalOperationResult[int],
    )
    assert_type(
        await client.start_activity(look_up, "x", id="1", start_to_close_timeout=MINUTE),
        TemporalOperationResult[list[str]],
    )
    assert_type(
        await client.start_activity(count, "x", id="1", start_to_close_timeout=MINUTE), TemporalOperationResult[int]
    )
    assert_type(
        await client.start_activity("count", "x", id="1", result_type=int, start_to_close_timeout=MINUTE),
        TemporalOperationResult[int],
    )
    assert_type(TemporalOperationResult.sync("x"), TemporalOperationResult[str])
    await client.start_workflow_update("1", Translate.add, "x")  # type: ignore[call-overload]
    await client.start_workflow_update("1", Translate.add, "x", wait_for_stage="accepted")  # type: ignore[call-overload]
    await client.start_activity(count, "x")  # type: ignore[call-overload]
    assert accepted


@service_handler(service=Translation)
class Handler:
    @nexus.workflow_run_operation
    async def translate(self, ctx: nexus.WorkflowRunOperationContext, text: str) -> nexus.WorkflowHandle[list[str]]:
        return await ctx.start_workflow(Translate.run, text, id=text)

    @sync_operation
    def count(self, ctx: StartOperationContext, text: str) -> int:
        return len(text)

    @nexus.temporal_operation(name="other")
    async def other(
        self, ctx: nexus.TemporalStartOperationContext, client: nexus.TemporalNexusClient, text: str
    ) -> nexus.TemporalOperationResult[int]:
        return nexus.TemporalOperationResult.sync(len(text))

    @nexus.workflow_run_operation  # type: ignore[arg-type]
    async def wrong(self, ctx: nexus.WorkflowRunOperationContext, text: str) -> int:
        return 1


class Deciding(nexus.TemporalOperationHandler[str, int]):
    async def start_operation(
        self, ctx: nexus.TemporalStartOperationContext, client: nexus.TemporalNexusClient, input: str
    ) -> nexus.TemporalOperationResult[int]:
        return await client.start_activity(count, input, id=input, start_to_close_timeout=MINUTE)


async def callers(client: Client) -> None:
    Worker(client, task_queue="words", nexus_service_handlers=[Handler()])
    standalone = client.create_nexus_client(Translation, "words")
    assert_type(await standalone.execute_operation(Translation.translate, "hello", id="1"), list[str])
    await standalone.execute_operation(Translation.translate, 1, id="1")  # type: ignore[misc]


async def workflow_caller() -> None:
    inside = workflow.create_nexus_client(service=Translation, endpoint="words")
    assert_type(await inside.execute_operation(Translation.count, "hello"), int)
    await inside.execute_operation(Translation.count, 1)  # type: ignore[misc]
