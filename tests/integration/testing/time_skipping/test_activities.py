"""No time is skipped while an activity runs; the time between its attempts is."""

from __future__ import annotations

import asyncio

import pytest

from invincible.exceptions import TimeoutType
from invincible.testing import WorkflowEnvironment
from tests.support.conditions import eventually

from .flows import DAY, hangs, patient, unreliable, with_heartbeats


async def test_the_time_between_attempts_of_an_activity_is_skipped(
    clocked: WorkflowEnvironment, task_queue: str
) -> None:
    minutes, cause = await clocked.client.execute_workflow(unreliable, id=task_queue, task_queue=task_queue)
    # 5, 10 and 20 minutes between four attempts; 40 more would be too many.
    assert minutes == pytest.approx(35, abs=1)
    assert "no such account" in cause


async def test_no_time_is_skipped_while_an_activity_runs(clocked: WorkflowEnvironment, task_queue: str) -> None:
    assert await clocked.client.execute_workflow(with_heartbeats, id=task_queue, task_queue=task_queue) == 1


async def test_the_log_tells_what_a_clock_waits_for(
    clocked: WorkflowEnvironment, task_queue: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("invincible.testing._clocks._LONG", 0.0)
    handle = await clocked.client.start_workflow(patient, id=task_queue, task_queue=task_queue)
    sleeping = asyncio.ensure_future(clocked.sleep(DAY))

    async def told() -> bool:
        return f"the clock of workflow '{task_queue}' stands while it waits for activities: hangs." in caplog.text

    await eventually(told, what="the log tells of the activity")
    await handle.terminate()
    await sleeping


@pytest.mark.parametrize("exceeded", [TimeoutType.START_TO_CLOSE, TimeoutType.HEARTBEAT])
async def test_an_activity_that_hangs_times_out_now(
    clocked: WorkflowEnvironment, task_queue: str, exceeded: TimeoutType
) -> None:
    handle = await clocked.client.start_workflow(patient, id=task_queue, task_queue=task_queue)
    for _ in range(2):
        await clocked.time_out_activity(handle, hangs, exceeded)
    assert await handle.result() == ("timed out", exceeded.name)


async def test_the_attempt_after_a_timeout_has_all_its_time(clocked: WorkflowEnvironment, task_queue: str) -> None:
    handle = await clocked.client.start_workflow(patient, id=f"{task_queue}-second", task_queue=task_queue)
    await clocked.time_out_activity(handle, "hangs")
    assert await handle.result() == ("done", None)


async def test_an_activity_that_is_not_there_does_not_time_out(
    clocked: WorkflowEnvironment, task_queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("invincible.testing._activity_timeouts._PATIENCE", 0.1)
    handle = await clocked.client.start_workflow(patient, id=task_queue, task_queue=task_queue)
    with pytest.raises(RuntimeError, match=rf"workflow '{task_queue}' has no activity 'charge' .*: hangs \("):
        await clocked.time_out_activity(handle, "charge")
    with pytest.raises(ValueError, match="timeout_type must be one of START_TO_CLOSE"):
        await clocked.time_out_activity(handle, "hangs", 9)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="handle must be a WorkflowHandle, got str"):
        await clocked.time_out_activity("hangs", "hangs")  # type: ignore[arg-type]
    await handle.terminate()
