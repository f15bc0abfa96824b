"""Clocks are moved by hand: for all workflows, or for one."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from invincible.client import (
    Client,
)
from invincible.service import RPCError, RPCStatusCode
from invincible.testing import FastForwardConfig, TimeSkipper, TimeSkippingConfig, WorkflowEnvironment
from invincible.worker import Worker
from tests.support.conditions import eventually

from .flows import DAY, HOUR, WITHIN, Subscription, parent_of, patient, patient_mailbox, real_now, sleep_days, subscribe


async def test_the_time_of_the_environment_is_the_furthest(clocked: WorkflowEnvironment, task_queue: str) -> None:
    assert abs(await clocked.get_current_time() - real_now()) < HOUR
    await clocked.client.execute_workflow(sleep_days, 30, id=task_queue, task_queue=task_queue)
    assert await clocked.get_current_time() - real_now() == pytest.approx(30 * DAY, abs=HOUR)
    await clocked.sleep(10 * DAY)
    assert await clocked.get_current_time() - real_now() == pytest.approx(40 * DAY, abs=HOUR)
    await clocked.sleep(0)
    assert await clocked.get_current_time() - real_now() == pytest.approx(40 * DAY, abs=HOUR)


async def test_one_workflow_is_fast_forwarded(clocked: WorkflowEnvironment, task_queue: str) -> None:
    other = await subscribe(clocked.client, f"{task_queue}")
    handle = await clocked.client.start_workflow(sleep_days, 10, id=f"{task_queue}-ten", task_queue=task_queue)
    assert await clocked.fast_forward(handle, 4 * DAY + HOUR) is True
    assert await clocked.get_current_time(handle) - real_now() == pytest.approx(4 * DAY + HOUR, abs=HOUR / 2)
    assert await clocked.fast_forward(handle, (100 * DAY).total_seconds()) is False
    assert await handle.result() == pytest.approx(10, abs=0.1)
    assert await other.query(Subscription.months) == 0
    with pytest.raises(RPCError, match=f"workflow '{handle.id}' is not running") as refused:
        await clocked.fast_forward(handle, DAY)
    assert refused.value.status is RPCStatusCode.NOT_FOUND
    with pytest.raises(RPCError, match=f"workflow '{handle.id}' has ended already"):
        await clocked.fast_forward(handle)
    await other.signal(Subscription.cancel)
    assert await other.result() == 0


async def test_one_workflow_is_fast_forwarded_to_its_end(free: TimeSkipper, task_queue: str) -> None:
    with free.with_time_skipping_disabled():
        handle = await free.client.start_workflow(sleep_days, 10, id=task_queue, task_queue=task_queue)
    assert await free.get_time_skipping_info(handle) is None
    assert await free.fast_forward(handle) is False
    assert await handle.result() == pytest.approx(10, abs=0.1)


async def test_a_later_fast_forward_ends_an_earlier(clocked: WorkflowEnvironment, task_queue: str) -> None:
    # An activity that is running holds the first one up.
    handle = await clocked.client.start_workflow(patient, id=task_queue, task_queue=task_queue)
    first = asyncio.ensure_future(clocked.fast_forward(handle, DAY))

    async def on_its_way() -> bool:
        info = await clocked.get_time_skipping_info(handle)
        return info is not None and info.effective_config.HasField("fast_forward_config")

    await eventually(on_its_way, what="the first step is set")
    second = asyncio.ensure_future(clocked.fast_forward(handle, DAY))
    with pytest.raises(RuntimeError, match=f"the fast-forward of workflow '{task_queue}' was given up"):
        await first
    await handle.terminate()
    assert await second is False


async def test_workflows_may_skip_from_their_start_on(free: TimeSkipper, task_queue: str) -> None:
    handle = await free.client.start_workflow(
        Subscription.run, id=task_queue, task_queue=task_queue, execution_timeout=3650 * DAY
    )

    # Nobody waits for the result.
    async def timed_out() -> bool:
        return (await free.get_current_time(handle)) - real_now() > 3600 * DAY

    await eventually(timed_out, what="ten years have passed", timeout=WITHIN)
    info = await free.get_time_skipping_info(handle)
    assert info is not None
    assert info.effective_config.max_session_skip_count == 1_000_000


async def test_a_config_may_stop_after_a_step(address: str, task_queue: str) -> None:
    step = TimeSkippingConfig(fast_forward_config=FastForwardConfig(id="first", duration=35 * DAY))
    skipper = TimeSkipper(await Client.connect(address), config=step)
    assert skipper.config is step
    async with Worker(skipper.client, task_queue=task_queue, workflows=[Subscription]):
        handle = await subscribe(skipper.client, task_queue)

        async def arrived() -> bool:
            info = await skipper.get_time_skipping_info(handle)
            return info is not None and not info.effective_config.enabled

        await eventually(arrived, what="the step is done")
        assert await handle.query(Subscription.months) == 1
        assert await skipper.get_current_time(handle) - real_now() == pytest.approx(35 * DAY, abs=HOUR)
        await handle.terminate()


async def test_children_may_be_left_out(address: str, task_queue: str) -> None:
    skipper = TimeSkipper(await Client.connect(address), config=TimeSkippingConfig(disable_propagation=True))
    async with Worker(skipper.client, task_queue=task_queue, workflows=[parent_of, sleep_days]):
        handle = await skipper.client.start_workflow(
            parent_of, args=["sleep_days", 5], id=task_queue, task_queue=task_queue
        )
        child = skipper.client.get_workflow_handle(f"{task_queue}-child")

        async def begun() -> bool:
            try:
                return (await child.describe()).history_length >= 5
            except RPCError:
                return False

        await eventually(begun, what="the child sleeps")
        info = await skipper.get_time_skipping_info(child)
        assert info is None or not info.effective_config.enabled
        # It has begun at its parent's time.
        assert await skipper.get_current_time(child) - real_now() == pytest.approx(DAY, abs=HOUR)
        await handle.terminate()


async def test_the_client_that_a_skipper_was_given_stays_as_it_is(client: Client, task_queue: str) -> None:
    skipper = TimeSkipper(client)
    assert skipper.client is not client
    assert (skipper.client.namespace, skipper.client.service_client) == (client.namespace, client.service_client)
    handle = await subscribe(client, task_queue)
    assert await skipper.get_time_skipping_info(handle) is None
    await handle.terminate()


async def test_an_environment_of_a_skippers_client_skips(client: Client, task_queue: str) -> None:
    clocked = WorkflowEnvironment.from_client(TimeSkipper(client).client)
    assert (clocked.supports_time_skipping_v1, clocked.supports_time_skipping_v2) == (False, True)
    async with Worker(clocked.client, task_queue=task_queue, workflows=[sleep_days, Subscription]):
        assert await clocked.client.execute_workflow(
            sleep_days, 30, id=f"{task_queue}-30", task_queue=task_queue
        ) == pytest.approx(30, abs=0.1)
        assert await clocked.get_current_time() - real_now() == pytest.approx(30 * DAY, abs=HOUR)
    with pytest.raises(RuntimeError, match="with_time_skipping_disabled"):
        clocked.auto_time_skipping_disabled()


async def test_workflows_without_a_timer_sleep_too_where_all_skip(free: TimeSkipper, task_queue: str) -> None:
    clocked = WorkflowEnvironment.from_client(free.client)
    handle = await free.client.start_workflow(patient_mailbox, id=task_queue, task_queue=f"{task_queue}-mail")
    async with Worker(free.client, task_queue=f"{task_queue}-mail", workflows=[patient_mailbox]):
        await clocked.sleep(40 * DAY)
        assert await clocked.get_current_time(handle) - real_now() == pytest.approx(40 * DAY, abs=HOUR)
        info = await clocked.get_time_skipping_info(handle)
        assert info is not None
        assert info.effective_config.enabled
        await handle.terminate()


async def test_wrong_steps_are_refused(clocked: WorkflowEnvironment, task_queue: str) -> None:
    handle = clocked.client.get_workflow_handle(task_queue)
    for refused in (True, "1", None):
        with pytest.raises(TypeError, match="duration must be a timedelta or a number of seconds"):
            await clocked.sleep(refused)  # type: ignore[arg-type]
    for impossible in (-1, timedelta(seconds=-1), float("nan"), float("inf"), timedelta.max):
        with pytest.raises(ValueError, match=r"duration"):
            await clocked.sleep(impossible)
    with pytest.raises(ValueError, match="duration of a fast-forward must be positive"):
        await clocked.fast_forward(handle, 0)
    with pytest.raises(TypeError, match="handle must be a WorkflowHandle or ScheduleHandle, got str"):
        await clocked.fast_forward(task_queue, 1)  # type: ignore[arg-type]
    with pytest.raises(RPCError, match=f"workflow '{task_queue}' is not running"):
        await clocked.fast_forward(handle, 1)
    with pytest.raises(RPCError, match=task_queue):
        await clocked.get_current_time(handle)
