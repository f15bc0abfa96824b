"""What type checkers make of lists, resets and worker deployments. Nothing here is run."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from typing_extensions import assert_type

from invincible import activity, workflow
from invincible.api.history.v1 import HistoryEvent
from invincible.client import (
    Client,
    WorkerDeploymentListDescription,
    WorkerDeploymentVersionStatus,
    WorkflowExecution,
    WorkflowExecutionAsyncIterator,
    WorkflowExecutionCount,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowHistory,
    WorkflowResetPoint,
)
from invincible.common import Priority, WorkerDeploymentVersion
from invincible.worker import Replayer


@activity.defn
async def charge(amount: int) -> str:
    return str(amount)


@workflow.defn
class Order:
    @workflow.run
    async def run(self, id: str) -> int:
        return len(id)


async def lists(client: Client) -> None:
    found = client.list_workflows("WorkflowType = 'Order'", limit=5)
    assert_type(found, WorkflowExecutionAsyncIterator)
    assert_type(found.current_page, Sequence[WorkflowExecution] | None)
    assert_type(found.next_page_token, bytes | None)
    async for execution in found:
        assert_type(execution, WorkflowExecution)
        assert_type(execution.start_time, datetime)
        assert_type(execution.status, WorkflowExecutionStatus | None)
        assert_type(execution.priority, Priority)
    assert_type(found.map_histories(), AsyncIterator[WorkflowHistory])
    await Replayer(workflows=[Order]).replay_workflows(found.map_histories())
    assert_type(await client.count_workflows(), WorkflowExecutionCount)
    for each in found:  # type: ignore[attr-defined]
        print(each)
    client.list_workflows("WorkflowType = 'Order'", 5)  # type: ignore[call-arg]


async def histories(handle: WorkflowHandle[Order, int]) -> None:
    events = handle.fetch_history_events()
    assert_type(events.current_page, Sequence[HistoryEvent] | None)
    assert_type(await events.__anext__(), HistoryEvent)


async def resets(handle: WorkflowHandle[Order, int]) -> None:
    again = await handle.reset(WorkflowResetPoint.before_activity(charge, occurrence=-1), reapply_signals=False)
    assert_type(again, WorkflowHandle[Order, int])
    assert_type(await again.result(), int)
    await handle.reset(WorkflowResetPoint.first_task())
    await handle.reset(WorkflowResetPoint.event(7))
    await handle.reset()  # type: ignore[call-arg]
    await handle.reset("first_task")  # type: ignore[arg-type]
    await handle.reset(WorkflowResetPoint.first_task)  # type: ignore[arg-type]
    await handle.reset(WorkflowResetPoint.first_task(), "why")  # type: ignore[call-arg]
    WorkflowResetPoint.before_activity(charge, 2)  # type: ignore[call-arg]
    WorkflowResetPoint.before_activity(7)  # type: ignore[arg-type]


async def deployments(client: Client) -> None:
    deployment = client.get_worker_deployment_handle("payments")
    async for listed in client.list_worker_deployments():
        assert_type(listed, WorkerDeploymentListDescription)
    description = await deployment.describe()
    assert_type(description.routing.current_version, WorkerDeploymentVersion | None)
    assert_type([each.status for each in description.versions], list[WorkerDeploymentVersionStatus | None])
    token = await deployment.set_current_version("2", conflict_token=description.conflict_token)
    assert_type(await deployment.set_ramping_version(None, 0, conflict_token=token), bytes)
    assert_type(await deployment.update_version_metadata("2", upsert={"commit": "abc"}), Mapping[str, Any])
    await deployment.set_ramping_version("2")  # type: ignore[call-arg]
    await deployment.set_current_version("2", token)  # type: ignore[call-arg]
