"""Activities: how they are named, their options, failures and cancellation."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from invincible import activity, workflow
from invincible.common import Priority, RawValue, RetryPolicy
from invincible.exceptions import ActivityError, ApplicationError, CancelledError, TimeoutError
from invincible.workflow import ActivityCancellationType
from tests.support.features import MINUTE, SOON, TEN_SECONDS, Feature, attributes, of_kind, rested, summary

QUICKLY = RetryPolicy(initial_interval=SOON, backoff_coefficient=1.0)


@dataclass
class Order:
    item: str
    count: int = 1


@activity.defn
async def pack(order: Order, gift: bool = False) -> Order:
    return Order(f"{order.item} in paper" if gift else order.item, order.count * 2)


@activity.defn(name="weigh")
def weigh_in_a_thread(order: Order) -> float:
    return order.count * 1.5


class Depot:
    def __init__(self, name: str) -> None:
        self.name = name

    @activity.defn
    async def store(self, order: Order) -> str:
        return f"{order.item} at {self.name}"


@activity.defn
class Label:
    async def __call__(self, order: Order) -> str:
        return order.item.upper()


@activity.defn(dynamic=True)
async def anything(arguments: Sequence[RawValue]) -> str:
    values = [activity.payload_converter().from_payload(each.payload) for each in arguments]
    return f"{activity.info().activity_type} {values}"


@workflow.defn
class Calls:
    @workflow.run
    async def run(self, order: Order) -> list[object]:
        first = workflow.start_activity(pack, args=[order, True], start_to_close_timeout=TEN_SECONDS)
        await rested()
        packed = await first
        assert isinstance(packed, Order)
        options = workflow.ActivityConfig(start_to_close_timeout=TEN_SECONDS)
        return [
            packed,
            await workflow.execute_activity(pack, order, **options),
            await workflow.execute_activity(weigh_in_a_thread, order, **options),
            (await workflow.execute_activity("pack", order, result_type=Order, **options)).count,
            await workflow.execute_activity("pack", order, **options),
            await workflow.execute_activity_method(Depot.store, order, **options),
            await workflow.execute_activity_class(Label, order, **options),
            await workflow.execute_activity("undefined", args=[1, "two"], **options),
            await pack.with_options(**options).execute(gift=True, order=order),
        ]


async def test_activities_are_called_by_function_method_class_and_name(feature: Feature) -> None:
    activities = [pack, weigh_in_a_thread, Depot("the harbour").store, Label(), anything]
    async with feature.worker([Calls], activities):
        result = await feature.execute(Calls.run, Order("tea", 3))
    packed, wrapped = {"item": "tea", "count": 6}, {"item": "tea in paper", "count": 6}
    assert result == [
        wrapped, packed, 4.5, 6, packed, "tea at the harbour", "TEA", "undefined [1, 'two']", wrapped
    ]  # fmt: skip


@workflow.defn
class Options:
    @workflow.run
    async def run(self) -> str:
        queue = workflow.info().task_queue
        await workflow.execute_activity(weigh_in_a_thread, Order("x"), schedule_to_close_timeout=TEN_SECONDS)
        return await workflow.execute_activity(
            options_seen,
            task_queue=queue,
            schedule_to_close_timeout=timedelta(seconds=40),
            schedule_to_start_timeout=timedelta(seconds=30),
            start_to_close_timeout=timedelta(seconds=20),
            heartbeat_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(
                initial_interval=timedelta(seconds=2),
                backoff_coefficient=1.5,
                maximum_interval=timedelta(seconds=7),
                maximum_attempts=4,
                non_retryable_error_types=["Fatal"],
            ),
            cancellation_type=ActivityCancellationType.ABANDON,
            activity_id="own-id",
            summary="all **options**",
            priority=Priority(priority_key=2, fairness_key="tenant", fairness_weight=1.5),
        )


@activity.defn
async def options_seen() -> str:
    info = activity.info()
    policy = info.retry_policy
    assert policy is not None
    assert info.heartbeat_timeout == timedelta(seconds=10)
    assert (info.start_to_close_timeout, info.schedule_to_close_timeout) == (
        timedelta(seconds=20),
        timedelta(seconds=40),
    )
    assert (policy.maximum_attempts, list(policy.non_retryable_error_types or ())) == (4, ["Fatal"])
    assert (info.priority.priority_key, info.priority.fairness_key) == (2, "tenant")
    return f"{info.activity_id} {info.activity_type} attempt {info.attempt} of {info.workflow_type}"


async def test_every_option_of_an_activity_reaches_the_server_and_the_activity(feature: Feature) -> None:
    async with feature.worker([Options], [options_seen, weigh_in_a_thread]):
        handle = await feature.start(Options.run)
        assert await handle.result() == "own-id options_seen attempt 1 of Options"
    events = await feature.events(handle)
    plain, full = attributes(events, "activity_task_scheduled")
    assert (plain.activity_id, plain.schedule_to_close_timeout.seconds) == ("1", 10)
    assert (full.activity_id, full.task_queue.name) == ("own-id", feature.task_queue)
    timeouts = ("schedule_to_close", "schedule_to_start", "start_to_close")
    assert [getattr(full, f"{name}_timeout").seconds for name in timeouts] == [40, 30, 20]
    assert full.heartbeat_timeout.seconds == 10
    policy = full.retry_policy
    assert (policy.initial_interval.seconds, policy.backoff_coefficient) == (2, 1.5)
    assert (policy.maximum_interval.seconds, policy.maximum_attempts) == (7, 4)
    assert list(policy.non_retryable_error_types) == ["Fatal"]
    assert (full.priority.priority_key, full.priority.fairness_key, full.priority.fairness_weight) == (2, "tenant", 1.5)
    assert [summary(event) for event in of_kind(events, "activity_task_scheduled")] == [None, "all **options**"]


@activity.defn(start_to_close_timeout=TEN_SECONDS, retry_policy=QUICKLY)
async def failing(until: int, kind: str) -> int:
    attempt = activity.info().attempt
    if attempt >= until:
        return attempt
    delay = SOON if kind == "Delayed" else None
    raise ApplicationError(
        f"attempt {attempt}", "a detail", attempt, type=kind, non_retryable=kind == "Final", next_retry_delay=delay
    )


@activity.defn(start_to_close_timeout=TEN_SECONDS, retry_policy=QUICKLY)
async def buggy() -> None:
    raise ZeroDivisionError("a bug")


@activity.defn
async def slow() -> None:
    activity.heartbeat("half", 50)
    await asyncio.sleep(60)


@workflow.defn
class Failures:
    @workflow.run
    async def run(self) -> dict[str, object]:
        outcomes: dict[str, object] = {}

        async def told(name: str, handle: workflow.ActivityHandle[Any]) -> None:
            try:
                outcomes[name] = await handle
            except ActivityError as error:
                cause = error.cause
                outcome: list[object] = [error.activity_type, error.retry_state and error.retry_state.name]
                if isinstance(cause, ApplicationError):
                    outcome += [cause.message, cause.type, list(cause.details), cause.non_retryable]
                elif isinstance(cause, TimeoutError):
                    outcome += [cause.type and cause.type.name, list(cause.last_heartbeat_details)]
                outcomes[name] = outcome

        twice = RetryPolicy(initial_interval=SOON, maximum_attempts=2)
        never = RetryPolicy(initial_interval=SOON, non_retryable_error_types=["Never"])
        once = RetryPolicy(maximum_attempts=1)
        short = timedelta(seconds=0.3)
        late = RetryPolicy(initial_interval=MINUTE)
        await asyncio.gather(
            told("retried", failing.start(3, "Some")),
            told("delayed", failing.with_options(retry_policy=late).start(2, "Delayed")),
            told("final", failing.start(9, "Final")),
            told("attempts", failing.with_options(retry_policy=twice).start(9, "Some")),
            told("excluded", failing.with_options(retry_policy=never).start(9, "Never")),
            told("unexpected", buggy.with_options(retry_policy=once).start()),
            told("started", slow.with_options(start_to_close_timeout=short, retry_policy=once).start()),
            told("scheduled", slow.with_options(schedule_to_close_timeout=short, retry_policy=once).start()),
            told(
                "silent",
                slow.with_options(start_to_close_timeout=MINUTE, heartbeat_timeout=short, retry_policy=once).start(),
            ),
            told(
                "unserved",
                slow.with_options(
                    start_to_close_timeout=MINUTE,
                    schedule_to_start_timeout=short,
                    task_queue="nobody",
                    retry_policy=once,
                ).start(),
            ),
            rested(),
        )
        return outcomes


async def test_failures_of_activities_are_retried_and_told_in_full(feature: Feature) -> None:
    async with feature.worker([Failures], [failing, buggy, slow]):
        outcomes = await feature.execute(Failures.run)
    detail = "a detail"
    assert outcomes == {
        "retried": 3,
        "delayed": 2,
        "final": ["failing", "NON_RETRYABLE_FAILURE", "attempt 1", "Final", [detail, 1], True],
        "attempts": ["failing", "MAXIMUM_ATTEMPTS_REACHED", "attempt 2", "Some", [detail, 2], False],
        "excluded": ["failing", "NON_RETRYABLE_FAILURE", "attempt 1", "Never", [detail, 1], False],
        "unexpected": ["buggy", "MAXIMUM_ATTEMPTS_REACHED", "a bug", "ZeroDivisionError", [], False],
        "started": ["slow", "MAXIMUM_ATTEMPTS_REACHED", "START_TO_CLOSE", ["half", 50]],
        "scheduled": ["slow", "TIMEOUT", "SCHEDULE_TO_CLOSE", ["half", 50]],
        "silent": ["slow", "MAXIMUM_ATTEMPTS_REACHED", "HEARTBEAT", ["half", 50]],
        "unserved": ["slow", "TIMEOUT", "SCHEDULE_TO_START", []],
    }


@activity.defn(start_to_close_timeout=TEN_SECONDS, heartbeat_timeout=TEN_SECONDS, retry_policy=QUICKLY)
async def resuming() -> list[object]:
    details = list(activity.info().heartbeat_details)
    if activity.info().attempt == 1:
        activity.heartbeat("page", 7)
        raise ApplicationError("once more")
    return details


@workflow.defn
async def resumed() -> list[object]:
    return await resuming.execute()


async def test_an_attempt_sees_the_last_heartbeat_of_the_one_before(feature: Feature) -> None:
    async with feature.worker([resumed], [resuming]):
        assert await feature.execute(resumed) == ["page", 7]


started: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
ended: dict[str, asyncio.Future[str]] = {}


@activity.defn(start_to_close_timeout=MINUTE, heartbeat_timeout=TEN_SECONDS)
async def patient(completes: bool) -> str:
    id = activity.info().workflow_id or ""
    ended[id] = asyncio.get_running_loop().create_future()
    started[id].set()
    try:
        while True:
            activity.heartbeat()
            await asyncio.sleep(0.01)
    except asyncio.CancelledError:
        details = activity.cancellation_details()
        assert details is not None
        ended[id].set_result("requested" if details.cancel_requested else "not found" if details.not_found else "other")
        if completes:
            return "completed all the same"
        raise


@workflow.defn
class Cancels:
    def __init__(self) -> None:
        self.go = False

    @workflow.signal
    def cancel_it(self) -> None:
        self.go = True

    @workflow.run
    async def run(self, cancellation_type: ActivityCancellationType, completes: bool) -> str:
        handle = patient.with_options(cancellation_type=cancellation_type).start(completes)
        await workflow.wait_condition(lambda: self.go)
        await rested()
        handle.cancel()
        try:
            return await handle
        except ActivityError as error:
            return "cancelled" if isinstance(error.cause, CancelledError) else str(error)


@pytest.mark.parametrize(
    ("cancellation_type", "completes", "result", "told", "requests"),
    [
        pytest.param(ActivityCancellationType.TRY_CANCEL, True, "cancelled", None, 1, id="try"),
        pytest.param(
            ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            False,
            "cancelled",
            "requested",
            1,
            id="wait",
        ),
        pytest.param(
            ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            True,
            "completed all the same",
            "requested",
            1,
            id="wait-for-result",
        ),
        pytest.param(ActivityCancellationType.ABANDON, True, "cancelled", "not found", 0, id="abandon"),
    ],
)
async def test_cancelling_an_activity_waits_as_its_type_says(
    feature: Feature,
    cancellation_type: ActivityCancellationType,
    completes: bool,
    result: str,
    told: str | None,
    requests: int,
) -> None:
    id = feature.task_queue
    async with feature.worker([Cancels], [patient], max_heartbeat_throttle_interval=SOON):
        handle = await feature.start(Cancels.run, cancellation_type, completes)
        await started[id].wait()
        await handle.signal(Cancels.cancel_it)
        assert await handle.result() == result
        said = await ended[id]
    # With the end of the workflow the server forgets the activity, perhaps before it has passed the request on.
    assert said in ([told] if told is not None else ["requested", "not found"])
    events = await feature.events(handle)
    assert len(of_kind(events, "activity_task_cancel_requested")) == requests
    waited = cancellation_type is ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
    assert len(of_kind(events, "activity_task_canceled")) == int(waited and not completes)


@workflow.defn
class CancelledBeforeStart:
    @workflow.run
    async def run(self) -> list[str]:
        at_once = pack.with_options(start_to_close_timeout=TEN_SECONDS).start(Order("x"))
        at_once.cancel()
        unserved = pack.with_options(start_to_close_timeout=TEN_SECONDS, task_queue="nobody").start(Order("x"))
        await rested()
        unserved.cancel()
        outcomes = []
        for handle in (at_once, unserved):
            try:
                await handle
            except asyncio.CancelledError:
                outcomes.append("nothing to cancel")
            except ActivityError as error:
                outcomes.append(type(error.cause).__name__)
        return outcomes


async def test_an_activity_is_cancelled_before_it_has_started(feature: Feature) -> None:
    async with feature.worker([CancelledBeforeStart], [pack]):
        handle = await feature.start(CancelledBeforeStart.run)
        assert await handle.result() == ["nothing to cancel", "CancelledError"]
    scheduled = attributes(await feature.events(handle), "activity_task_scheduled")
    assert [each.activity_type.name for each in scheduled] == ["pack", "rest"]


@workflow.defn
class BadCalls:
    @workflow.run
    async def run(self) -> list[str]:
        errors = []
        calls: list[tuple[Any, Any, dict[str, Any]]] = [
            (pack, [Order("x")], {}),
            (pack, [], {"start_to_close_timeout": SOON}),
            (len, ["x"], {"start_to_close_timeout": SOON}),
            ("x", [], {"start_to_close_timeout": -SOON}),
            ("x", [], {"start_to_close_timeout": SOON, "retries": 3}),
        ]
        for called, arguments, options in calls:
            try:
                workflow.start_activity(called, args=arguments, **options)
            except (TypeError, ValueError) as error:
                errors.append(f"{type(error).__name__}: {error}")
        await rested()
        return errors


async def test_a_call_that_cannot_work_is_refused_where_it_is_made(feature: Feature) -> None:
    async with feature.worker([BadCalls], [pack]):
        errors = await feature.execute(BadCalls.run)
    assert [error.partition(":")[0] for error in errors] == [
        "ValueError", "ArgumentError", "TypeError", "ValueError", "TypeError"
    ]  # fmt: skip
    assert "start_to_close_timeout" in errors[0]
    assert "retries" in errors[4]
