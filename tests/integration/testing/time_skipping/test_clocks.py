"""Months pass in a second; each workflow has a clock of its own, which its children and later runs go on with."""

from __future__ import annotations

import asyncio
import time

import pytest

from invincible.client import (
    Client,
    WorkflowFailureError,
)
from invincible.common import RetryPolicy
from invincible.exceptions import TimeoutError
from invincible.testing import WorkflowEnvironment
from tests.support.conditions import eventually

from .flows import (
    DAY,
    HOUR,
    WITHIN,
    Subscription,
    again_and_again,
    fails_three_times,
    nothing,
    now,
    parent_of,
    real_now,
    sleep_days,
    subscribe,
    tell_child_begin,
)


async def test_a_hundred_days_pass(clocked: WorkflowEnvironment, task_queue: str) -> None:
    begin = time.monotonic()
    days = await clocked.client.execute_workflow(sleep_days, 100, id=task_queue, task_queue=task_queue)
    assert days == pytest.approx(100, abs=0.01)
    assert time.monotonic() - begin < WITHIN


async def test_ten_workflows_skip_side_by_side(clocked: WorkflowEnvironment, task_queue: str) -> None:
    begin = time.monotonic()
    days = await asyncio.gather(
        *(
            clocked.client.execute_workflow(sleep_days, 100, id=f"{task_queue}-{number}", task_queue=task_queue)
            for number in range(10)
        )
    )
    assert days == pytest.approx([100] * 10, abs=0.01)
    assert time.monotonic() - begin < 2 * WITHIN


async def test_time_stands_until_somebody_waits(clocked: WorkflowEnvironment, task_queue: str) -> None:
    handle = await subscribe(clocked.client, task_queue)
    assert await handle.query(Subscription.months) == 0
    before = await clocked.get_current_time(handle)
    assert before - real_now() < HOUR

    await clocked.sleep(89 * DAY)
    assert await handle.query(Subscription.months) == 2
    assert 88 * DAY < await clocked.get_current_time(handle) - before < 90 * DAY

    await clocked.sleep((2 * DAY).total_seconds())
    assert await handle.query(Subscription.months) == 3

    await handle.signal(Subscription.cancel)
    assert await handle.result() == 3


async def test_the_clock_stands_again_when_the_wait_is_given_up(clocked: WorkflowEnvironment, task_queue: str) -> None:
    handle = await subscribe(clocked.client, task_queue)
    waiting = asyncio.ensure_future(handle.result())

    async def some_months() -> bool:
        return await handle.query(Subscription.months) >= 3

    await eventually(some_months, what="three months have passed")
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    # A clock that ran would not wait for queries to be answered. A wait that was over may be told a moment later.
    months = [await handle.query(Subscription.months) for _ in range(30)]
    assert months[-1] - months[0] <= 1
    await handle.signal(Subscription.cancel)
    assert await handle.result() == months[-1]


async def test_time_passes_while_somebody_waits_and_sleeps(clocked: WorkflowEnvironment, task_queue: str) -> None:
    handle = await clocked.client.start_workflow(sleep_days, 100, id=task_queue, task_queue=task_queue)
    result, _ = await asyncio.gather(handle.result(), clocked.sleep(10 * DAY))
    assert result == pytest.approx(100, abs=0.01)


async def test_a_step_forward_does_not_stop_the_clock_for_who_waits(
    clocked: WorkflowEnvironment, task_queue: str
) -> None:
    handle = await subscribe(clocked.client, task_queue)
    waiting = asyncio.ensure_future(handle.result())

    async def has_months(months: int) -> bool:
        return await handle.query(Subscription.months) >= months

    await eventually(lambda: has_months(1), what="the clock runs")
    assert await clocked.fast_forward(handle, 31 * DAY)
    months = await handle.query(Subscription.months)
    await eventually(lambda: has_months(months + 5), what="the clock runs on")
    await handle.signal(Subscription.cancel)
    assert await waiting > months


async def test_times_that_pass_side_by_side_add_up(clocked: WorkflowEnvironment, task_queue: str) -> None:
    handle = await subscribe(clocked.client, task_queue)
    begin = await clocked.get_current_time(handle)
    await asyncio.gather(clocked.sleep(31 * DAY), clocked.sleep(3 * DAY), clocked.sleep(31 * DAY))
    assert await clocked.get_current_time(handle) - begin == pytest.approx(65 * DAY, abs=HOUR)
    assert await handle.query(Subscription.months) == 2
    await handle.terminate()


