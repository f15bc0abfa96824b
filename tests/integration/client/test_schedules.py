"""Schedules on the real server: create, describe, update, list, delete, and what is refused."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from invincible import workflow
from invincible.client import (
    BackfillScheduleInput,
    Client,
    CreateScheduleInput,
    DeleteScheduleInput,
    DescribeScheduleInput,
    Interceptor,
    ListSchedulesInput,
    OutboundInterceptor,
    PauseScheduleInput,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleAsyncIterator,
    ScheduleBackfill,
    ScheduleCalendarSpec,
    ScheduleDescription,
    ScheduleHandle,
    ScheduleIntervalSpec,
    ScheduleListActionStartWorkflow,
    ScheduleListDescription,
    ScheduleListState,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
    TriggerScheduleInput,
    UnpauseScheduleInput,
    UpdateScheduleInput,
    WorkflowExecutionStatus,
)
from invincible.common import RetryPolicy
from invincible.service import RPCError, RPCStatusCode
from invincible.worker import Worker
from tests.support.conditions import eventually

NEW_YEAR = datetime(2040, 1, 1, tzinfo=timezone.utc)
FAR = ScheduleSpec(calendars=[ScheduleCalendarSpec(year=[ScheduleRange(2040)])])


@workflow.defn
async def held() -> None:
    await workflow.wait_condition(lambda: False)


@workflow.defn
async def add(a: int, b: int) -> int:
    return a + b


@pytest.fixture
async def worker(client: Client, task_queue: str) -> AsyncIterator[None]:
    async with Worker(client, task_queue=task_queue, workflows=[held, add]):
        yield


def adding(task_queue: str, *args: int, **options: Any) -> Schedule:
    """A schedule that adds numbers, but not now."""
    action = ScheduleActionStartWorkflow(add, args=args or [1, 2], id=task_queue, task_queue=task_queue, **options)
    return Schedule(action=action, spec=FAR)


async def result_of(client: Client, handle: ScheduleHandle, action: int = 1) -> Any:
    """The result of the workflow that this action has started."""

    async def started() -> ScheduleDescription | None:
        described = await handle.describe()
        return described if described.info.num_actions >= action else None

    described = await eventually(started, what="the schedule acts")
    execution: Any = described.info.recent_actions[action - 1].action
    return await client.get_workflow_handle(execution.workflow_id, run_id=execution.first_execution_run_id).result()


async def test_a_schedule_reads_as_it_was_created(client: Client, task_queue: str) -> None:
    before = datetime.now(timezone.utc)
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(
            "greet",
            id="greeting",
            task_queue=task_queue,
            execution_timeout=timedelta(hours=3),
            run_timeout=timedelta(hours=2),
            task_timeout=timedelta(seconds=20),
            retry_policy=RetryPolicy(maximum_attempts=3, maximum_interval=timedelta(seconds=10)),
        ),
        spec=ScheduleSpec(
            calendars=[ScheduleCalendarSpec(hour=(ScheduleRange(2, 8, 3),), comment="at night")],
            intervals=[
                ScheduleIntervalSpec(every=timedelta(days=10)),
                ScheduleIntervalSpec(every=timedelta(hours=1), offset=timedelta(minutes=5)),
            ],
            skip=[ScheduleCalendarSpec(day_of_week=(ScheduleRange(0),))],
            start_at=NEW_YEAR,
            end_at=datetime(2040, 1, 2, 3, 4, 5, 678901, tzinfo=timezone(timedelta(hours=2))),
            jitter=timedelta(seconds=1.5),
            time_zone_name="Europe/Berlin",
        ),
        policy=SchedulePolicy(
            overlap=ScheduleOverlapPolicy.BUFFER_ONE, catchup_window=timedelta(minutes=5), pause_on_failure=True
        ),
        state=ScheduleState(note="for now", paused=True, limited_actions=True, remaining_actions=7),
    )
    handle = await client.create_schedule(task_queue, schedule)
    assert handle.id == task_queue
    described = await handle.describe()
    assert described.schedule == schedule
    assert described.id == task_queue
    assert described.search_attributes == {}
    assert len(described.typed_search_attributes) == 0
    assert await described.memo() == {}
    assert described.raw_description.schedule.action.start_workflow.workflow_id == "greeting"
    info = described.info
    assert before - timedelta(minutes=1) < info.created_at < datetime.now(timezone.utc) + timedelta(minutes=1)
    assert info.last_updated_at is None
    assert (info.num_actions, info.num_actions_missed_catchup_window, info.num_actions_skipped_overlap) == (0, 0, 0)
    assert info.running_actions == []
    assert info.recent_actions == []
    assert NEW_YEAR + timedelta(minutes=5) < info.next_action_times[0] < NEW_YEAR + timedelta(minutes=6)


async def test_defaults_are_those_of_the_server(client: Client, task_queue: str) -> None:
    handle = await client.create_schedule(
        task_queue,
        Schedule(action=ScheduleActionStartWorkflow(held, id="any", task_queue=task_queue), spec=ScheduleSpec()),
    )
    described = await handle.describe()
    assert described.schedule.spec == ScheduleSpec()
    assert described.schedule.policy == SchedulePolicy(catchup_window=timedelta(days=365))
    assert described.schedule.state == ScheduleState()
    assert described.schedule.action == ScheduleActionStartWorkflow(held, id="any", task_queue=task_queue)
    assert described.info.next_action_times == []


async def test_cron_expressions_become_calendars_and_intervals(client: Client, task_queue: str) -> None:
    spec = ScheduleSpec(cron_expressions=["30 9 * 6 MON-FRI # in June", "@every 90m/10m"])
    handle = await client.create_schedule(task_queue, dataclasses.replace(adding(task_queue), spec=spec))
    assert (await handle.describe()).schedule.spec == ScheduleSpec(
        calendars=[
            ScheduleCalendarSpec(
                minute=(ScheduleRange(30),),
                hour=(ScheduleRange(9),),
                month=(ScheduleRange(6),),
                day_of_week=(ScheduleRange(1, 5),),
                comment="in June",
            )
        ],
        intervals=[ScheduleIntervalSpec(every=timedelta(minutes=90), offset=timedelta(minutes=10))],
    )


async def test_an_id_can_be_used_again_after_its_schedule_is_deleted(client: Client, task_queue: str) -> None:
    handle = await client.create_schedule(task_queue, adding(task_queue))
    with pytest.raises(ScheduleAlreadyRunningError, match=f"^Schedule '{task_queue}' already running$") as caught:
        await client.create_schedule(task_queue, adding(task_queue))
    assert caught.value.schedule_id == task_queue
    await handle.delete()

    async def created() -> ScheduleHandle | None:
        try:
            return await client.create_schedule(task_queue, adding(task_queue))
        except ScheduleAlreadyRunningError:
            return None

    assert (await eventually(created, what="the id is free")).id == task_queue


async def test_deleting_leaves_workflows_alone(client: Client, task_queue: str, worker: None) -> None:
    schedule = Schedule(action=ScheduleActionStartWorkflow(held, id="w", task_queue=task_queue), spec=FAR)
    handle = await client.create_schedule(task_queue, schedule, trigger_immediately=True)

    async def started() -> Any:
        return (await handle.describe()).info.running_actions

    [execution] = await eventually(started, what="the workflow runs")
    await handle.delete()
    found = await client.get_workflow_handle(execution.workflow_id).describe()
    assert found.status is WorkflowExecutionStatus.RUNNING
    assert found.run_id == execution.first_execution_run_id


async def test_pause_and_unpause(client: Client, task_queue: str) -> None:
    handle = client.get_schedule_handle(task_queue)
    await client.create_schedule(task_queue, adding(task_queue))

    async def state() -> ScheduleState:
        return (await handle.describe()).schedule.state

    await handle.pause()
    assert await state() == ScheduleState(note="Paused via Python SDK", paused=True)
    await handle.unpause()
    assert await state() == ScheduleState(note="Unpaused via Python SDK")
    await handle.pause(note="on holiday")
    assert await state() == ScheduleState(note="on holiday", paused=True)
    await handle.unpause(note="back")
    assert await state() == ScheduleState(note="back")
    await handle.pause(note="")
    assert (await state()).paused


async def test_trigger(client: Client, task_queue: str, worker: None) -> None:
    handle = await client.create_schedule(task_queue, adding(task_queue, 20, 22))
    await handle.trigger()
    assert await result_of(client, handle) == 42
    [result] = (await handle.describe()).info.recent_actions
    assert timedelta(0) <= result.started_at - result.scheduled_at < timedelta(minutes=1)


async def test_update(client: Client, task_queue: str, worker: None) -> None:
    handle = await client.create_schedule(task_queue, adding(task_queue))

    def more(input: ScheduleUpdateInput) -> ScheduleUpdate:
        assert input.description.id == task_queue
        schedule = input.description.schedule
        schedule.spec.calendars = [ScheduleCalendarSpec(hour=(ScheduleRange(7),))]
        schedule.policy.pause_on_failure = True
        schedule.state.note = "changed"
        assert isinstance(schedule.action, ScheduleActionStartWorkflow)
        schedule.action.args = [schedule.action.args[1], 40]  # a payload beside a value
        return ScheduleUpdate(schedule)

    await handle.update(more)
    described = await handle.describe()
    assert described.schedule.spec == ScheduleSpec(calendars=[ScheduleCalendarSpec(hour=(ScheduleRange(7),))])
    assert described.schedule.policy.pause_on_failure
    assert described.schedule.state.note == "changed"
    assert described.info.last_updated_at is not None
    assert described.info.last_updated_at >= described.info.created_at
    await handle.trigger()
    assert await result_of(client, handle) == 42

    async def anew(input: ScheduleUpdateInput) -> ScheduleUpdate:
        assert (await input.description.memo()) == {}
        return ScheduleUpdate(adding(task_queue, 3, 4))

    await handle.update(anew)
    described = await handle.describe()
    assert described.schedule.spec == FAR
    assert described.schedule.state == ScheduleState()
    await handle.trigger()
    assert await result_of(client, handle, 2) == 7


async def test_an_update_that_is_none_or_fails_changes_nothing(client: Client, task_queue: str) -> None:
    handle = await client.create_schedule(task_queue, adding(task_queue))
    await handle.update(lambda input: None)

    async def none(input: ScheduleUpdateInput) -> None:
        return None

    await handle.update(none)
    with pytest.raises(ZeroDivisionError):
        await handle.update(lambda input: 1 // 0)  # type: ignore[arg-type, return-value]
    with pytest.raises(TypeError, match=r"^the updater must return a ScheduleUpdate or None, got Schedule$"):
        await handle.update(lambda input: input.description.schedule)  # type: ignore[arg-type, return-value]
    wrong = dataclasses.replace(adding(task_queue), spec=ScheduleSpec(cron_expressions=["often"]))
    with pytest.raises(RPCError, match="CronString does not have 5-7 fields") as caught:
        await handle.update(lambda input: ScheduleUpdate(wrong))
    assert caught.value.status is RPCStatusCode.INVALID_ARGUMENT
    assert (await handle.describe()).info.last_updated_at is None


async def test_changes_that_follow_each_other_are_all_made(client: Client, task_queue: str) -> None:
    # Those of one schedule in a row, of many at once, so that the server has no time between them.
    async def change(id: str) -> None:
        handle = await client.create_schedule(id, adding(id), trigger_immediately=True)
        await handle.pause(note="one")
        for number in range(3):
            at = NEW_YEAR + timedelta(days=number)
            await handle.backfill(ScheduleBackfill(at, at, ScheduleOverlapPolicy.ALLOW_ALL))
        await handle.unpause(note="two")
        await handle.update(lambda input: ScheduleUpdate(input.description.schedule))
        await handle.pause(note="three")
        await handle.trigger(overlap=ScheduleOverlapPolicy.SKIP)

        async def made() -> bool:
            described = await handle.describe()
            info, state = described.info, described.schedule.state
            assert (info.num_actions, info.num_actions_skipped_overlap) == (4, 1)
            return state == ScheduleState(note="three", paused=True)

        await eventually(made, what=f"all changes of {id}")

    await asyncio.gather(*[change(f"{task_queue}-{number}") for number in range(12)])


async def listed(client: Client, ids: set[str], query: str | None = None) -> dict[str, ScheduleListDescription]:
    """These schedules, once the server's index has all of them."""

    async def probe() -> dict[str, ScheduleListDescription] | None:
        found = {each.id: each async for each in await client.list_schedules(query) if each.id in ids}
        return found if found.keys() == ids else None

    return await eventually(probe, what="the schedules are listed")


