"""Histories that do not fit the code, replayed: the explanation names event, command, and line."""

from __future__ import annotations

import asyncio
import base64
import inspect
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from invincible import _native, activity, workflow
from invincible._engine.command_kinds import KINDS
from invincible._engine.explain import CommandLog, Site, user_frame
from invincible.client import WorkflowHistory
from invincible.worker import Replayer

Event = tuple[str, dict[str, Any]]

PROGRAM = "Program"


@activity.defn(start_to_close_timeout=timedelta(seconds=30))
async def charge(amount: int) -> int:
    return amount


@activity.defn(start_to_close_timeout=timedelta(seconds=30))
async def refund(amount: int) -> int:
    return amount


def timer(number: int = 1, seconds: int = 60) -> Event:
    return "TimerStarted", {"timerId": str(number), "startToFireTimeout": f"{seconds}s"}


def scheduled(name: str, number: int = 1) -> Event:
    return "ActivityTaskScheduled", {"activityId": str(number), "activityType": {"name": name}}


def marker(name: str, **details: Any) -> Event:
    def payload(value: Any) -> dict[str, Any]:
        encoded = {"encoding": base64.b64encode(b"json/plain").decode()}
        return {"payloads": [{"metadata": encoded, "data": base64.b64encode(json.dumps(value).encode()).decode()}]}

    return "MarkerRecorded", {
        "markerName": name,
        "details": {key.replace("_", "-"): payload(value) for key, value in details.items()},
    }


def patch(name: str) -> Event:
    return marker("core_patch", patch_data={"id": name, "deprecated": False})


completed: Event = ("WorkflowExecutionCompleted", {})


def history(*tasks: list[Event]) -> WorkflowHistory:
    """The history of a run with these commands in each of its workflow tasks, and a signal between two."""
    events: list[Event] = [
        (
            "WorkflowExecutionStarted",
            {"workflowType": {"name": PROGRAM}, "taskQueue": {"name": "q"}, "originalExecutionRunId": "a-run"},
        )
    ]

    def task() -> None:
        events.append(("WorkflowTaskScheduled", {}))
        events.append(("WorkflowTaskStarted", {"scheduledEventId": str(len(events))}))

    task()
    for number, commands in enumerate(tasks):
        if number:
            events.append(("WorkflowExecutionSignaled", {"signalName": "go on"}))
            task()
        ids = {"scheduledEventId": str(len(events) - 1), "startedEventId": str(len(events))}
        events.append(("WorkflowTaskCompleted", ids))
        events.extend(commands)
    if tasks[-1][-1:] != [completed]:
        events.append(("WorkflowExecutionSignaled", {"signalName": "go on"}))
        task()
    return WorkflowHistory.from_json("an-id", {"events": [_json(id, *event) for id, event in enumerate(events, 1)]})


def _json(event_id: int, kind: str, attributes: dict[str, Any]) -> dict[str, Any]:
    return {
        "eventId": str(event_id),
        "eventTime": f"2026-01-01T00:00:{event_id:02}Z",
        "eventType": kind,
        f"{kind[0].lower()}{kind[1:]}EventAttributes": attributes,
    }


async def explained(program: Callable[..., Any], recorded: WorkflowHistory) -> str:
    with pytest.raises(workflow.NondeterminismError) as raised:
        await Replayer(workflows=[program]).replay_workflow(recorded)
    return str(raised.value)


def place(program: Callable[..., Any], text: str, name: str | None = None) -> str:
    """The place of a line of a program, as explanations name it."""
    lines, first = inspect.getsourcelines(program)
    line = first + next(number for number, line in enumerate(lines) if text in line)
    return f"tests/unit/test_explain.py:{line}, in {name or program.__name__}"


@workflow.defn(name=PROGRAM)
async def sleeps() -> None:
    await asyncio.sleep(60)


@workflow.defn(name=PROGRAM)
async def charges_and_refunds() -> None:
    await asyncio.gather(
        charge.execute(1),
        refund.execute(2),
    )


@workflow.defn(name=PROGRAM)
async def charges_then_refunds() -> None:
    await asyncio.sleep(0)
    first = asyncio.ensure_future(charge.execute(1))
    second = asyncio.ensure_future(refund.execute(2))
    await first
    await second


@workflow.defn(name=PROGRAM)
async def returns() -> None:
    return


@workflow.defn(name=PROGRAM)
async def does_nothing() -> None:
    await workflow.wait_condition(lambda: False)


@workflow.defn(name=PROGRAM)
async def waits_in_a_helper() -> None:
    await helper()


async def helper() -> None:
    await asyncio.wait_for(workflow.wait_condition(lambda: False), 30)


