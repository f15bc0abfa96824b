"""Workflows skip time however they are started, or are started in real time."""

from __future__ import annotations

import asyncio

import pytest

from invincible.client import (
    Interceptor,
    OutboundInterceptor,
    StartWorkflowInput,
    WithStartWorkflowOperation,
    WorkflowHandle,
    WorkflowUpdateStage,
)
from invincible.common import WorkflowIDConflictPolicy
from invincible.testing import TimeSkippingConfig, WorkflowEnvironment
from tests.support.conditions import eventually

from .flows import DAY, HOUR, Subscription, real_now, sleep_days, subscribe


async def test_signal_with_start_and_update_with_start_have_a_clock_too(
    clocked: WorkflowEnvironment, task_queue: str
) -> None:
    signalled = await clocked.client.start_workflow(
        Subscription.run, id=f"{task_queue}-signal", task_queue=task_queue, start_signal="unknown"
    )
    start = WithStartWorkflowOperation(
        Subscription.run,
        id=f"{task_queue}-update",
        task_queue=task_queue,
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
    )
    update = await clocked.client.start_update_with_start_workflow(
        Subscription.pause, 45, start_workflow_operation=start, wait_for_stage=WorkflowUpdateStage.ACCEPTED
    )
    updated = await start.workflow_handle()
    await clocked.sleep(50 * DAY)
    assert await update.result() == 1
    for handle in (signalled, updated):
        assert await handle.query(Subscription.months) == 1
        await handle.terminate()


async def test_a_blocking_client_skips_too(clocked: WorkflowEnvironment, task_queue: str) -> None:
    with await clocked.connect_sync_client() as client:
        days = await asyncio.to_thread(
            client.execute_workflow, sleep_days, 30, id=f"{task_queue}-30", task_queue=task_queue
        )
        assert days == pytest.approx(30, abs=0.01)
        handle = await asyncio.to_thread(client.start_workflow, Subscription.run, id=task_queue, task_queue=task_queue)
        await clocked.sleep(40 * DAY)
        assert await asyncio.to_thread(handle.query, Subscription.months) == 1
        await asyncio.to_thread(handle.terminate)


async def test_other_clients_of_the_environment_skip_too(clocked: WorkflowEnvironment, task_queue: str) -> None:
    other = await clocked.connect_client(identity="other")
    handle = await subscribe(other, task_queue)
    await clocked.sleep(40 * DAY)
    assert await handle.query(Subscription.months) == 1
    await handle.terminate()


class Recorder(Interceptor):
    """Keeps what is started, and has one workflow skip time in a way of its own."""

    def __init__(self) -> None:
        self.started: list[str] = []

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        outer = self

        class Recording(OutboundInterceptor):
            async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[object, object]:
                outer.started.append(input.id)
                if input.id.endswith("-own"):
                    input.time_skipping_config = TimeSkippingConfig(max_session_skip_count=2)._to_message()
                return await super().start_workflow(input)

        return Recording(next)


async def test_interceptors_see_starts_and_may_decide(clocked: WorkflowEnvironment, task_queue: str) -> None:
    recorder = Recorder()
    client = await clocked.connect_client(interceptors=[recorder])
    assert await client.execute_workflow(sleep_days, 3, id=task_queue, task_queue=task_queue) == pytest.approx(
        3, abs=0.1
    )
    own = await client.start_workflow(Subscription.run, id=f"{task_queue}-own", task_queue=task_queue)

    async def stopped() -> bool:
        info = await clocked.get_time_skipping_info(own)
        return info is not None and not info.effective_config.enabled

    await eventually(stopped, what="two skips were enough")

    async def two_months() -> bool:
        return await own.query(Subscription.months) == 2

    await eventually(two_months, what="the second month has ended")
    assert recorder.started == [task_queue, own.id]
    await own.terminate()


async def test_workflows_may_be_started_in_real_time(clocked: WorkflowEnvironment, task_queue: str) -> None:
    with clocked.with_time_skipping_disabled():
        handle = await subscribe(clocked.client, task_queue)
    assert await clocked.get_time_skipping_info(handle) is None
    assert abs(await clocked.get_current_time(handle) - real_now()) < HOUR
    await clocked.sleep(100 * DAY)
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(handle.result(), 0.3)
    assert await handle.query(Subscription.months) == 0
    await handle.terminate()


async def test_waits_may_be_in_real_time(clocked: WorkflowEnvironment, task_queue: str) -> None:
    handle = await subscribe(clocked.client, task_queue)
    with clocked.auto_time_skipping_disabled(), pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(handle.result(), 0.3)
    assert await handle.query(Subscription.months) == 0
    await clocked.sleep(31 * DAY)
    assert await handle.query(Subscription.months) == 1
    await handle.terminate()