async def test_only_the_workflow_that_is_awaited_runs(clocked: WorkflowEnvironment, task_queue: str) -> None:
    standing = await subscribe(clocked.client, task_queue)
    await clocked.client.execute_workflow(sleep_days, 300, id=f"{task_queue}-300", task_queue=task_queue)
    assert await standing.query(Subscription.months) == 0
    await standing.terminate()


async def test_children_inherit_the_clock(clocked: WorkflowEnvironment, task_queue: str) -> None:
    ahead = await clocked.client.execute_workflow(tell_child_begin, id=task_queue, task_queue=task_queue)
    assert abs(ahead) < HOUR


async def test_children_that_are_there_already_run_with_their_parent(
    clocked: WorkflowEnvironment, task_queue: str
) -> None:
    handle = await clocked.client.start_workflow(
        parent_of, args=["sleep_days", 50], id=task_queue, task_queue=task_queue
    )
    await clocked.sleep(2 * DAY)
    child = clocked.client.get_workflow_handle(f"{task_queue}-child", result_type=float)
    assert (await child.describe()).status is not None
    # A clock is a workflow's own: the parent waits through the days that its child skips.
    assert await handle.result() == pytest.approx(1, abs=0.1)
    assert await child.result() == pytest.approx(50, abs=0.01)


async def test_a_parent_stays_behind_a_child_that_is_open(clocked: WorkflowEnvironment, task_queue: str) -> None:
    handle = await clocked.client.start_workflow(
        parent_of, args=["Subscription", 0], id=task_queue, task_queue=task_queue
    )
    begin = await clocked.get_current_time(handle)
    await clocked.sleep(70 * DAY)
    child = clocked.client.get_workflow_handle_for(Subscription.run, f"{task_queue}-child")
    assert await child.query(Subscription.months) == 2
    assert await clocked.get_current_time(child) - begin == pytest.approx(70 * DAY, abs=HOUR)
    assert await clocked.get_current_time(handle) - begin == pytest.approx(DAY, abs=HOUR)
    await child.signal(Subscription.cancel)
    assert await handle.result() == pytest.approx(1, abs=0.1)


async def test_continuing_as_new_retries_and_cron_go_on_with_the_clock(
    clocked: WorkflowEnvironment, task_queue: str
) -> None:
    end = await clocked.client.execute_workflow(again_and_again, 5, id=f"{task_queue}-new", task_queue=task_queue)
    assert end - real_now() == pytest.approx(50 * DAY, abs=HOUR)

    retries = RetryPolicy(initial_interval=DAY)
    handle = await clocked.client.start_workflow(
        fails_three_times, id=f"{task_queue}-retry", task_queue=task_queue, retry_policy=retries
    )
    assert await handle.result() == 4
    # One day, two days, four days.
    last = clocked.client.get_workflow_handle(f"{task_queue}-retry")
    assert await clocked.get_current_time(last) - real_now() == pytest.approx(7 * DAY, abs=HOUR)

    cron = await clocked.client.start_workflow(
        nothing, id=f"{task_queue}-cron", task_queue=task_queue, cron_schedule="0 12 * * *"
    )
    await clocked.sleep(20 * DAY)
    assert await clocked.get_current_time(cron) - real_now() == pytest.approx(20 * DAY, abs=HOUR)
    runs = await eventually(
        lambda: twenty_runs(clocked.client, f"{task_queue}-cron"), what="each day of the cron has its run"
    )
    assert runs in (20, 21)
    await cron.terminate()


async def twenty_runs(client: Client, workflow_id: str) -> int | None:
    """Runs that have ended; the last one waits for its day."""
    runs = (await client.count_workflows(f"WorkflowId = '{workflow_id}' AND ExecutionStatus != 'Running'")).count
    return runs if runs >= 20 else None


async def test_a_start_delay_is_skipped(clocked: WorkflowEnvironment, task_queue: str) -> None:
    begun = await clocked.client.execute_workflow(now, id=task_queue, task_queue=task_queue, start_delay=77 * DAY)
    assert begun - real_now() == pytest.approx(77 * DAY, abs=HOUR)


async def test_timeouts_of_workflows_are_skipped_to(clocked: WorkflowEnvironment, task_queue: str) -> None:
    with pytest.raises(WorkflowFailureError) as raised:
        await clocked.client.execute_workflow(
            Subscription.run, id=task_queue, task_queue=task_queue, execution_timeout=365 * DAY
        )
    assert isinstance(raised.value.cause, TimeoutError)
