"""A schedule: what it starts, without waiting for the night."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from invincible.client import (
    Client,
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionStartWorkflow,
    ScheduleCalendarSpec,
    ScheduleHandle,
    ScheduleRange,
    ScheduleSpec,
)
from invincible.testing import WorkerFactory, mock_activity
from shop.activities import Order, charge, pack, price
from shop.workflows import OrderWorkflow


async def test_a_subscription_orders_when_it_is_triggered(client: Client, worker: WorkerFactory) -> None:
    order = Order("weekly", "Ada", ["bread"])
    action = ScheduleActionStartWorkflow(
        OrderWorkflow.run, order, id="weekly", task_queue=worker.task_queue, execution_timeout=timedelta(days=40)
    )
    mondays = ScheduleSpec(calendars=[ScheduleCalendarSpec(day_of_week=[ScheduleRange(1)])])
    schedule = await client.create_schedule("bread-on-mondays", Schedule(action=action, spec=mondays))
    async with worker(OrderWorkflow, price, mock_activity(charge, returns="receipt-1"), pack):
        await schedule.trigger()
        started = client.get_workflow_handle_for(OrderWorkflow.run, await first_started_by(schedule))
        await started.signal(OrderWorkflow.confirm)
        assert await started.result() == "packed: 1 items, receipt-1"
    await schedule.delete()


async def first_started_by(schedule: ScheduleHandle) -> str:
    """The id of the first workflow that a schedule has started, once it has."""
    while True:
        for each in (await schedule.describe()).info.recent_actions:
            if isinstance(each.action, ScheduleActionExecutionStartWorkflow):
                return each.action.workflow_id
        await asyncio.sleep(0.02)
