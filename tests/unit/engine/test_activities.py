"""Activities: how they are called, what their command carries, and what their end does to the code that waits."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from invincible import _native, activity, workflow
from invincible.common import Priority, RawValue, RetryPolicy
from invincible.converter import ArgumentError
from invincible.exceptions import ActivityError
from invincible.exceptions import CancelledError as TemporalCancelledError
from tests.support.engine import (
    Driver,
    activity_done,
    activity_failed,
    application_failure,
    cancelled_failure,
    completed,
    failed,
    greet,
    kinds,
    payload,
    value,
    values,
)

MINUTE = timedelta(minutes=1)


@activity.defn(start_to_close_timeout=MINUTE)
def double(number: int) -> int:
    return 2 * number


@activity.defn(start_to_close_timeout=MINUTE)
def noted() -> str:
    return "noted"


@activity.defn(start_to_close_timeout=MINUTE)
def both(left: str, right: str = "right") -> str:
    return left + right


@activity.defn(start_to_close_timeout=MINUTE)
class Shout:
    def __call__(self, word: str) -> str:
        return word.upper()


class Shop:
    @activity.defn(start_to_close_timeout=MINUTE)
    async def ship(self, item: str) -> str:
        return item


@dataclass
class Parcel:
    weight: float


def test_a_function_is_called_with_its_own_parameters() -> None:
    @workflow.defn
    async def hello(name: str) -> str:
        return await greet.execute(name, greeting="Hi")

    driver = Driver(hello, "Ada")
    (command,) = driver.start()
    assert isinstance(command, _native.ScheduleActivity)
    assert (command.seq, command.activity_id, command.activity_type) == (1, "1", "greet")
    assert command.start_to_close_timeout == 10.0
    assert command.task_queue == "engine"
    assert values(command.arguments) == ["Ada", "Hi"]
    assert completed(driver.activate(activity_done("Hi, Ada"))) == "Hi, Ada"


def test_every_option_arrives_in_the_command() -> None:
    @workflow.defn
    async def hello() -> None:
        workflow.start_activity(
            "anything",
            task_queue="elsewhere",
            schedule_to_close_timeout=timedelta(seconds=1),
            schedule_to_start_timeout=timedelta(seconds=2),
            start_to_close_timeout=timedelta(seconds=3),
            heartbeat_timeout=timedelta(milliseconds=4),
            retry_policy=RetryPolicy(
                initial_interval=timedelta(seconds=5),
                backoff_coefficient=1.5,
                maximum_interval=timedelta(seconds=6),
                maximum_attempts=7,
                non_retryable_error_types=["Fatal"],
            ),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            activity_id="chosen",
            versioning_intent=workflow.VersioningIntent.DEFAULT,
            summary="why",
            priority=Priority(priority_key=2, fairness_key="tenant", fairness_weight=0.5),
            event_groups=[workflow.create_event_group("group")],
        )

    (command, _) = Driver(hello).start()
    assert isinstance(command, _native.ScheduleActivity)
    assert (command.activity_type, command.activity_id, command.task_queue) == ("anything", "chosen", "elsewhere")
    assert command.schedule_to_close_timeout == 1.0
    assert command.schedule_to_start_timeout == 2.0
    assert command.start_to_close_timeout == 3.0
    assert command.heartbeat_timeout == 0.004
    retry = command.retry_policy
    assert retry is not None
    assert (retry.initial_interval, retry.backoff_coefficient, retry.maximum_interval) == (5.0, 1.5, 6.0)
    assert (retry.maximum_attempts, retry.non_retryable_error_types) == (7, ["Fatal"])
    assert command.cancellation_type == 1
    assert command.versioning_intent == 2
    assert value(command.summary) == "why"
    priority = command.priority
    assert priority is not None
    assert (priority.priority_key, priority.fairness_key, priority.fairness_weight) == (2, "tenant", 0.5)
    assert [each.id for each in command.event_groups] == ["group"]


def test_options_that_are_not_given_are_not_sent() -> None:
    @workflow.defn
    async def hello() -> None:
        workflow.start_activity("anything", schedule_to_close_timeout=timedelta(seconds=1))

    (command, _) = Driver(hello).start()
    assert command.start_to_close_timeout is None
    assert command.schedule_to_start_timeout is None
    assert command.heartbeat_timeout is None
    assert command.retry_policy is None
    assert command.priority is None
    assert command.summary is None
    assert (command.cancellation_type, command.versioning_intent, command.event_groups) == (0, 0, [])
    assert command.arguments == []


def test_options_of_the_call_go_before_those_of_the_definition() -> None:
    @workflow.defn
    async def hello() -> None:
        retry = RetryPolicy(initial_interval=timedelta(seconds=2), maximum_attempts=3)
        hurried = greet.with_options(start_to_close_timeout=timedelta(seconds=1), retry_policy=retry, summary="hurry")
        hurried.with_options(heartbeat_timeout=timedelta(seconds=9)).start("Ada")
        await workflow.execute_activity(greet, "Bob", heartbeat_timeout=timedelta(seconds=5), task_queue=None)

    first, second = Driver(hello).start()
    assert (first.start_to_close_timeout, first.heartbeat_timeout) == (1.0, 9.0)
    assert (first.retry_policy.initial_interval, first.retry_policy.maximum_attempts) == (2.0, 3)
    assert value(first.summary) == "hurry"
    assert (second.start_to_close_timeout, second.heartbeat_timeout, second.task_queue) == (10.0, 5.0, "engine")
    assert second.summary is None


CALLS: dict[str, Any] = {
    "execute": lambda: double.execute(4),
    "start": lambda: double.start(4),
    "execute_activity": lambda: workflow.execute_activity(double, 4),
    "execute_activity, args": lambda: workflow.execute_activity(double, args=[4]),
    "start_activity": lambda: workflow.start_activity(double, 4),
    "by name": lambda: workflow.execute_activity("double", 4, start_to_close_timeout=MINUTE),
}


@pytest.mark.parametrize("call", CALLS)
def test_all_forms_of_a_call_are_one(call: str) -> None:
    @workflow.defn
    async def calling() -> Any:
        return await CALLS[call]()

    driver = Driver(calling)
    (command,) = driver.start()
    assert (command.activity_type, values(command.arguments)) == ("double", [4])
    assert command.start_to_close_timeout == 60.0
    assert completed(driver.activate(activity_done(8))) == 8


@pytest.mark.parametrize(
    ("call", "name", "arguments"),
    [
        (lambda: workflow.execute_activity_method(Shop.ship, "book"), "ship", ["book"]),
        (lambda: workflow.start_activity_method(Shop.ship, "book"), "ship", ["book"]),
        (lambda: Shop.ship.execute("book"), "ship", ["book"]),
        (lambda: workflow.execute_activity(Shop.ship, args=["book"]), "ship", ["book"]),
        (lambda: workflow.execute_activity_class(Shout, "hey"), "Shout", ["hey"]),
        (lambda: workflow.start_activity_class(Shout, args=["hey"]), "Shout", ["hey"]),
        (lambda: noted.execute(), "noted", []),
        (lambda: workflow.execute_activity(both, args=["left", "r"]), "both", ["left", "r"]),
        (lambda: both.execute("left"), "both", ["left"]),
        (lambda: both.execute(right="r", left="l"), "both", ["l", "r"]),
    ],
)
def test_methods_classes_and_functions_are_named_and_given_their_arguments(
    call: Any, name: str, arguments: list[Any]
) -> None:
    @workflow.defn
    async def calling() -> Any:
        return await call()

    driver = Driver(calling)
    (command,) = driver.start()
    assert (command.activity_type, values(command.arguments)) == (name, arguments)
    assert completed(driver.activate(activity_done("done"))) == "done"


def test_results_have_the_type_that_the_call_or_the_definition_says() -> None:
    @workflow.defn
    async def weighing() -> list[float]:
        by_name = await workflow.execute_activity("weigh", result_type=Parcel, start_to_close_timeout=MINUTE)
        untyped = await workflow.execute_activity("weigh", start_to_close_timeout=MINUTE)
        return [by_name.weight, untyped["weight"]]

    driver = Driver(weighing)
    driver.start()
    driver.activate(_native.ResolveActivity(seq=1, result=payload({"weight": 1.5})))
    assert completed(driver.activate(_native.ResolveActivity(seq=2, result=payload({"weight": 2.5})))) == [1.5, 2.5]


def test_a_result_of_the_wrong_type_names_the_activity() -> None:
    @workflow.defn
    async def calling() -> str:
        try:
            return str(await double.execute(4))
        except ArgumentError as error:
            return str(error)

    driver = Driver(calling)
    driver.start()
    message = completed(driver.activate(activity_done("many")))
    assert "activity 'double'" in message
    assert "int" in message


def test_an_activity_without_result_gives_none() -> None:
    @workflow.defn
    async def calling() -> bool:
        return await workflow.execute_activity("act", start_to_close_timeout=MINUTE) is None

    driver = Driver(calling)
    driver.start()
    assert completed(driver.activate(_native.ResolveActivity(seq=1))) is True


# What is refused


def refused(body: Any, error: type[Exception], match: str) -> None:
    @workflow.defn
    async def calling() -> None:
        await body()

    with pytest.raises(error, match=match):
        Driver(calling).start()


@activity.defn
async def endless() -> None: ...


@activity.defn(dynamic=True, start_to_close_timeout=MINUTE)
async def anything(args: Sequence[RawValue]) -> None: ...


def test_an_activity_without_a_timeout_is_refused_where_it_is_called() -> None:
    needed = "'endless' needs start_to_close_timeout or schedule_to_close_timeout: set one on @activity.defn or for"
    refused(lambda: endless.execute(), ValueError, needed)


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"start_to_clos": MINUTE}, TypeError, "'start_to_clos' is not an activity option; the options are: .*task_q"),
        (
            {"start_to_close_timeout": timedelta(-1)},
            ValueError,
            "start_to_close_timeout must not be negative, got -1 day",
        ),
        (
            {"heartbeat_timeout": "1 s"},
            TypeError,
            "heartbeat_timeout must be a timedelta or a number of seconds, got str",
        ),
        ({"retry_policy": 3}, TypeError, "retry_policy must be a RetryPolicy, got int"),
        ({"cancellation_type": 9}, ValueError, "cancellation_type must be a ActivityCancellationType, got 9"),
        ({"cancellation_type": "wait"}, ValueError, "must be a ActivityCancellationType, got 'wait'"),
        ({"versioning_intent": 9}, ValueError, "versioning_intent must be a VersioningIntent, got 9"),
        ({"task_queue": 1}, TypeError, "task_queue must be a str, got int"),
        ({"activity_id": 1}, TypeError, "activity_id must be a str, got int"),
        ({"summary": 1}, TypeError, "summary must be a str, got int"),
        ({"priority": 1}, TypeError, "priority must be a Priority, got int"),
        ({"event_groups": ["group"]}, TypeError, "event_groups must be a EventGroup, got str"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], error: type[Exception], match: str) -> None:
    refused(lambda: workflow.execute_activity(greet, "Ada", **options), error, match)
    with pytest.raises(error, match=match):
        greet.with_options(**options)
    with pytest.raises(error, match=match):
        activity.defn(**options)


# For calls that type checkers refuse too.
untyped: Any = greet


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: untyped.execute(), r"activity 'greet' takes \(name: str, .*\), but 'name' is missing"),
        (lambda: untyped.execute("Ada", "Hi"), "activity 'greet' takes .*, but 2 positional arguments were given"),
        (lambda: untyped.execute("Ada", tone="low"), "there is no parameter 'tone'"),
        (lambda: workflow.execute_activity(greet, args=[]), "'name' is missing"),
        (
            lambda: workflow.execute_activity(print),
            "print is not an activity: decorate it with @activity.defn, or pass",
        ),
        (
            lambda: workflow.execute_activity(anything, []),
            "a dynamic activity is called by name: give the name",
        ),
        (
            lambda: workflow.execute_activity("act", object(), start_to_close_timeout=MINUTE),
            "the arguments of activity 'act' cannot be encoded: .*object",
        ),
        (lambda: untyped.execute(object()), "the arguments of activity 'greet' cannot be encoded: "),
    ],
)
def test_wrong_calls_say_what_is_wrong(call: Any, match: str) -> None:
    refused(call, TypeError, match)


def test_arguments_come_in_one_form() -> None:
    both_forms = lambda: workflow.execute_activity("act", "Ada", args=["Bob"])  # noqa: E731
    refused(both_forms, ValueError, "give either arg or args, not both")


def test_a_text_is_no_list_of_arguments() -> None:
    listed = lambda: workflow.execute_activity("act", args="Ada")  # noqa: E731
    refused(listed, TypeError, "args must be a sequence of arguments, got a str: use arg for a single one")


def test_a_call_that_is_refused_takes_no_number() -> None:
    @workflow.defn
    async def calling() -> None:
        with pytest.raises(TypeError):
            greet.start(object())  # type: ignore[arg-type]
        greet.start("Ada")

    command, _ = Driver(calling).start()
    assert command.seq == 1


# Ends


def test_a_failed_activity_raises_with_its_cause() -> None:
    @workflow.defn
    async def hello() -> str:
        try:
            await greet.execute("Ada")
        except ActivityError as error:
            cause: Any = error.cause
            return f"{error.activity_type}: {type(cause).__name__} {cause.type}: {cause.message}"
        return "no error"

    driver = Driver(hello)
    driver.start()
    assert (
        completed(driver.activate(activity_failed(application_failure()))) == "greet: ApplicationError Hoarse: no voice"
    )


def test_an_activity_error_that_nobody_catches_fails_the_workflow() -> None:
    @workflow.defn
    async def hello() -> str:
        return await greet.execute("Ada")

    driver = Driver(hello)
    driver.start()
    failure = failed(driver.activate(activity_failed(application_failure())))
    assert failure.cause is not None
    assert failure.cause.message == "no voice"


def test_activities_run_side_by_side_and_gather_keeps_their_order() -> None:
    @workflow.defn
    async def chorus() -> list[str]:
        return list(await asyncio.gather(greet.execute("Ada"), greet.execute("Bob")))

    driver = Driver(chorus)
    assert [values(each.arguments) for each in driver.start()] == [["Ada"], ["Bob"]]
    assert driver.activate(activity_done("2", seq=2)) == []
    assert completed(driver.activate(activity_done("1", seq=1))) == ["1", "2"]


def test_the_end_of_an_activity_that_nobody_started_is_nondeterminism() -> None:
    @workflow.defn
    async def waiting() -> None:
        await greet.execute("Ada")

    driver = Driver(waiting)
    driver.start()
    with pytest.raises(
        workflow.NondeterminismError, match="event for activity 4, but the workflow code has started no such activity"
    ):
        driver.activate(activity_done(seq=4))


# Cancellation


def test_cancelling_is_a_request_and_the_end_is_the_activitys() -> None:
    @workflow.defn
    async def impatient() -> str:
        handle = greet.start("Ada")
        await asyncio.sleep(0)
        assert handle.cancel()
        assert handle.cancel()
        try:
            return await handle
        except ActivityError as error:
            return type(error.cause).__name__

    driver = Driver(impatient)
    schedule, request = driver.start()
    assert isinstance(request, _native.RequestCancelActivity)
    assert request.seq == schedule.seq
    assert completed(driver.activate(activity_failed(cancelled_failure()))) == TemporalCancelledError.__name__


def test_an_activity_may_complete_in_spite_of_the_request() -> None:
    @workflow.defn
    async def impatient() -> list[Any]:
        handle = greet.start("Ada")
        await asyncio.sleep(0)
        handle.cancel()
        return [await handle, handle.cancel(), handle.cancelled()]

    driver = Driver(impatient)
    driver.start()
    assert completed(driver.activate(activity_done("done"))) == ["done", False, False]


def test_cancelled_in_the_breath_that_schedules_it_an_activity_is_cancelled_at_once() -> None:
    @workflow.defn
    async def abrupt() -> str:
        handle = greet.start("Ada")
        handle.cancel()
        try:
            return await handle
        except asyncio.CancelledError:
            return "cancelled"

    driver = Driver(abrupt)
    commands = driver.start()
    assert kinds(commands) == [
        _native.ScheduleActivity,
        _native.RequestCancelActivity,
        _native.CompleteWorkflowExecution,
    ]
    assert value(commands[-1].result) == "cancelled"
    assert driver.activate(activity_done("too late")) == []


def test_cancelling_the_task_that_waits_cancels_the_activity() -> None:
    @workflow.defn
    async def impatient() -> str:
        task = asyncio.create_task(greet.execute("Ada"))
        await workflow.sleep(1)
        task.cancel()
        try:
            return await task
        except ActivityError as error:
            return type(error.cause).__name__

    driver = Driver(impatient)
    driver.start()
    (request,) = driver.activate(_native.FireTimer(seq=1))
    assert isinstance(request, _native.RequestCancelActivity)
    assert completed(driver.activate(activity_failed(cancelled_failure()))) == "CancelledError"


def test_a_request_after_the_end_of_the_activity_is_not_sent() -> None:
    @workflow.defn
    async def late() -> None:
        handle = greet.start("Ada")
        await workflow.sleep(1)
        handle.cancel()
        await workflow.sleep(1)

    jobs = [activity_done("done"), _native.FireTimer(seq=1)]
    for ordered in (jobs, jobs[::-1]):
        driver = Driver(late)
        driver.start()
        assert kinds(driver.activate(*ordered)) == [_native.StartTimer]
