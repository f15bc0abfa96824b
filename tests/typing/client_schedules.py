"""What type checkers make of schedules. Nothing here is run; the checkers of `make lint` read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from typing_extensions import assert_type

from invincible import workflow
from invincible.client import (
    AppliedSchedule,
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAsyncIterator,
    ScheduleBackfill,
    ScheduleCalendarSpec,
    ScheduleDescription,
    ScheduleHandle,
    ScheduleIntervalSpec,
    ScheduleListDescription,
    ScheduleOverlapPolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from invincible.common import Priority


@dataclass
class Order:
    id: str


@workflow.defn
class Purchase:
    @workflow.run
    async def run(self, order: Order) -> str:
        return order.id


@workflow.defn
class Clock:
    @workflow.run
    async def run(self) -> None: ...


@workflow.defn
async def greet(name: str) -> str:
    return name


@workflow.defn
async def add(a: int, b: int) -> int:
    return a + b


@workflow.defn
async def wait() -> None: ...


def actions() -> None:
    ScheduleActionStartWorkflow(Purchase.run, Order("1"), id="1", task_queue="q")
    ScheduleActionStartWorkflow(Purchase, Order("1"), id="1", task_queue="q")
    ScheduleActionStartWorkflow(Clock.run, id="1", task_queue="q", memo={"a": 1}, priority=Priority(priority_key=1))
    ScheduleActionStartWorkflow(greet, "Ada", id="1", task_queue="q", run_timeout=timedelta(1), headers=None)
    ScheduleActionStartWorkflow(add, args=[1, 2], id="1", task_queue="q", untyped_search_attributes={"Key": [1]})
    ScheduleActionStartWorkflow(wait, id="1", task_queue="q")
    ScheduleActionStartWorkflow("greet", "Ada", id="1", task_queue="q")
    ScheduleActionStartWorkflow("add", args=[1, 2], id="1", task_queue="q")

    ScheduleActionStartWorkflow(Purchase.run, "1", id="1", task_queue="q")  # type: ignore[misc]
    ScheduleActionStartWorkflow(greet, 1, id="1", task_queue="q")  # type: ignore[arg-type]
    ScheduleActionStartWorkflow(greet, "Ada", task_queue="q")  # type: ignore[call-overload]
    ScheduleActionStartWorkflow(greet, "Ada", id="1")  # type: ignore[call-overload]
    ScheduleActionStartWorkflow(greet, "Ada", id="1", task_queue="q", timeout=1)  # type: ignore[call-overload]


async def handles(client: Client, schedule: Schedule, time: datetime) -> None:
    handle = await client.create_schedule("1", schedule, memo={"a": 1})
    assert_type(handle, ScheduleHandle)
    assert_type(client.get_schedule_handle("1"), ScheduleHandle)
    description = await handle.describe()
    assert_type(description, ScheduleDescription)
    assert_type(await description.memo_value("a", 1, type_hint=int), Any)
    await handle.backfill(ScheduleBackfill(time, time), ScheduleBackfill(time, time, ScheduleOverlapPolicy.SKIP))
    assert_type(await client.apply_schedule("1", schedule), AppliedSchedule)
    schedules = await client.list_schedules("TemporalSchedulePaused = true")
    assert_type(schedules, ScheduleAsyncIterator)
    async for each in schedules:
        assert_type(each, ScheduleListDescription)

    await handle.pause("for now")  # type: ignore[call-arg]
    await handle.backfill(time)  # type: ignore[arg-type]


async def updates(handle: ScheduleHandle) -> None:
    def update(input: ScheduleUpdateInput) -> ScheduleUpdate:
        input.description.schedule.spec = ScheduleSpec(
            calendars=[ScheduleCalendarSpec(hour=[ScheduleRange(1)])], intervals=[ScheduleIntervalSpec(timedelta(1))]
        )
        return ScheduleUpdate(input.description.schedule)

    def maybe(input: ScheduleUpdateInput) -> ScheduleUpdate | None:
        return None

    async def later(input: ScheduleUpdateInput) -> ScheduleUpdate:
        return update(input)

    async def maybe_later(input: ScheduleUpdateInput) -> ScheduleUpdate | None:
        return None

    def wrong(input: ScheduleUpdateInput) -> Schedule:
        return input.description.schedule

    await handle.update(update)
    await handle.update(maybe)
    await handle.update(later, rpc_timeout=timedelta(1))
    await handle.update(maybe_later)

    await handle.update(wrong)  # type: ignore[arg-type]
