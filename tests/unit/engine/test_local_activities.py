"""Local activities: the same calls on the worker itself, with their backoff by timers."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from invincible import _native, activity, workflow
from invincible._engine.errors import TaskAbandonedError
from invincible.common import RetryPolicy
from invincible.exceptions import ActivityError, TimeoutError
from tests.support.engine import (
    Driver,
    activity_failed,
    application_failure,
    cancelled_failure,
    completed,
    greet,
    kinds,
    payload,
    value,
    values,
)

MINUTE = timedelta(minutes=1)


@activity.defn(start_to_close_timeout=MINUTE)
class Shout:
    def __call__(self, word: str) -> str:
        return word.upper()


class Shop:
    @activity.defn(start_to_close_timeout=MINUTE)
    async def ship(self, item: str) -> str:
        return item


def local_done(result: Any = None, *, seq: int = 1) -> _native.ResolveActivity:
    return _native.ResolveActivity(seq=seq, is_local=True, result=payload(result))


def backoff(seconds: float, *, seq: int = 1, attempt: int = 2, scheduled: int | None = 5) -> _native.ResolveActivity:
    later = _native.ActivityBackoff(attempt=attempt, backoff=seconds, original_schedule_time_ns=scheduled)
    return _native.ResolveActivity(seq=seq, is_local=True, backoff=later)


@pytest.mark.parametrize(
    ("call", "name", "argument"),
    [
        (lambda: greet.execute_local("Ada"), "greet", "Ada"),
        (lambda: greet.start_local("Ada"), "greet", "Ada"),
        (lambda: workflow.execute_local_activity(greet, "Ada"), "greet", "Ada"),
        (lambda: workflow.start_local_activity(greet, args=["Ada"]), "greet", "Ada"),
        (lambda: workflow.execute_local_activity("greet", "Ada", start_to_close_timeout=MINUTE), "greet", "Ada"),
        (lambda: workflow.execute_local_activity_method(Shop.ship, "book"), "ship", "book"),
        (lambda: workflow.start_local_activity_method(Shop.ship, "book"), "ship", "book"),
        (lambda: workflow.execute_local_activity_class(Shout, "hey"), "Shout", "hey"),
        (lambda: workflow.start_local_activity_class(Shout, "hey"), "Shout", "hey"),
    ],
)
def test_all_forms_of_a_call(call: Any, name: str, argument: str) -> None:
    @workflow.defn
    async def calling() -> Any:
        return await call()

    driver = Driver(calling)
    (command,) = driver.start()
    assert isinstance(command, _native.ScheduleLocalActivity)
    assert (command.seq, command.activity_id, command.activity_type) == (1, "1", name)
    assert (command.attempt, command.original_schedule_time_ns) == (1, None)
    assert values(command.arguments) == [argument]
    assert completed(driver.activate(local_done("done"))) == "done"


def test_every_option_arrives_in_the_command() -> None:
    @workflow.defn
    async def hello() -> None:
        workflow.start_local_activity(
            "anything",
            schedule_to_close_timeout=timedelta(seconds=1),
            schedule_to_start_timeout=timedelta(seconds=2),
            start_to_close_timeout=timedelta(seconds=3),
            retry_policy=RetryPolicy(maximum_attempts=7),
            local_retry_threshold=timedelta(seconds=4),
            cancellation_type=workflow.ActivityCancellationType.ABANDON,
            activity_id="chosen",
            summary="why",
            event_groups=[workflow.create_event_group("group")],
        )

    (command, _) = Driver(hello).start()
    assert command.activity_id == "chosen"
    assert command.schedule_to_close_timeout == 1.0
    assert command.schedule_to_start_timeout == 2.0
    assert command.start_to_close_timeout == 3.0
    assert command.retry_policy.maximum_attempts == 7
    assert command.local_retry_threshold == 4.0
    assert command.cancellation_type == 2
    assert value(command.summary) == "why"
    assert [each.id for each in command.event_groups] == ["group"]


def test_the_options_of_the_definition_hold_for_local_calls_as_far_as_they_apply() -> None:
    @workflow.defn
    async def hello() -> None:
        options = greet.with_options(
            schedule_to_close_timeout=timedelta(seconds=1),
            schedule_to_start_timeout=timedelta(seconds=2),
            start_to_close_timeout=timedelta(seconds=3),
            heartbeat_timeout=timedelta(seconds=4),
            retry_policy=RetryPolicy(maximum_attempts=7),
            cancellation_type=workflow.ActivityCancellationType.ABANDON,
            activity_id="chosen",
            summary="why",
            task_queue="elsewhere",
            event_groups=[workflow.create_event_group("group")],
        )
        options.start_local("Ada")
        await asyncio.sleep(0)

    (command, _) = Driver(hello).start()
    assert command.schedule_to_close_timeout == 1.0
    assert command.schedule_to_start_timeout == 2.0
    assert command.start_to_close_timeout == 3.0
    assert command.retry_policy.maximum_attempts == 7
    assert command.cancellation_type == 2
    assert command.activity_id == "chosen"
    assert value(command.summary) == "why"
    assert [each.id for each in command.event_groups] == ["group"]


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"heartbeat_timeout": MINUTE}, TypeError, "'heartbeat_timeout' is not a local activity option; .*local_retry"),
        ({"local_retry_threshold": -1}, ValueError, "local_retry_threshold must not be negative"),
        ({}, ValueError, "local activity 'act' needs start_to_close_timeout or schedule_to_close_timeout: set one"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], error: type[Exception], match: str) -> None:
    @workflow.defn
    async def calling() -> None:
        await workflow.execute_local_activity("act", **options)

    with pytest.raises(error, match=match):
        Driver(calling).start()


def test_arguments_that_cannot_be_encoded_name_the_activity() -> None:
    @workflow.defn
    async def calling() -> None:
        await workflow.execute_local_activity("act", object(), start_to_close_timeout=MINUTE)

    with pytest.raises(TypeError, match="the arguments of local activity 'act' cannot be encoded"):
        Driver(calling).start()


def test_remote_and_local_activities_are_numbered_together() -> None:
    @workflow.defn
    async def calling() -> None:
        greet.start("Ada")
        greet.start_local("Bob")
        greet.start("Cy")

    assert [command.seq for command in Driver(calling).start()[:-1]] == [1, 2, 3]


@workflow.defn
async def persistent() -> str:
    try:
        return await greet.execute_local("Ada")
    except ActivityError as error:
        return type(error.cause).__name__
    except asyncio.CancelledError:
        return "cancelled in between"


def test_a_long_backoff_is_a_timer_and_then_a_new_command() -> None:
    driver = Driver(persistent)
    driver.start()
    (timer,) = driver.activate(backoff(90.0))
    assert isinstance(timer, _native.StartTimer)
    assert timer.duration == 90.0
    (again,) = driver.activate(_native.FireTimer(seq=1))
    assert isinstance(again, _native.ScheduleLocalActivity)
    assert (again.seq, again.activity_id, again.attempt, again.original_schedule_time_ns) == (2, "2", 2, 5)
    assert values(again.arguments) == ["Ada"]
    assert again.start_to_close_timeout == 10.0
    assert completed(driver.activate(local_done("Hello", seq=2))) == "Hello"


def test_a_chosen_id_stays_through_attempts() -> None:
    @workflow.defn
    async def chosen() -> str:
        return await greet.with_options(activity_id="mine").execute_local("Ada")

    driver = Driver(chosen)
    driver.start()
    driver.activate(backoff(90.0))
    (again,) = driver.activate(_native.FireTimer(seq=1))
    assert (again.seq, again.activity_id) == (2, "mine")


def test_the_number_of_the_next_attempt_is_taken_when_the_wait_begins() -> None:
    @workflow.defn
    async def two() -> None:
        first = greet.start_local("Ada")
        await workflow.sleep(1)
        greet.start("Bob")
        await first

    driver = Driver(two)
    driver.start()
    driver.activate(backoff(90.0))
    (other,) = driver.activate(_native.FireTimer(seq=1))
    assert (other.activity_type, other.seq) == ("greet", 3)
    (again,) = driver.activate(_native.FireTimer(seq=2))
    assert again.seq == 2


def test_a_local_activity_that_fails_for_good_raises() -> None:
    driver = Driver(persistent)
    driver.start()
    assert completed(driver.activate(activity_failed(application_failure(), is_local=True))) == "ApplicationError"


def test_cancelled_while_it_runs_it_is_asked_to_stop() -> None:
    driver = Driver(persistent)
    driver.start()
    (request,) = driver.activate(_native.CancelWorkflow())
    assert isinstance(request, _native.RequestCancelLocalActivity)
    assert request.seq == 1
    assert completed(driver.activate(activity_failed(cancelled_failure(), is_local=True))) == "CancelledError"


def test_cancelled_while_it_waits_for_its_next_attempt_it_ends_at_once() -> None:
    driver = Driver(persistent)
    driver.start()
    driver.activate(backoff(90.0))
    commands = driver.activate(_native.CancelWorkflow())
    assert kinds(commands) == [_native.CancelTimer, _native.CompleteWorkflowExecution]
    assert value(commands[-1].result) == "cancelled in between"


def test_a_backoff_for_one_that_was_cancelled_at_once_starts_nothing() -> None:
    @workflow.defn
    async def abrupt() -> None:
        handle = greet.start_local("Ada")
        handle.cancel()
        try:
            await handle
        except asyncio.CancelledError:
            await workflow.sleep(1)

    driver = Driver(abrupt)
    driver.start()
    assert driver.activate(backoff(90.0)) == []


def test_cancelled_in_the_task_in_which_its_wait_ends_it_is_not_tried_again() -> None:
    driver = Driver(persistent)
    driver.start()
    driver.activate(backoff(90.0))
    commands = driver.activate(_native.CancelWorkflow(), _native.FireTimer(seq=1))
    assert completed(commands) == "cancelled in between"


def test_a_worker_that_stops_interrupts_it_and_the_task_is_abandoned() -> None:
    driver = Driver(persistent)
    driver.start()
    with pytest.raises(
        TaskAbandonedError, match="activity 'greet' was interrupted: its worker stops, or needs the room"
    ):
        driver.activate(activity_failed(cancelled_failure(), is_local=True))


def test_a_cancellation_in_its_history_is_no_interruption() -> None:
    driver = Driver(persistent)
    driver.start(is_replaying=True)
    ended = driver.activate(activity_failed(cancelled_failure(), is_local=True), is_replaying=True)
    assert completed(ended) == "CancelledError"


def test_a_time_out_is_the_same_live_and_on_replay() -> None:
    @workflow.defn
    async def slow() -> str:
        try:
            return await greet.execute_local("Ada")
        except TimeoutError:
            return "timed out"

    time_out = _native.Failure("time out", info=_native.TimeoutFailureInfo(timeout_type=1))
    live = activity_failed(time_out, is_local=True)
    replayed = _native.ResolveActivity(seq=1, is_local=True, failure=time_out)
    for job in (live, replayed):
        driver = Driver(slow)
        driver.start()
        assert completed(driver.activate(job)) == "timed out"