async def test_list(client: Client, task_queue: str) -> None:
    ids = {f"{task_queue}-{number}" for number in range(3)}
    for id in ids:
        state = ScheduleState(note="until spring", paused=id.endswith("1"))
        await client.create_schedule(id, dataclasses.replace(adding(task_queue), state=state), memo={"of": id})
    found = await listed(client, ids)
    schedule = found[f"{task_queue}-1"].schedule
    assert schedule is not None
    assert schedule.action == ScheduleListActionStartWorkflow("add")
    assert schedule.spec == FAR
    assert schedule.state == ScheduleListState(note="until spring", paused=True)
    info = found[f"{task_queue}-0"].info
    assert info is not None
    assert info.next_action_times[0] == NEW_YEAR
    assert info.recent_actions == []
    assert await found[f"{task_queue}-0"].memo() == {"of": f"{task_queue}-0"}
    assert await found[f"{task_queue}-0"].memo_value("of", type_hint=str) == f"{task_queue}-0"
    assert found[f"{task_queue}-0"].raw_entry.schedule_id == f"{task_queue}-0"
    await listed(client, {f"{task_queue}-1"}, "TemporalSchedulePaused = true")

    pages = await client.list_schedules(page_size=2)
    await pages.fetch_next_page()
    assert pages.current_page is not None
    assert len(pages.current_page) == 2
    rest = await client.list_schedules(page_size=2, next_page_token=pages.next_page_token)
    first, others = [each.id for each in pages.current_page], [each.id async for each in rest]
    assert ids <= {*first, *others}
    assert not {*first} & {*others}

    with pytest.raises(RPCError) as caught:
        await (await client.list_schedules("Nonsense ===")).fetch_next_page()
    assert caught.value.status is RPCStatusCode.INVALID_ARGUMENT


