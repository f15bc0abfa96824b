"""Traces through Nexus operations, called by workflows and by clients."""

from __future__ import annotations

import nexusrpc
import pytest
from nexusrpc.handler import StartOperationContext, service_handler, sync_operation
from opentelemetry import trace

from invincible import nexus, workflow
from invincible.client import Client
from invincible.worker import Worker
from tests.support.go_worker import nexus_endpoint
from tests.support.tracing import Spans, context_of


@nexusrpc.service
class Kitchen:
    taste: nexusrpc.Operation[str, str]
    cook: nexusrpc.Operation[str, str]


@workflow.defn
async def cooking(dish: str) -> str:
    return f"{dish}, cooked"


@service_handler(service=Kitchen)
class KitchenHandler:
    @sync_operation
    async def taste(self, ctx: StartOperationContext, input: str) -> str:
        with trace.get_tracer("test").start_as_current_span("lick"):
            return f"{input}, tasted"

    @nexus.workflow_run_operation
    async def cook(self, ctx: nexus.WorkflowRunOperationContext, input: str) -> nexus.WorkflowHandle[str]:
        return await ctx.start_workflow(cooking, input, id=f"cooking-{ctx.request_id}")


@workflow.defn
async def dinner(endpoint: str) -> str:
    kitchen = workflow.create_nexus_client(service=Kitchen, endpoint=endpoint)
    tasted = await kitchen.execute_operation(Kitchen.taste, "soup")
    return await kitchen.execute_operation(Kitchen.cook, tasted)


OPERATIONS = """\
StartNexusOperation:Kitchen/cook
  RunStartNexusOperationHandler:Kitchen/cook
    StartWorkflow:cooking
StartNexusOperation:Kitchen/taste
  RunStartNexusOperationHandler:Kitchen/taste
    lick
"""


@pytest.mark.parametrize(("how", "depth"), [("plugged", 3), ("intercepted", 2)])
async def test_operations_and_what_they_start_belong_to_the_trace(
    request: pytest.FixtureRequest, spans: Spans, address: str, task_queue: str, how: str, depth: int
) -> None:
    client = await Client.connect(address, **request.getfixturevalue(how))
    worker = Worker(
        client, task_queue=task_queue, workflows=[dinner, cooking], nexus_service_handlers=[KitchenHandler()]
    )
    async with nexus_endpoint(client, name=task_queue, task_queue=task_queue) as endpoint, worker:
        with trace.get_tracer("test").start_as_current_span("evening"):
            result = await client.execute_workflow(dinner, endpoint, id=task_queue, task_queue=task_queue)
            assert result == "soup, tasted, cooked"
            kitchen = client.create_nexus_client(service=Kitchen, endpoint=endpoint)
            assert await kitchen.execute_operation(Kitchen.taste, "tea", id=task_queue) == "tea, tasted"
        await spans.have("RunStartNexusOperationHandler:Kitchen/taste", 2)
    tree = spans.tree()
    indented = [f"{'  ' * depth}{line}" for line in OPERATIONS.splitlines()]
    of_workflow = [line for line in tree if line in indented]
    assert of_workflow == indented
    of_client = "  StartNexusOperation:Kitchen/taste"
    assert tree[tree.index(of_client) :][:3] == [
        of_client,
        "    RunStartNexusOperationHandler:Kitchen/taste",
        "      lick",
    ]
    assert len({context_of(span).trace_id for span in spans.all()}) == 1
