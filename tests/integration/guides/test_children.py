"""The guide to children, other workflows, new runs and cancellation, followed; and what its table of policies says."""

from __future__ import annotations

import asyncio

from invincible import workflow
from invincible.client import Client, WorkflowExecutionStatus
from invincible.worker import Worker
from invincible.workflow import ParentClosePolicy
from tests.support.conditions import eventually
from tests.support.guide_sessions import follow

POLICIES = {
    ParentClosePolicy.TERMINATE: WorkflowExecutionStatus.TERMINATED,
    ParentClosePolicy.REQUEST_CANCEL: WorkflowExecutionStatus.CANCELED,
    ParentClosePolicy.ABANDON: WorkflowExecutionStatus.RUNNING,
}


async def test_the_page_prints_what_it_says(guide_server: str) -> None:
    await follow("children.md", address=guide_server, namespace="children", task_queue="trips")


@workflow.defn
async def waiting() -> None:
    await asyncio.Event().wait()


@workflow.defn
class Parent:
    def __init__(self) -> None:
        self.done = False

    @workflow.run
    async def run(self, first: bool) -> None:
        if first:
            own = workflow.info().workflow_id
            for policy in POLICIES:
                await waiting.with_options(id=f"{own}-{policy.name}", parent_close_policy=policy).start()
            workflow.continue_as_new(False)
        await workflow.wait_condition(lambda: self.done)

    @workflow.signal
    def end(self) -> None:
        self.done = True


async def test_continuing_as_new_closes_children_as_their_policies_say(client: Client, task_queue: str) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[Parent, waiting]):
        parent = await client.start_workflow(Parent.run, True, id=task_queue, task_queue=task_queue)
        children = {policy: client.get_workflow_handle(f"{task_queue}-{policy.name}") for policy in POLICIES}

        async def continued() -> bool:
            return (await parent.describe()).run_id != parent.result_run_id

        await eventually(continued, what="the parent has continued as new")

        async def as_they_say() -> bool:
            return {policy: (await child.describe()).status for policy, child in children.items()} == POLICIES

        await eventually(as_they_say, what="children have ended as their policies say")
        assert (await parent.describe()).status is WorkflowExecutionStatus.RUNNING
        await parent.signal(Parent.end)
        await parent.result()
        await children[ParentClosePolicy.ABANDON].terminate()