@workflow.defn(name=PROGRAM)
async def starts_and_stops_a_timer() -> None:
    stopped = asyncio.ensure_future(asyncio.sleep(10))
    await asyncio.sleep(0)
    stopped.cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(20)


@workflow.defn(name=PROGRAM)
async def patched() -> None:
    if workflow.patched("new"):
        await asyncio.sleep(1)
    else:
        await asyncio.sleep(2)


def code_in(name: str, program: Callable[..., Any]) -> str:
    return getattr(program.__code__, "co_qualname", name)


async def test_an_event_that_meets_another_command() -> None:
    text = await explained(sleeps, history([scheduled("charge")]))
    assert text.splitlines() == [
        "event 5 of the history is ActivityTaskScheduled, but the workflow code started a timer of 60 s (StartTimer) "
        f"there: {place(sleeps, 'asyncio.sleep')}",
        "[TMPRL1100] Nondeterminism error: Timer machine does not handle this event: "
        "HistoryEvent(id: 5, ActivityTaskScheduled)",
    ]


async def test_the_command_is_counted_off_from_the_start_of_the_task() -> None:
    text = await explained(charges_then_refunds, history([scheduled("charge"), timer()]))
    assert text.startswith("event 6 of the history is TimerStarted, but the workflow code scheduled activity 'refund'")
    assert place(charges_then_refunds, "refund.execute") in text


async def test_tasks_that_the_code_makes_of_calls_have_the_place_of_the_call() -> None:
    text = await explained(charges_and_refunds, history([scheduled("charge"), timer()]))
    where = place(charges_and_refunds, "refund.execute")
    assert f"scheduled activity 'refund' with id '2' (ScheduleActivity) there: {where}\n" in text


async def test_code_that_does_less() -> None:
    text = await explained(does_nothing, history([timer()]))
    assert text.startswith(
        "event 5 of the history is TimerStarted, but the workflow code did nothing more in this task\n"
    )
    text = await explained(sleeps, history([timer(), scheduled("charge")]))
    assert text.startswith(
        "event 6 of the history is ActivityTaskScheduled, but the workflow code did nothing more in this task; before, "
        f"it started a timer of 60 s (StartTimer): {place(sleeps, 'asyncio.sleep')}\n"
    )


async def test_code_that_ends_too_early() -> None:
    text = await explained(returns, history([timer()]))
    assert text.startswith(
        "event 5 of the history is TimerStarted, but the workflow code returned (CompleteWorkflowExecution) there\n"
    )


async def test_code_that_goes_on_where_the_history_ends() -> None:
    text = await explained(sleeps, history([completed]))
    assert text.startswith(
        "event 5 of the history is WorkflowExecutionCompleted, but the workflow code started a timer"
    )


async def test_code_that_does_more_is_found_by_the_next_event() -> None:
    @workflow.defn(name=PROGRAM)
    class DoesMore:
        def __init__(self) -> None:
            self.going_on = False

        @workflow.run
        async def run(self) -> None:
            asyncio.ensure_future(asyncio.sleep(60))  # noqa: RUF006
            await workflow.wait_condition(lambda: self.going_on)
            await charge.execute(1)

        @workflow.signal(name="go on")
        async def go_on(self) -> None:
            self.going_on = True

    text = await explained(DoesMore, history([], [scheduled("charge")]))
    assert text.startswith(
        "event 9 of the history is ActivityTaskScheduled, but the workflow code had started a timer of 60 s "
        "(StartTimer) before, of which the history has nothing: tests/unit/test_explain.py:"
    )


async def test_the_place_is_in_the_code_of_the_user_whatever_it_calls() -> None:
    text = await explained(waits_in_a_helper, history([scheduled("charge")]))
    assert f"started a timer of 30 s (StartTimer) there: {place(helper, 'wait_for')}" in text


async def test_what_is_cancelled_in_its_own_task_makes_no_event() -> None:
    text = await explained(starts_and_stops_a_timer, history([scheduled("charge")]))
    assert f"started a timer of 20 s (StartTimer) there: {place(starts_and_stops_a_timer, 'sleep(20)')}" in text


async def test_another_activity_of_the_same_kind() -> None:
    text = await explained(charges_then_refunds, history([scheduled("charge"), scheduled("ship", 2)]))
    assert text.startswith(
        "event 6 of the history has activity type 'ship', but the workflow code scheduled activity 'refund' with id "
        f"'2' (ScheduleActivity) there: {place(charges_then_refunds, 'refund.execute')}\n"
    )