async def test_a_list_tells_what_happened(client: Client, task_queue: str, worker: None) -> None:
    handle = await client.create_schedule(task_queue, adding(task_queue), trigger_immediately=True)
    assert await result_of(client, handle) == 3

    async def told() -> Any:
        [entry] = (await listed(client, {task_queue})).values()
        return entry.info and entry.info.recent_actions

    assert await eventually(told, what="the action is listed") == (await handle.describe()).info.recent_actions


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(ScheduleHandle.describe, id="describe"),
        pytest.param(ScheduleHandle.pause, id="pause"),
        pytest.param(ScheduleHandle.unpause, id="unpause"),
        pytest.param(ScheduleHandle.trigger, id="trigger"),
        pytest.param(ScheduleHandle.delete, id="delete"),
        pytest.param(lambda handle: handle.backfill(ScheduleBackfill(NEW_YEAR, NEW_YEAR)), id="backfill"),
        pytest.param(lambda handle: handle.update(lambda input: None), id="update"),
    ],
)
async def test_an_unknown_schedule(client: Client, task_queue: str, call: Callable[[Any], Awaitable[Any]]) -> None:
    with pytest.raises(RPCError) as caught:
        await call(client.get_schedule_handle(task_queue))
    assert caught.value.status is RPCStatusCode.NOT_FOUND


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (ScheduleSpec(cron_expressions=["60 * * * *"]), r"Minute is not in range \[0-59\]"),
        (ScheduleSpec(calendars=[ScheduleCalendarSpec(year=[ScheduleRange(1999)])]), "Year Start is not in range"),
        (ScheduleSpec(cron_expressions=["@daily"], time_zone_name="Mars/Olympus"), "unknown time zone Mars/Olympus"),
    ],
)
async def test_what_the_server_refuses(client: Client, task_queue: str, spec: ScheduleSpec, message: str) -> None:
    with pytest.raises(RPCError, match=message) as caught:
        await client.create_schedule(task_queue, dataclasses.replace(adding(task_queue), spec=spec))
    assert caught.value.status is RPCStatusCode.INVALID_ARGUMENT


