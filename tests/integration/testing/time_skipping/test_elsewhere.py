"""Workflows that other processes and Nexus handlers start skip time, too."""

from __future__ import annotations

from datetime import timedelta

import pytest
from nexusrpc.handler import service_handler

from invincible import activity, nexus, workflow
from invincible.testing import WorkflowEnvironment
from invincible.worker import Worker

from .flows import sleep_days


@activity.defn
async def start_another(workflow_id: str) -> float:
    task_queue = activity.info().task_queue
    days: float = await activity.client().execute_workflow(sleep_days, 30, id=workflow_id, task_queue=task_queue)
    return days


@workflow.defn
async def delegates(workflow_id: str) -> float:
    days: float = await workflow.execute_activity(
        start_another, workflow_id, start_to_close_timeout=timedelta(minutes=5)
    )
    return days


async def test_workers_in_other_processes_start_workflows_that_skip(
    clocked: WorkflowEnvironment, task_queue: str
) -> None:
    queue = f"{task_queue}-processes"
    async with Worker(
        clocked.client, task_queue=queue, workflows=[sleep_days, delegates], activities=[start_another], processes=1
    ):
        days = await clocked.client.execute_workflow(delegates, f"{queue}-30", id=queue, task_queue=queue)
    assert days == pytest.approx(30, abs=0.01)


@service_handler
class Archive:
    """Takes a month for everything."""

    @nexus.workflow_run_operation
    async def store(self, ctx: nexus.WorkflowRunOperationContext, workflow_id: str) -> nexus.WorkflowHandle[float]:
        return await ctx.start_workflow(sleep_days, 30, id=workflow_id)


@workflow.defn
async def archives(endpoint: str) -> float:
    client = workflow.create_nexus_client(service=Archive, endpoint=endpoint)
    days: float = await client.execute_operation(Archive.store, f"{workflow.info().workflow_id}-stored")
    return days


async def test_what_is_behind_a_nexus_operation_skips(clocked: WorkflowEnvironment, task_queue: str) -> None:
    queue = f"{task_queue}-nexus"
    endpoint = await clocked.create_nexus_endpoint(queue, queue)
    async with Worker(
        clocked.client, task_queue=queue, workflows=[sleep_days, archives], nexus_service_handlers=[Archive()]
    ):
        days = await clocked.client.execute_workflow(archives, queue, id=queue, task_queue=queue)
    assert days == pytest.approx(30, abs=0.01)
    await clocked.delete_nexus_endpoint(endpoint)