async def test_a_patch_that_the_code_has_lost() -> None:
    text = await explained(sleeps, history([patch("new"), timer()]))
    assert text.startswith(
        "the history has patch 'new' at event 5 or soon after, but the workflow code does not ask for"
    )
    assert "workflow.deprecate_patch('new')" in text
    assert "the run goes on once a worker with the patch takes it up again" in text


async def test_a_patch_with_something_else_behind_it() -> None:
    recorded = history([patch("new"), scheduled("charge")])
    text = await explained(patched, recorded)
    assert f"started a timer of 1 s (StartTimer) there: {place(patched, 'sleep(1)')}" in text


async def test_a_local_activity_that_the_code_has_lost() -> None:
    data = {"seq": 1, "attempt": 1, "activity_id": "1", "activity_type": "charge", "complete_time": None}
    lost = marker("core_local_activity", data=data | {"backoff": None, "original_schedule_time": None}, result=7)
    text = await explained(does_nothing, history([lost]))
    assert "the history has local activity 1, but the workflow code has none" in text


def logged(*commands: Any, history_length: int = 3) -> CommandLog:
    log = CommandLog()
    log.begin(history_length)
    for command in commands:
        log.add(command)
    return log


def message(words: str) -> str:
    """A message as Core gives it when it drops a run: the debug print of a failure."""
    escaped = words.replace("\\", "\\\\").replace('"', '\\"')
    return f'Workflow activation completion failed: Failure {{ failure: Some(Failure {{ message: "{escaped}" }}) }}'


def child(seq: int, workflow_type: str = "Child", workflow_id: str = "child-1", cancellation_type: int = 1) -> Any:
    return _native.StartChildWorkflowExecution(
        seq=seq,
        workflow_id=workflow_id,
        workflow_type=workflow_type,
        task_queue="q",
        cancellation_type=cancellation_type,
    )


def remote(seq: int, cancellation_type: int = 0) -> Any:
    return _native.ScheduleActivity(
        seq=seq, activity_id=str(seq), activity_type="charge", task_queue="q", cancellation_type=cancellation_type
    )


NONDETERMINISM = "[TMPRL1100] Nondeterminism error: "


@pytest.mark.parametrize(
    ("words", "commands", "beginning"),
    [
        (
            "Child workflow id of scheduled event 'a' does not match child workflow id of command 'child-1'",
            [child(1)],
            "event 5 of the history has workflow id 'a', but the workflow code started child workflow 'Child' with id "
            "'child-1' (StartChildWorkflowExecution) there: ",
        ),
        (
            "Child workflow type of scheduled event 'Other' does not match child workflow type of command 'Child'",
            [remote(1), child(1)],
            "event 6 of the history has workflow type 'Other', but the workflow code started child workflow 'Child'",
        ),
        (
            "Activity type of recorded marker 'a' does not match activity type of local activity command 'charge'",
            [_native.ScheduleLocalActivity(seq=1, activity_id="1", activity_type="charge")],
            "the history has activity type 'a', but the workflow code scheduled local activity 'charge' with id '1'",
        ),
        (
            "Change id old does not match expected id new",
            [_native.SetPatchMarker(patch_id="new")],
            "event 5 of the history has patch id 'old', but the workflow code asked for patch 'new' (SetPatchMarker)",
        ),
        (
            "Child workflow machine does not handle this event: HistoryEvent { event_id: 6, event_time: None, "
            'event_type: TimerStarted, attributes: Some(... "secret" ...) }',
            [remote(1), child(1)],
            "event 6 of the history is TimerStarted, but the workflow code started child workflow 'Child'",
        ),
        (
            "UpsertWorkflowSearchAttributesMachine does not handle HistoryEvent(id: 5, TimerStarted)",
            [_native.UpsertWorkflowSearchAttributes(search_attributes={})],
            "event 5 of the history is TimerStarted, but the workflow code changed search attributes (Upsert",
        ),
        (
            "During event handling, this event had an initial command ID but we could not find a matching command for "
            "it: HistoryEvent { event_id: 9, event_time: None, event_type: ActivityTaskStarted, attributes: None }",
            [remote(1)],
            "event 9 of the history is ActivityTaskStarted, but the workflow code has not done what it belongs to; "
            "before, it scheduled activity 'charge'",
        ),
        (
            "Missing associated machine for Timer(4)",
            [],
            "the history has timer 4, but the workflow code has none",
        ),
        (
            "Something that no version of Core has said so far",
            [remote(1)],
            "the history does not fit what the workflow code did; before, it scheduled activity 'charge'",
        ),
    ],
)
def test_messages_of_core(words: str, commands: list[Any], beginning: str) -> None:
    text = logged(*commands).explain(message(NONDETERMINISM + words))
    assert text.startswith(beginning)
    assert text.splitlines()[-1].startswith(NONDETERMINISM)
    assert "secret" not in text


