"""Schedules as values: what is equal, what is refused before the server is asked, and their protobuf messages."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invincible import workflow
from invincible.client import (
    Client,
    Schedule,
    ScheduleAction,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleBackfill,
    ScheduleCalendarSpec,
    ScheduleHandle,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleState,
)
from invincible.client._schedules.messages import (
    _spec_message,
    backfill_messages,
    schedule_message,
    schedule_of,
    spec_of,
)
from invincible.common import Priority, RetryPolicy, SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from invincible.converter import ArgumentError
from invincible.service import ConnectConfig, ServiceClient

NEW_YEAR = datetime(2025, 1, 1, tzinfo=timezone.utc)
SECOND = timedelta(seconds=1)


@workflow.defn
class Purchase:
    @workflow.run
    async def run(self, item: str, count: int = 1) -> None: ...


@workflow.defn(name="Renamed")
async def function(item: str) -> None: ...


@workflow.defn(dynamic=True)
class Anything:
    @workflow.run
    async def run(self, args: Any) -> None: ...


@pytest.fixture
def client() -> Client:
    """A client that never connects."""
    return Client(ServiceClient(ConnectConfig(target_host="127.0.0.1:1", lazy=True)))


# For calls that type checkers refuse.
Action: Any = ScheduleActionStartWorkflow


def action(**options: Any) -> ScheduleActionStartWorkflow:
    made: ScheduleActionStartWorkflow = Action("any", **{"id": "w", "task_queue": "q", **options})
    return made


@pytest.mark.parametrize(
    ("given_range", "start", "end", "step"),
    [
        (ScheduleRange(0), 0, 0, 1),
        (ScheduleRange(5), 5, 5, 1),
        (ScheduleRange(5, 3), 5, 5, 1),
        (ScheduleRange(5, 9), 5, 9, 1),
        (ScheduleRange(5, 9, 2), 5, 9, 2),
        (ScheduleRange(-1), -1, 0, 1),
    ],
)
def test_ranges_spell_out_their_defaults(given_range: ScheduleRange, start: int, end: int, step: int) -> None:
    assert (given_range.start, given_range.end, given_range.step) == (start, end, step)
    assert given_range == ScheduleRange(start, end, step)
    assert hash(given_range) == hash(ScheduleRange(start, end, step))


def test_defaults() -> None:
    calendar = ScheduleCalendarSpec()
    assert calendar.second == calendar.minute == calendar.hour == (ScheduleRange(0),)
    assert calendar.day_of_month == (ScheduleRange(1, 31),)
    assert calendar.month == (ScheduleRange(1, 12),)
    assert calendar.year == ()
    assert calendar.day_of_week == (ScheduleRange(0, 6),)
    schedule = Schedule(action=action(), spec=ScheduleSpec())
    assert schedule.policy == SchedulePolicy(ScheduleOverlapPolicy.SKIP, None, False)
    assert schedule.state == ScheduleState(None, False, False, 0)
    assert (action().args, action().memo, action().headers) == ([], None, None)
    assert action().priority is Priority.default


def test_specs_are_equal_whether_their_items_are_in_lists_or_tuples() -> None:
    hours = [ScheduleRange(1), ScheduleRange(5)]
    assert ScheduleCalendarSpec(hour=hours) == ScheduleCalendarSpec(hour=tuple(hours))
    assert ScheduleCalendarSpec(hour=hours) != ScheduleCalendarSpec(hour=hours[:1])
    assert ScheduleCalendarSpec(comment="a") != ScheduleCalendarSpec()
    calendar = ScheduleCalendarSpec()
    assert ScheduleSpec(calendars=[calendar]) == ScheduleSpec(calendars=(calendar,))
    assert ScheduleSpec(calendars=[calendar]) != ScheduleSpec(skip=[calendar])
    assert ScheduleSpec() != calendar


def test_overlap_policies_have_the_numbers_of_the_api() -> None:
    assert [(policy.name, policy.value) for policy in ScheduleOverlapPolicy] == [
        ("SKIP", 1),
        ("BUFFER_ONE", 2),
        ("BUFFER_ALL", 3),
        ("CANCEL_OTHER", 4),
        ("TERMINATE_OTHER", 5),
        ("ALLOW_ALL", 6),
    ]


def test_actions_name_workflows_in_every_way() -> None:
    call: Any = {"id": "w", "task_queue": "q"}
    for reference in (Purchase, Purchase.run, "Purchase"):
        made = Action(reference, "cup", **call)
        assert (made.workflow, made.args) == ("Purchase", ["cup"])
    assert ScheduleActionStartWorkflow(Purchase.run, args=["cup", 2], **call).args == ["cup", 2]
    assert ScheduleActionStartWorkflow(function, "cup", **call).workflow == "Renamed"
    assert ScheduleActionStartWorkflow("any", None, **call).args == [None]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Action("any", task_queue="q"), ValueError, "^id of the workflow is missing"),
        (lambda: Action("any", id="w"), ValueError, "^task_queue is missing"),
        (lambda: action(args=[1], arg=1), ValueError, "give either arg or args, not both"),
        (lambda: action(args="cup"), TypeError, "args must be a sequence of arguments, got a str"),
        (lambda: Action(len, id="w", task_queue="q"), TypeError, "len is not a workflow"),
        (lambda: Action(Anything.run, id="w", task_queue="q"), TypeError, "dynamic workflow"),
        (lambda: Action(Purchase.run, id="w", task_queue="q"), ArgumentError, "'item' is missing"),
    ],
)
def test_actions_that_are_refused(make: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_actions_can_be_replaced_copied_and_compared() -> None:
    call: Any = {"id": "w", "task_queue": "q"}
    made = ScheduleActionStartWorkflow(Purchase.run, "cup", **call, memo={"a": 1}, run_timeout=SECOND)
    assert made == ScheduleActionStartWorkflow("Purchase", "cup", **call, memo={"a": 1}, run_timeout=SECOND)
    assert made != dataclasses.replace(made, args=["pot"])
    assert dataclasses.replace(made, id="x").memo == {"a": 1}
    assert copy.deepcopy(made) == made
    assert pickle.loads(pickle.dumps(action(memo={"a": 1}))) == action(memo={"a": 1})
    made.untyped_search_attributes["Key"] = ["a"]  # type: ignore[index]
    assert ScheduleActionStartWorkflow("any", **call).untyped_search_attributes == {}
    assert "run_timeout=datetime.timedelta(seconds=1)" in repr(made)
    assert "_reference" not in repr(made)


def calendar(**fields: Any) -> ScheduleSpec:
    return ScheduleSpec(calendars=[ScheduleCalendarSpec(), ScheduleCalendarSpec(**fields)])


def interval(every: Any, offset: Any = None) -> ScheduleSpec:
    return ScheduleSpec(intervals=[ScheduleIntervalSpec(every, offset)])


NAIVE = datetime(2025, 1, 1)
BAD_SPECS: list[tuple[Any, type[Exception], str]] = [
    (calendar(second=[ScheduleRange(60)]), ValueError, r"^calendars\[1\].second must be from 0 to 59, got .*start=60"),
    (calendar(minute=[ScheduleRange(0, 60)]), ValueError, "minute must be from 0 to 59"),
    (calendar(hour=[ScheduleRange(3), ScheduleRange(24)]), ValueError, "hour must be from 0 to 23, got .*start=24"),
    (calendar(hour=[ScheduleRange(-1)]), ValueError, "hour must be from 0 to 23"),
    (calendar(day_of_month=[ScheduleRange(0)]), ValueError, "day_of_month must be from 1 to 31"),
    (calendar(month=[ScheduleRange(13)]), ValueError, "month must be from 1 to 12"),
    (calendar(day_of_week=[ScheduleRange(7)]), ValueError, "day_of_week must be from 0 to 6"),
    (calendar(hour=[]), ValueError, "hour is empty, so that the calendar would match nothing"),
    (calendar(hour=[ScheduleRange(1, 5, -1)]), ValueError, "hour must have a positive step"),
    (calendar(year=[ScheduleRange(2030, 2040, -1)]), ValueError, "year must have a positive step"),
    (calendar(hour=ScheduleRange(5)), TypeError, "hour must be a sequence of ScheduleRange"),
    (calendar(hour=[5]), TypeError, r"hour must be a sequence of ScheduleRange, got \[5\]"),
    (ScheduleSpec(skip=[ScheduleCalendarSpec(month=[ScheduleRange(13)])]), ValueError, r"^skip\[0\].month must be"),
    (ScheduleSpec(calendars=["@daily"]), TypeError, r"calendars\[0\] must be a ScheduleCalendarSpec, got str"),  # type: ignore[list-item]
    (ScheduleSpec(intervals=[SECOND]), TypeError, r"intervals\[0\] must be a ScheduleIntervalSpec, got timedelta"),  # type: ignore[list-item]
    (ScheduleSpec(cron_expressions="0 3 * * *"), TypeError, "cron_expressions must be a sequence .* got a str"),
    (interval(timedelta(0)), ValueError, r"^intervals\[0\].every must be at least a second"),
    (interval(-SECOND), ValueError, "every cannot be negative"),
    (interval(SECOND * 1.5), ValueError, "every must be whole seconds"),
    (interval(60), TypeError, "every must be a timedelta, got int"),
    (interval(SECOND * 60, -SECOND), ValueError, "offset cannot be negative"),
    (interval(SECOND * 60, SECOND * 60), ValueError, "offset must be less than every"),
    (interval(SECOND * 60, SECOND / 2), ValueError, "offset must be whole seconds"),
    (ScheduleSpec(start_at=NAIVE), ValueError, "^start_at must have a time zone, 2025-01-01 00:00:00 has none"),
    (ScheduleSpec(end_at=NAIVE), ValueError, "^end_at must have a time zone"),
    (ScheduleSpec(end_at=NEW_YEAR.date()), TypeError, "^end_at must be a datetime, got date"),  # type: ignore[arg-type]
    (ScheduleSpec(start_at=NEW_YEAR, end_at=NEW_YEAR - SECOND), ValueError, "end_at .* is before start_at"),
    (ScheduleSpec(jitter=-SECOND), ValueError, "jitter cannot be negative"),
    (ScheduleSpec(jitter=5), TypeError, "jitter must be a timedelta, got int"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("spec", "error", "message"), BAD_SPECS)
async def test_specs_that_are_refused(client: Client, spec: ScheduleSpec, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        await client.create_schedule("id", Schedule(action=action(), spec=spec))


BAD_SCHEDULES: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"policy": SchedulePolicy(catchup_window=-SECOND)}, ValueError, "catchup_window cannot be negative"),
    ({"state": ScheduleState(limited_actions=True)}, ValueError, "limited_actions is set but remaining_actions is 0"),
    ({"state": ScheduleState(remaining_actions=3)}, ValueError, "remaining_actions counts only if limited_actions"),
    (
        {"state": ScheduleState(limited_actions=True, remaining_actions=-1)},
        ValueError,
        "remaining_actions cannot be negative",
    ),
    ({"action": "any"}, TypeError, "action must be a ScheduleActionStartWorkflow, got str"),
    ({"action": action(retry_policy=RetryPolicy(backoff_coefficient=0.5))}, ValueError, "Backoff coefficient"),
    (
        {
            "action": action(
                typed_search_attributes=TypedSearchAttributes(
                    [SearchAttributePair(SearchAttributeKey.for_int("Key"), 1)]
                ),
                untyped_search_attributes={"Key": [2]},
            )
        },
        ValueError,
        "'Key' is both in typed and in untyped search attributes",
    ),
]


@pytest.mark.parametrize(("fields", "error", "message"), BAD_SCHEDULES)
async def test_schedules_that_are_refused(
    client: Client, fields: dict[str, Any], error: type[Exception], message: str
) -> None:
    schedule = Schedule(**{"action": action(), "spec": ScheduleSpec(), **fields})
    with pytest.raises(error, match=message):
        await client.create_schedule("id", schedule)


async def test_a_schedule_needs_an_id(client: Client) -> None:
    with pytest.raises(ValueError, match=r"^id of the schedule must not be empty$"):
        await client.create_schedule("", Schedule(action=action(), spec=ScheduleSpec()))


@pytest.mark.parametrize(
    ("backfills", "error", "message"),
    [
        ([], ValueError, "give at least one backfill"),
        ([ScheduleBackfill(NEW_YEAR, NAIVE)], ValueError, r"^backfill\[0\].end_at must have a time zone"),
        ([ScheduleBackfill(NAIVE, NEW_YEAR)], ValueError, r"^backfill\[0\].start_at must have a time zone"),
        (
            [ScheduleBackfill(NEW_YEAR, NEW_YEAR), ScheduleBackfill(NEW_YEAR, NEW_YEAR - SECOND)],
            ValueError,
            r"^backfill\[1\] ends before it begins",
        ),
        ([NEW_YEAR], TypeError, r"^backfill\[0\] must be a ScheduleBackfill, got datetime"),
    ],
)
async def test_backfills_that_are_refused(
    client: Client, backfills: list[Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        await client.get_schedule_handle("id").backfill(*backfills)
    if backfills:
        with pytest.raises(error, match=message):
            await client.create_schedule("id", Schedule(action=action(), spec=ScheduleSpec()), backfill=backfills)


def test_backfills_as_messages() -> None:
    in_berlin = NEW_YEAR.astimezone(timezone(timedelta(hours=1)))
    plain, all_at_once = backfill_messages(
        [
            ScheduleBackfill(in_berlin, in_berlin + SECOND),
            ScheduleBackfill(in_berlin, in_berlin, ScheduleOverlapPolicy.ALLOW_ALL),
        ]
    )
    assert plain.start_time.ToDatetime(timezone.utc) == NEW_YEAR
    assert plain.end_time.ToDatetime(timezone.utc) == NEW_YEAR + SECOND
    assert plain.overlap_policy == 0
    assert all_at_once.overlap_policy == 6


def ranges(least: int, most: int) -> st.SearchStrategy[tuple[ScheduleRange, ...]]:
    number = st.integers(least, most)
    each = st.builds(ScheduleRange, number, number, st.integers(0, 9))
    return st.lists(each, min_size=1, max_size=3).map(tuple)


DURATIONS = st.timedeltas(timedelta(0), timedelta(days=1000))
TIMES = st.datetimes(datetime(1970, 1, 1), datetime(2500, 1, 1), timezones=st.just(timezone.utc))
TEXTS = st.none() | st.text(min_size=1)
CALENDARS = st.lists(
    st.builds(
        ScheduleCalendarSpec,
        second=ranges(0, 59),
        minute=ranges(0, 59),
        hour=ranges(0, 23),
        day_of_month=ranges(1, 31),
        month=ranges(1, 12),
        year=st.just(()) | ranges(2000, 2100),
        day_of_week=ranges(0, 6),
        comment=TEXTS,
    ),
    max_size=3,
)
SPECS = st.builds(
    ScheduleSpec,
    calendars=CALENDARS,
    intervals=st.lists(st.builds(ScheduleIntervalSpec, DURATIONS, st.none() | DURATIONS), max_size=3),
    cron_expressions=st.lists(st.text(), max_size=3),
    skip=CALENDARS,
    start_at=st.none() | TIMES,
    end_at=st.none() | TIMES,
    jitter=st.none() | DURATIONS,
    time_zone_name=TEXTS,
)


@given(SPECS)
def test_specs_survive_the_way_to_their_message_and_back(spec: ScheduleSpec) -> None:
    assert spec_of(_spec_message(spec)) == spec


@given(
    st.builds(SchedulePolicy, st.sampled_from(ScheduleOverlapPolicy), st.none() | DURATIONS, st.booleans()),
    st.builds(ScheduleState, TEXTS, st.booleans(), st.booleans(), st.integers(0, 2**40)),
)
async def test_schedules_survive_the_way_to_their_message_and_back(
    policy: SchedulePolicy, state: ScheduleState
) -> None:
    client = Client(ServiceClient(ConnectConfig(target_host="127.0.0.1:1", lazy=True)))
    schedule = Schedule(
        action=action(run_timeout=SECOND, priority=Priority(priority_key=1), retry_policy=RetryPolicy()),
        spec=ScheduleSpec(),
        policy=policy,
        state=state,
    )
    message = await schedule_message(client, schedule)
    described = schedule_of(message)
    assert described.policy == policy
    assert described.state == state
    assert isinstance(described.action, ScheduleActionStartWorkflow)
    assert described.action.retry_policy == RetryPolicy(maximum_interval=timedelta(seconds=100))
    assert dataclasses.replace(described.action, retry_policy=RetryPolicy()) == schedule.action
    assert await schedule_message(client, described) == message


def test_an_overlap_policy_that_is_not_told_is_that_of_the_server() -> None:
    from invincible.api.schedule.v1 import Schedule as ScheduleMessage
    from invincible.api.schedule.v1 import ScheduleAction as ScheduleActionMessage
    from invincible.api.workflow.v1 import NewWorkflowExecutionInfo

    message = ScheduleMessage(action=ScheduleActionMessage(start_workflow=NewWorkflowExecutionInfo()))
    assert schedule_of(message).policy.overlap is ScheduleOverlapPolicy.SKIP
    with pytest.raises(ValueError, match="an action that is not known"):
        schedule_of(ScheduleMessage())


def test_kinds_of_actions_cannot_be_made_up() -> None:
    with pytest.raises(TypeError, match="abstract"):
        ScheduleAction()  # type: ignore[abstract]


def test_handles_and_errors_name_the_schedule(client: Client) -> None:
    handle = client.get_schedule_handle("nightly")
    assert handle.id == "nightly"
    assert repr(handle) == "<ScheduleHandle id='nightly'>"
    assert isinstance(handle, ScheduleHandle)
    assert str(ScheduleAlreadyRunningError()) == "Schedule already running"
    assert ScheduleAlreadyRunningError().schedule_id is None
    copied = pickle.loads(pickle.dumps(ScheduleAlreadyRunningError("nightly")))
    assert (str(copied), copied.schedule_id) == ("Schedule 'nightly' already running", "nightly")
