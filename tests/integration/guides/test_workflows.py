"""The guide to workflows, followed."""

from __future__ import annotations

from typing import Any

import pytest

from invincible.client import (
    Client,
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionStartWorkflow,
    ScheduleSpec,
)
from invincible.worker import Worker
from tests.support.conditions import eventually
from tests.support.guide_sessions import follow
from tests.support.guides import follow as follow_blocks

PAGE = "workflows.md"


async def test_the_page_prints_what_it_says(guide_server: str) -> None:
    await follow(PAGE, address=guide_server, namespace="workflows", task_queue="garden")


@pytest.fixture
async def defined(guide_server: str) -> dict[str, Any]:
    """The names of the page."""
    return await follow_blocks(PAGE, guide_server, only=[0, 9])


async def test_a_run_of_a_schedule_has_the_result_of_the_one_before(
    defined: dict[str, Any], client: Client, task_queue: str
) -> None:
    action = ScheduleActionStartWorkflow(defined["weekly"], "fern", id=task_queue, task_queue=task_queue)
    schedule = await client.create_schedule(task_queue, Schedule(action, ScheduleSpec()))

    async def result(run: int) -> Any:
        await schedule.trigger()

        async def started() -> str | None:
            for each in (await schedule.describe()).info.recent_actions[run:]:
                assert isinstance(each.action, ScheduleActionExecutionStartWorkflow)
                return each.action.workflow_id
            return None

        workflow_id = await eventually(started, what=f"run {run} is started")
        return await client.get_workflow_handle(workflow_id, result_type=list[str]).result()

    async with Worker(client, task_queue=task_queue, workflows=[defined["weekly"]], activities=[defined["water"]]):
        assert [await result(run) for run in range(2)] == [["fern: 1.0 l"], ["fern: 1.0 l"] * 2]
    await schedule.delete()