def test_an_event_at_the_wrong_time() -> None:
    fatal = (
        "Fatal error in workflow machines: ActivityMachine in state Created says the transition is invalid during "
        "event EventInfo { event_id: 7, event_type: ActivityTaskStarted }"
    )
    assert (
        logged(remote(1))
        .explain(message(fatal))
        .startswith(
            "event 7 of the history is ActivityTaskStarted, which cannot follow what the workflow code did; before, it "
        )
    )


def test_words_of_others_stay_as_they_are() -> None:
    assert CommandLog().explain("the server is away") == "the server is away"


def unhandled(event_id: int, machine: str) -> str:
    return message(
        f"{NONDETERMINISM}{machine} does not handle this event: HistoryEvent(id: {event_id}, MarkerRecorded)"
    )


@pytest.mark.parametrize(
    "before",
    [
        [remote(1), _native.RequestCancelActivity(seq=1)],
        [child(1), _native.CancelChildWorkflowExecution(child_workflow_seq=1)],
        [_native.QueryResult(query_id="q", result=None)],
        [_native.ScheduleLocalActivity(seq=1, activity_id="1", activity_type="charge")],
        [_native.UpdateRejected(protocol_instance_id="u", failure=_native.Failure("no"))],
    ],
    ids=["cancelled activity", "cancelled child", "query", "local activity", "rejected update"],
)
def test_commands_without_events_are_not_counted(before: list[Any]) -> None:
    timers = [_native.StartTimer(seq=1, duration=1.0), _native.StartTimer(seq=2, duration=2.0)]
    assert "a timer of 2 s" in logged(*before, *timers).explain(unhandled(6, "Timer machine"))


@pytest.mark.parametrize(
    ("start", "cancel", "events"),
    [
        (remote(1, cancellation_type=0), _native.RequestCancelActivity(seq=1), 1),
        (remote(1, cancellation_type=2), _native.RequestCancelActivity(seq=1), 0),
        (child(1, cancellation_type=1), _native.CancelChildWorkflowExecution(child_workflow_seq=1), 1),
        (child(1, cancellation_type=0), _native.CancelChildWorkflowExecution(child_workflow_seq=1), 0),
        (_native.StartTimer(seq=1, duration=9.0), _native.CancelTimer(seq=1), 1),
    ],
    ids=["activity", "abandoned activity", "child", "abandoned child", "timer"],
)
def test_cancellations_in_a_later_task(start: Any, cancel: Any, events: int) -> None:
    log = logged(start, history_length=3)
    log.begin(10)
    for command in (cancel, _native.StartTimer(seq=2, duration=2.0), _native.StartTimer(seq=3, duration=3.0)):
        log.add(command)
    assert "a timer of 3 s" in log.explain(unhandled(13 + events, "Timer machine"))


def test_a_patch_makes_two_events_the_first_time() -> None:
    patches = [_native.SetPatchMarker(patch_id="new"), _native.SetPatchMarker(patch_id="new")]
    timers = [_native.StartTimer(seq=1, duration=1.0), _native.StartTimer(seq=2, duration=2.0)]
    assert "a timer of 1 s" in logged(*patches, *timers).explain(unhandled(7, "Timer machine"))


def test_only_replay_is_remembered() -> None:
    log = logged(remote(1))
    log.begin(9, is_replaying=False)
    log.add(remote(2))
    assert not log.is_replaying
    assert log.explain(message(f"{NONDETERMINISM}?")).startswith(
        "the history does not fit what the workflow code did\n"
    )


def test_every_command_of_the_bridge_has_a_kind() -> None:
    silent = {"QueryResult", "UpdateRejected"}
    commands = {
        name
        for name in _native.__all__
        if name.startswith(("Start", "Schedule", "Request", "Cancel", "Signal", "Complete", "Fail", "Set", "Upsert"))
        or name in {"UpdateAccepted", "UpdateCompleted", "ModifyWorkflowProperties", "ContinueAsNewWorkflowExecution"}
    }
    assert set(KINDS) - commands == set()
    assert not silent & set(KINDS)
    for name, kind in KINDS.items():
        assert all(hasattr(getattr(_native, name), attribute) for attribute in kind.attributes)


def test_sites_name_file_line_and_function() -> None:
    frame = user_frame(inspect.currentframe())
    assert frame is not None
    shown = str(Site(frame.f_code, frame.f_lasti))
    assert shown.startswith("tests/unit/test_explain.py:")
    assert shown.endswith(", in test_sites_name_file_line_and_function")