class Watched(Interceptor):
    """Keeps the inputs of all calls about schedules."""

    def __init__(self) -> None:
        self.inputs: list[Any] = []

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return WatchedCalls(next, self.inputs)


class WatchedCalls(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, inputs: list[Any]) -> None:
        super().__init__(next)
        self.inputs = inputs

    async def create_schedule(self, input: CreateScheduleInput) -> ScheduleHandle:
        self.inputs.append(input)
        input.memo = {"by": "interceptor"}
        return await super().create_schedule(input)

    def list_schedules(self, input: ListSchedulesInput) -> ScheduleAsyncIterator:
        self.inputs.append(input)
        return super().list_schedules(input)

    async def backfill_schedule(self, input: BackfillScheduleInput) -> None:
        self.inputs.append(input)
        await super().backfill_schedule(input)

    async def delete_schedule(self, input: DeleteScheduleInput) -> None:
        self.inputs.append(input)
        await super().delete_schedule(input)

    async def describe_schedule(self, input: DescribeScheduleInput) -> ScheduleDescription:
        self.inputs.append(input)
        return await super().describe_schedule(input)

    async def pause_schedule(self, input: PauseScheduleInput) -> None:
        self.inputs.append(input)
        await super().pause_schedule(input)

    async def trigger_schedule(self, input: TriggerScheduleInput) -> None:
        self.inputs.append(input)
        await super().trigger_schedule(input)

    async def unpause_schedule(self, input: UnpauseScheduleInput) -> None:
        self.inputs.append(input)
        await super().unpause_schedule(input)

    async def update_schedule(self, input: UpdateScheduleInput) -> None:
        self.inputs.append(input)
        await super().update_schedule(input)


