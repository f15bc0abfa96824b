"""Points to reset to, found in histories written by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from invincible.api.history.v1 import HistoryEvent
from invincible.client import Client, WorkflowResetPoint
from invincible.client._reset.calls import _excluded
from invincible.client._reset.inputs import ResetWorkflowInput
from invincible.client._reset.point import ImpossiblePoint
from invincible.client._reset.steps import Steps


async def steps(kinds: Sequence[str | dict[str, Any]]) -> Steps:
    """The steps of a history: kinds of events, or activities by id and type, called by the last completed task."""

    async def events() -> AsyncIterator[HistoryEvent]:
        task = 0
        for event_id, kind in enumerate(kinds, start=1):
            event = HistoryEvent(event_id=event_id)
            if isinstance(kind, str):
                getattr(event, f"{kind}_event_attributes").SetInParent()
                task = event_id if kind == "workflow_task_completed" else task
            else:
                scheduled = event.activity_task_scheduled_event_attributes
                scheduled.activity_id, scheduled.activity_type.name = kind["id"], kind["type"]
                scheduled.workflow_task_completed_event_id = task
            yield event

    return await Steps.of(events())


START = ["workflow_execution_started", "workflow_task_scheduled"]


@pytest.mark.parametrize(
    ("kinds", "first", "last"),
    [
        ([*START, "workflow_task_started"], 3, 3),
        ([*START, "workflow_task_timed_out", "workflow_task_scheduled"], 3, 3),
        ([*START, "workflow_task_started", "workflow_task_failed"], 3, 4),
        ([*START, "workflow_task_started", "workflow_task_failed", "workflow_task_completed"], 5, 5),
        ([*START, "workflow_task_completed", "workflow_task_completed", "workflow_task_failed"], 3, 4),
    ],
)
async def test_tasks_that_completed_come_before_others(kinds: list[str], first: int, last: int) -> None:
    found = await steps(kinds)
    assert WorkflowResetPoint.first_task()._resolve(found) == first
    assert WorkflowResetPoint.last_task()._resolve(found) == last


async def test_the_server_can_reset_to_tasks_however_they_went() -> None:
    kinds = ["workflow_task_started", "workflow_task_failed", "workflow_task_timed_out", "workflow_task_completed"]
    found = await steps([*START, *kinds, "workflow_task_scheduled", "workflow_execution_signaled"])
    assert [WorkflowResetPoint.event(event_id)._resolve(found) for event_id in (3, 4, 5, 6)] == [3, 4, 5, 6]
    for event_id in (1, 2, 7, 8, 9):
        with pytest.raises(ImpossiblePoint, match=r"nearest by which one completed: 6, of 1"):
            WorkflowResetPoint.event(event_id)._resolve(found)


async def test_a_long_list_of_activities_is_cut() -> None:
    kinds: list[str | dict[str, Any]] = [*START, "workflow_task_completed"]
    kinds += [{"id": str(n), "type": f"a{n}"} for n in range(25)]
    found = await steps(kinds)
    for point in (WorkflowResetPoint.before_activity("b"), WorkflowResetPoint.before_activity_id("b")):
        with pytest.raises(ImpossiblePoint, match=r"'?0.*a19.* and 5 more$") as raised:
            point._resolve(found)
        assert "a20" not in str(raised.value)


async def test_an_activity_called_once_is_said_to_be() -> None:
    found = await steps([*START, "workflow_task_completed", {"id": "1", "type": "a"}])
    with pytest.raises(ImpossiblePoint, match=r"its history has that activity once$"):
        WorkflowResetPoint.before_activity("a", occurrence=2)._resolve(found)


def test_what_is_not_reapplied_is_excluded_by_number() -> None:
    def excluded(signals: bool, updates: bool, nexus_results: bool) -> list[int]:
        return list(
            _excluded(
                ResetWorkflowInput(
                    id="id",
                    run_id=None,
                    first_execution_run_id=None,
                    point=WorkflowResetPoint.first_task(),
                    reason="",
                    reapply_signals=signals,
                    reapply_updates=updates,
                    reapply_nexus_results=nexus_results,
                    ret_type=None,
                    rpc_metadata={},
                    rpc_timeout=None,
                )
            )
        )

    assert excluded(True, True, True) == []
    assert excluded(False, True, True) == [1]
    assert excluded(True, False, True) == [2]
    assert excluded(True, True, False) == [3]
    assert excluded(False, False, False) == [1, 2, 3]


def test_points_of_a_wrong_type_are_named() -> None:
    point: Any = WorkflowResetPoint
    with pytest.raises(TypeError, match=r"^occurrence must be an int, got str$"):
        point.before_activity("charge", occurrence="2")
    with pytest.raises(TypeError, match=r"^activity_id must be a str, got int$"):
        point.before_activity_id(7)
    with pytest.raises(TypeError, match=r"^event_id must be an int, got float$"):
        point.event(4.0)


async def test_only_points_can_be_reset_to() -> None:
    client = await Client.connect("127.0.0.1:9", lazy=True)
    handle: Any = client.get_workflow_handle("order-17")
    with pytest.raises(TypeError, match=r"^point must be a WorkflowResetPoint such as .*first_task\(\), got int$"):
        await handle.reset(25)


@pytest.mark.parametrize(
    "made",
    [
        "WorkflowResetPoint.first_task()",
        "WorkflowResetPoint.last_task()",
        "WorkflowResetPoint.before_activity('charge')",
        "WorkflowResetPoint.before_activity('charge', occurrence=2)",
        "WorkflowResetPoint.before_activity_id('7')",
        "WorkflowResetPoint.event(4)",
    ],
)
def test_points_are_shown_as_they_are_made(made: str) -> None:
    assert repr(eval(made)) == made
