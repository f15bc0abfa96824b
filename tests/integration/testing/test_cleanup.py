"""What a test leaves open is ended, though lists of the server are late."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from invincible import workflow
from invincible.client import Client, Schedule, ScheduleActionStartWorkflow, ScheduleSpec
from invincible.testing import WorkflowEnvironment
from invincible.testing.pytest_plugin._cleanup import end_all


@workflow.defn
async def waits() -> None:
    await workflow.wait_condition(lambda: False)


@dataclass
class Listed:
    id: str
    run_id: str | None = None
    workflow_type: str = "waits"


async def one(of: str) -> AsyncIterator[Listed]:
    yield Listed(of)


async def test_what_has_ended_since_it_was_listed_is_not_left(
    env: WorkflowEnvironment, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = Schedule(ScheduleActionStartWorkflow(waits, id="waits", task_queue="none"), ScheduleSpec())
    await (await client.create_schedule("weekly", schedule)).delete()
    await (await client.start_workflow(waits, id="waits", task_queue="none")).terminate()

    async def schedules() -> AsyncIterator[Listed]:
        return one("weekly")

    monkeypatch.setattr(client, "list_schedules", schedules)
    monkeypatch.setattr(client, "list_workflows", lambda query, **options: one("waits"))
    assert await end_all(client) == []