async def test_interceptors_see_every_call(address: str, task_queue: str) -> None:
    watched = Watched()
    client = await Client.connect(address, interceptors=[watched])
    call: Any = {"rpc_metadata": {"tenant": "a"}, "rpc_timeout": timedelta(seconds=20)}
    options = (call["rpc_metadata"], call["rpc_timeout"])
    schedule = adding(task_queue)
    backfill = ScheduleBackfill(NEW_YEAR, NEW_YEAR)
    handle = await client.create_schedule(
        task_queue, schedule, trigger_immediately=True, backfill=[backfill], memo={"a": 1}, search_attributes={}, **call
    )
    assert await (await handle.describe(**call)).memo() == {"by": "interceptor"}
    await handle.backfill(backfill, **call)
    await handle.pause(note="p", **call)
    await handle.unpause(note="u", **call)
    await handle.trigger(overlap=ScheduleOverlapPolicy.ALLOW_ALL, **call)

    def updater(input: ScheduleUpdateInput) -> ScheduleUpdate | None:
        return None

    await handle.update(updater, **call)
    await handle.delete(**call)
    await client.list_schedules("TemporalSchedulePaused = true", page_size=3, next_page_token=b"t", **call)
    assert watched.inputs == [
        CreateScheduleInput(task_queue, schedule, True, [backfill], {"by": "interceptor"}, {}, *options),
        DescribeScheduleInput(task_queue, *options),
        BackfillScheduleInput(task_queue, (backfill,), *options),
        PauseScheduleInput(task_queue, "p", *options),
        UnpauseScheduleInput(task_queue, "u", *options),
        TriggerScheduleInput(task_queue, ScheduleOverlapPolicy.ALLOW_ALL, *options),
        UpdateScheduleInput(task_queue, updater, *options),
        DeleteScheduleInput(task_queue, *options),
        ListSchedulesInput(3, b"t", *options, query="TemporalSchedulePaused = true"),
    ]


async def listing(handle: Any, **options: Any) -> None:
    await (await handle._client.list_schedules(**options)).fetch_next_page()


CALLS = {
    "describe": lambda handle, **options: handle.describe(**options),
    "pause": lambda handle, **options: handle.pause(**options),
    "unpause": lambda handle, **options: handle.unpause(**options),
    "trigger": lambda handle, **options: handle.trigger(**options),
    "delete": lambda handle, **options: handle.delete(**options),
    "backfill": lambda handle, **options: handle.backfill(ScheduleBackfill(NEW_YEAR, NEW_YEAR), **options),
    "update": lambda handle, **options: handle.update(lambda input: None, **options),
    "create": lambda handle, **options: handle._client.create_schedule("never", adding("q"), **options),
    "list": listing,
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
async def test_deadlines_hold(client: Client, task_queue: str, call: Callable[..., Awaitable[Any]]) -> None:
    handle = await client.create_schedule(task_queue, adding(task_queue))
    with pytest.raises(RPCError) as caught:
        await call(handle, rpc_timeout=timedelta(microseconds=1))
    assert caught.value.status in (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
async def test_headers_of_calls_are_sent(client: Client, task_queue: str, call: Callable[..., Awaitable[Any]]) -> None:
    with pytest.raises(ValueError, match="no header"):
        await call(client.get_schedule_handle(task_queue), rpc_metadata={"no header": "value"})
