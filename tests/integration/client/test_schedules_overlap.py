"""What schedules do in time, on the real server: when they act, and what becomes of actions that overlap."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone

import pytest

from invincible import workflow
from invincible.client import (
    Client,
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionResult,
    ScheduleActionStartWorkflow,
    ScheduleBackfill,
    ScheduleCalendarSpec,
    ScheduleDescription,
    ScheduleHandle,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
    WorkflowExecutionStatus,
)
from invincible.common import SearchAttributeKey
from invincible.exceptions import ApplicationError
from invincible.worker import Worker
from tests.support.conditions import eventually

HOUR = timedelta(hours=1)
NEW_YEAR = datetime(2025, 1, 1, tzinfo=timezone.utc)
THREE_HOURS = ScheduleBackfill(NEW_YEAR, NEW_YEAR + 2 * HOUR)
SCHEDULED = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")


@workflow.defn
class Held:
    """Runs until it is released."""

    def __init__(self) -> None:
        self.released = False

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self.released)

    @workflow.signal
    def release(self) -> None:
        self.released = True


@workflow.defn
async def due() -> str:
    """When it was due, as the server tells its workflows."""
    return workflow.info().typed_search_attributes[SCHEDULED].isoformat()


@workflow.defn
async def failing() -> None:
    raise ApplicationError("as planned", non_retryable=True)


@pytest.fixture
async def worker(client: Client, task_queue: str) -> AsyncIterator[None]:
    async with Worker(client, task_queue=task_queue, workflows=[Held, due, failing]):
        yield


async def hourly(client: Client, task_queue: str, overlap: ScheduleOverlapPolicy) -> ScheduleHandle:
    """A schedule that acts every full hour, but not now."""
    return await client.create_schedule(
        task_queue,
        Schedule(
            action=ScheduleActionStartWorkflow(Held.run, id=task_queue, task_queue=task_queue),
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=HOUR)]),
            policy=SchedulePolicy(overlap=overlap),
            state=ScheduleState(paused=True),
        ),
    )


def ids(description: ScheduleDescription) -> list[str]:
    """The workflows that it started, in that order."""
    return [workflow_id(result) for result in description.info.recent_actions]


def workflow_id(result: ScheduleActionResult) -> str:
    assert isinstance(result.action, ScheduleActionExecutionStartWorkflow)
    return result.action.workflow_id


async def after(handle: ScheduleHandle, actions: int, *, skipped: int = 0) -> ScheduleDescription:
    """The schedule once it has done and skipped so much."""

    async def probe() -> ScheduleDescription | None:
        described = await handle.describe()
        assert (described.info.num_actions, described.info.num_actions_skipped_overlap) == (actions, skipped)
        return described

    return await eventually(probe, what=f"{actions} actions, {skipped} skipped")


async def status(client: Client, id: str) -> WorkflowExecutionStatus | None:
    return (await client.get_workflow_handle(id).describe()).status


async def closed(client: Client, id: str) -> WorkflowExecutionStatus | None:
    async def probe() -> WorkflowExecutionStatus | None:
        found = await status(client, id)
        return None if found is WorkflowExecutionStatus.RUNNING else found

    return await eventually(probe, what=f"{id} closed")


async def release(client: Client, id: str) -> None:
    await client.get_workflow_handle_for(Held.run, id).signal(Held.release)


async def test_skip_drops_what_is_due_while_the_last_workflow_runs(
    client: Client, task_queue: str, worker: None
) -> None:
    handle = await hourly(client, task_queue, ScheduleOverlapPolicy.SKIP)
    await handle.backfill(THREE_HOURS)
    described = await after(handle, 1, skipped=2)
    assert ids(described) == [f"{task_queue}-2025-01-01T00:00:00Z"]
    assert described.info.running_actions == [described.info.recent_actions[0].action]
    await release(client, ids(described)[0])
    await closed(client, ids(described)[0])
    assert (await handle.describe()).info.num_actions == 1


async def test_buffer_one_keeps_the_next_one_for_later(client: Client, task_queue: str, worker: None) -> None:
    handle = await hourly(client, task_queue, ScheduleOverlapPolicy.BUFFER_ONE)
    await handle.backfill(THREE_HOURS)
    [first] = ids(await after(handle, 1, skipped=1))
    await release(client, first)
    assert ids(await after(handle, 2, skipped=1)) == [first, f"{task_queue}-2025-01-01T01:00:00Z"]


async def test_buffer_all_keeps_all_for_later(client: Client, task_queue: str, worker: None) -> None:
    handle = await hourly(client, task_queue, ScheduleOverlapPolicy.BUFFER_ALL)
    await handle.backfill(THREE_HOURS)
    for number in range(3):
        started = ids(await after(handle, number + 1))
        assert started[number] == f"{task_queue}-2025-01-01T0{number}:00:00Z"
        assert await status(client, started[number]) is WorkflowExecutionStatus.RUNNING
        await release(client, started[number])


@pytest.mark.parametrize(
    ("overlap", "end"),
    [
        (ScheduleOverlapPolicy.CANCEL_OTHER, WorkflowExecutionStatus.CANCELED),
        (ScheduleOverlapPolicy.TERMINATE_OTHER, WorkflowExecutionStatus.TERMINATED),
    ],
)
async def test_cancel_other_and_terminate_other_end_what_runs(
    client: Client, task_queue: str, worker: None, overlap: ScheduleOverlapPolicy, end: WorkflowExecutionStatus
) -> None:
    handle = await hourly(client, task_queue, overlap)
    await handle.backfill(ScheduleBackfill(NEW_YEAR, NEW_YEAR))
    [first] = ids(await after(handle, 1))
    await handle.backfill(ScheduleBackfill(NEW_YEAR + HOUR, NEW_YEAR + HOUR))
    second = ids(await after(handle, 2))[1]
    assert await closed(client, first) is end
    assert await status(client, second) is WorkflowExecutionStatus.RUNNING


async def test_allow_all_lets_them_run_beside_each_other(client: Client, task_queue: str, worker: None) -> None:
    handle = await hourly(client, task_queue, ScheduleOverlapPolicy.ALLOW_ALL)
    await handle.backfill(THREE_HOURS)
    started = ids(await after(handle, 3))
    assert [await status(client, id) for id in started] == [WorkflowExecutionStatus.RUNNING] * 3


async def test_overlap_of_a_backfill_or_trigger_goes_before_that_of_the_schedule(
    client: Client, task_queue: str, worker: None
) -> None:
    handle = await hourly(client, task_queue, ScheduleOverlapPolicy.SKIP)
    await handle.backfill(
        ScheduleBackfill(NEW_YEAR, NEW_YEAR + HOUR, ScheduleOverlapPolicy.ALLOW_ALL),
        ScheduleBackfill(NEW_YEAR + 2 * HOUR, NEW_YEAR + 3 * HOUR, ScheduleOverlapPolicy.BUFFER_ALL),
    )
    started = ids(await after(handle, 3))
    assert {id[-20:] for id in started} == {f"2025-01-01T0{hour}:00:00Z" for hour in range(3)}
    await handle.trigger(overlap=ScheduleOverlapPolicy.TERMINATE_OTHER)
    buffered = f"{task_queue}-2025-01-01T02:00:00Z"
    assert await closed(client, buffered) is WorkflowExecutionStatus.TERMINATED


async def test_backfill_of_a_day_starts_a_workflow_for_each_point_in_time(
    client: Client, task_queue: str, worker: None
) -> None:
    handle = await client.create_schedule(
        task_queue,
        Schedule(
            action=ScheduleActionStartWorkflow(due, id=task_queue, task_queue=task_queue),
            spec=ScheduleSpec(
                cron_expressions=["30 */6 * * *"], time_zone_name="America/New_York", end_at=NEW_YEAR + 72 * HOUR
            ),
        ),
    )
    assert (await handle.describe()).info.next_action_times == []
    await handle.backfill(ScheduleBackfill(NEW_YEAR, NEW_YEAR + 24 * HOUR, ScheduleOverlapPolicy.ALLOW_ALL))
    described = await after(handle, 4)
    # New York is five hours behind in winter.
    times = [NEW_YEAR + timedelta(hours=hour, minutes=30) for hour in (5, 11, 17, 23)]
    assert sorted(result.scheduled_at for result in described.info.recent_actions) == times
    assert all(result.started_at > described.info.created_at for result in described.info.recent_actions)
    results = [await client.get_workflow_handle(id).result() for id in ids(described)]
    assert sorted(map(datetime.fromisoformat, results)) == times


async def test_backfill_on_creation(client: Client, task_queue: str, worker: None) -> None:
    handle = await client.create_schedule(
        task_queue,
        Schedule(
            action=ScheduleActionStartWorkflow(Held.run, id=task_queue, task_queue=task_queue),
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=HOUR, offset=timedelta(minutes=10))]),
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.ALLOW_ALL),
            state=ScheduleState(paused=True),
        ),
        trigger_immediately=True,
        backfill=[ScheduleBackfill(NEW_YEAR, NEW_YEAR + 2 * HOUR)],
    )
    scheduled = sorted(result.scheduled_at for result in (await after(handle, 3)).info.recent_actions)
    assert scheduled[:2] == [NEW_YEAR + timedelta(minutes=10), NEW_YEAR + timedelta(hours=1, minutes=10)]
    assert scheduled[2] > NEW_YEAR + timedelta(days=365)


async def test_a_schedule_acts_in_time_as_often_as_it_may(client: Client, task_queue: str, worker: None) -> None:
    handle = await client.create_schedule(
        task_queue,
        Schedule(
            action=ScheduleActionStartWorkflow(due, id=task_queue, task_queue=task_queue),
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(seconds=1))]),
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.BUFFER_ALL),
            state=ScheduleState(limited_actions=True, remaining_actions=2),
        ),
    )
    described = await after(handle, 2)
    first, second = described.info.recent_actions
    assert second.scheduled_at - first.scheduled_at == timedelta(seconds=1)
    assert all(result.scheduled_at <= result.started_at for result in (first, second))
    assert described.schedule.state == ScheduleState(limited_actions=True, remaining_actions=0)
    for result in (first, second):
        assert await client.get_workflow_handle(workflow_id(result)).result() == result.scheduled_at.isoformat()
    # One that has come to its end can be updated, and be given more to do.
    await handle.update(lambda input: ScheduleUpdate(input.description.schedule))

    def more(input: ScheduleUpdateInput) -> ScheduleUpdate:
        input.description.schedule.state.remaining_actions = 1
        return ScheduleUpdate(input.description.schedule)

    await handle.update(more)
    assert (await after(handle, 3)).schedule.state.remaining_actions == 0


async def test_triggers_and_backfills_do_not_count_as_actions_that_remain(
    client: Client, task_queue: str, worker: None
) -> None:
    handle = await client.create_schedule(
        task_queue,
        Schedule(
            action=ScheduleActionStartWorkflow(Held.run, id=task_queue, task_queue=task_queue),
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=HOUR)]),
            state=ScheduleState(paused=True, limited_actions=True, remaining_actions=1),
        ),
    )
    await handle.trigger()
    await handle.backfill(ScheduleBackfill(NEW_YEAR, NEW_YEAR, ScheduleOverlapPolicy.ALLOW_ALL))
    assert (await after(handle, 2)).schedule.state.remaining_actions == 1


async def test_a_failed_workflow_pauses_its_schedule_if_asked_to(client: Client, task_queue: str, worker: None) -> None:
    handle = await client.create_schedule(
        task_queue,
        Schedule(
            action=ScheduleActionStartWorkflow(failing, id=task_queue, task_queue=task_queue),
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=HOUR)]),
            policy=SchedulePolicy(pause_on_failure=True),
        ),
        trigger_immediately=True,
    )

    async def paused() -> bool:
        return (await handle.describe()).schedule.state.paused

    await eventually(paused, what="the schedule is paused")
    assert "failure" in ((await handle.describe()).schedule.state.note or "")


async def test_what_is_due_while_paused_does_not_happen(client: Client, task_queue: str, worker: None) -> None:
    handle = await client.create_schedule(
        task_queue,
        Schedule(
            action=ScheduleActionStartWorkflow(due, id=task_queue, task_queue=task_queue),
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(seconds=1))]),
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.BUFFER_ALL),
            state=ScheduleState(paused=True),
        ),
    )
    created = (await handle.describe()).info.created_at

    async def two_seconds_later() -> bool:
        return datetime.now(timezone.utc) > created + timedelta(seconds=2)

    await eventually(two_seconds_later, what="time passes")
    assert (await handle.describe()).info.num_actions == 0
    unpaused = datetime.now(timezone.utc)
    await handle.unpause()

    async def acts() -> ScheduleDescription | None:
        described = await handle.describe()
        return described if described.info.num_actions else None

    first = (await eventually(acts, what="it acts")).info.recent_actions[0]
    assert first.scheduled_at > unpaused - timedelta(seconds=1)
    await handle.delete()


@pytest.mark.parametrize(
    ("spec", "times"),
    [
        pytest.param(
            ScheduleSpec(
                calendars=[ScheduleCalendarSpec(hour=[ScheduleRange(12)])],
                start_at=datetime(2040, 3, 10, tzinfo=timezone.utc),
                end_at=datetime(2040, 3, 12, 23, tzinfo=timezone.utc),
                time_zone_name="America/New_York",
            ),
            # Clocks go forward on the 11th.
            ["2040-03-10T17:00", "2040-03-11T16:00", "2040-03-12T16:00"],
            id="time zone",
        ),
        pytest.param(
            ScheduleSpec(
                calendars=[
                    ScheduleCalendarSpec(
                        minute=[ScheduleRange(0, 59, 20)], hour=[ScheduleRange(7), ScheduleRange(22)], comment="often"
                    )
                ],
                skip=[ScheduleCalendarSpec(minute=[ScheduleRange(0, 59)], hour=[ScheduleRange(20, 23)])],
                start_at=datetime(2040, 3, 10, tzinfo=timezone.utc),
                end_at=datetime(2040, 3, 10, 23, tzinfo=timezone.utc),
            ),
            ["2040-03-10T07:00", "2040-03-10T07:20", "2040-03-10T07:40"],
            id="steps and skips",
        ),
        pytest.param(
            ScheduleSpec(
                calendars=[
                    ScheduleCalendarSpec(
                        day_of_month=[ScheduleRange(1)], month=[ScheduleRange(2)], year=[ScheduleRange(2041, 2042)]
                    ),
                    ScheduleCalendarSpec(
                        day_of_week=[ScheduleRange(0)], month=[ScheduleRange(6)], year=[ScheduleRange(2041)]
                    ),
                ],
                end_at=datetime(2042, 12, 31, tzinfo=timezone.utc),
            ),
            [f"2041-0{day}T00:00" for day in ("2-01", "6-02", "6-09", "6-16", "6-23", "6-30")] + ["2042-02-01T00:00"],
            id="years and Sundays",
        ),
        pytest.param(
            ScheduleSpec(
                intervals=[ScheduleIntervalSpec(every=timedelta(days=1), offset=timedelta(hours=1))],
                cron_expressions=["15 3 10 3 *", "@every 36h"],
                start_at=datetime(2040, 3, 10, tzinfo=timezone.utc),
                end_at=datetime(2040, 3, 11, tzinfo=timezone.utc),
            ),
            ["2040-03-10T01:00", "2040-03-10T03:15", "2040-03-10T12:00"],
            id="intervals and cron",
        ),
    ],
)
async def test_when_a_schedule_acts(client: Client, task_queue: str, spec: ScheduleSpec, times: list[str]) -> None:
    action = ScheduleActionStartWorkflow(due, id=task_queue, task_queue=task_queue)
    handle = await client.create_schedule(task_queue, Schedule(action=action, spec=spec))
    described = await handle.describe()
    assert [time.strftime("%Y-%m-%dT%H:%M") for time in described.info.next_action_times] == times
    assert all(time.utcoffset() == timedelta(0) for time in described.info.next_action_times)


async def test_jitter_delays_each_action(client: Client, task_queue: str) -> None:
    spec = ScheduleSpec(
        calendars=[ScheduleCalendarSpec(year=[ScheduleRange(2040)], day_of_month=[ScheduleRange(1, 10)])],
        jitter=timedelta(hours=2),
    )
    action = ScheduleActionStartWorkflow(due, id=task_queue, task_queue=task_queue)
    handle = await client.create_schedule(task_queue, Schedule(action=action, spec=spec))
    times = (await handle.describe()).info.next_action_times
    delays = [time - time.replace(hour=0, minute=0, second=0, microsecond=0) for time in times]
    assert len(set(delays)) > 1
    assert all(delay <= 2 * HOUR for delay in delays)
