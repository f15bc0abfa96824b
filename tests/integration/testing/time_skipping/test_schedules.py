"""Months of a schedule pass."""

from __future__ import annotations

import itertools

import pytest

from invincible.client import (
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionStartWorkflow,
    ScheduleBackfill,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
)
from invincible.service import RPCError
from invincible.testing import WorkflowEnvironment
from tests.support.conditions import eventually

from .flows import DAY, HOUR, nothing, real_now, sleep_days


def daily(task_queue: str) -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(nothing, id=f"{task_queue}-job", task_queue=task_queue),
        spec=ScheduleSpec(cron_expressions=["0 12 * * *"]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.ALLOW_ALL),
    )


async def test_ninety_days_of_a_schedule_pass(clocked: WorkflowEnvironment, task_queue: str) -> None:
    handle = await clocked.client.create_schedule(task_queue, daily(task_queue))
    assert await clocked.fast_forward(handle, 90 * DAY) is True
    info = (await handle.describe()).info
    assert info.num_actions == 90
    times = [action.scheduled_at for action in info.recent_actions]
    assert all(later - earlier == DAY for earlier, later in itertools.pairwise(times))
    assert times[-1] - real_now() > 88 * DAY
    assert await clocked.get_current_time(handle) - real_now() == pytest.approx(90 * DAY, abs=HOUR)
    last = info.recent_actions[-1].action
    assert isinstance(last, ScheduleActionExecutionStartWorkflow)
    await clocked.client.get_workflow_handle(last.workflow_id).result()
    await handle.delete()


async def test_a_scheduled_workflow_skips_when_it_is_awaited(clocked: WorkflowEnvironment, task_queue: str) -> None:
    action = ScheduleActionStartWorkflow(sleep_days, 30, id=task_queue, task_queue=task_queue)
    handle = await clocked.client.create_schedule(task_queue, Schedule(action=action, spec=ScheduleSpec()))
    await handle.trigger()

    async def started() -> str | None:
        actions = (await handle.describe()).info.recent_actions
        return actions[0].action.workflow_id if actions else None  # type: ignore[attr-defined]

    workflow_id = await eventually(started, what="the schedule has started its workflow")
    waiting = clocked.client.get_workflow_handle(workflow_id, result_type=float)
    assert await waiting.result() == pytest.approx(30, abs=0.01)
    await handle.delete()


async def test_a_schedule_is_back_filled(clocked: WorkflowEnvironment, task_queue: str) -> None:
    handle = await clocked.client.create_schedule(task_queue, daily(task_queue))
    begin = real_now()
    await handle.backfill(ScheduleBackfill(start_at=begin, end_at=begin + 9 * DAY))

    async def nine() -> bool:
        return (await handle.describe()).info.num_actions == 9

    await eventually(nine, what="nine actions were taken")
    await handle.delete()


async def test_wrong_schedules_are_named(clocked: WorkflowEnvironment) -> None:
    handle = clocked.client.get_schedule_handle("no-such-schedule")
    with pytest.raises(RPCError, match="schedule 'no-such-schedule' is not running"):
        await clocked.fast_forward(handle, DAY)
    with pytest.raises(TypeError, match="a schedule has no end"):
        await clocked.fast_forward(handle)
