"""Local activities: on the workflow's own worker, recorded by markers."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import timedelta

import pytest

from invincible import activity, workflow
from invincible.common import RetryPolicy
from invincible.exceptions import ActivityError, ApplicationError, TimeoutError
from invincible.workflow import ActivityCancellationType
from tests.support.conditions import eventually
from tests.support.features import (
    MINUTE,
    SOON,
    TEN_SECONDS,
    Cache,
    Feature,
    attributes,
    data,
    of_kind,
    recorded,
    rested,
    summary,
)

QUICKLY = RetryPolicy(initial_interval=SOON, backoff_coefficient=1.0)


@activity.defn
async def double(number: int, plus: int = 0) -> int:
    info = activity.info()
    assert info.is_local
    assert info.workflow_type == "Calls"
    return 2 * number + plus


@activity.defn
def in_a_thread(text: str) -> str:
    return text.upper()


class Counter:
    def __init__(self, count: int) -> None:
        self.count = count

    @activity.defn
    async def add(self, number: int) -> int:
        return self.count + number


@workflow.defn
class Calls:
    @workflow.run
    async def run(self) -> list[object]:
        options = workflow.LocalActivityConfig(start_to_close_timeout=TEN_SECONDS)
        own = double.with_options(summary="a *summary*", activity_id="own", start_to_close_timeout=TEN_SECONDS)
        first = own.start_local(1, 1)
        results: list[object] = [await first]
        await rested()
        results += [
            await workflow.execute_local_activity(double, args=[2], **options),
            await workflow.execute_local_activity("double", 3, result_type=int, **options),
            await workflow.execute_local_activity_method(Counter.add, 4, **options),
            await workflow.execute_local_activity(in_a_thread, "five", **options),
            await double.with_options(start_to_close_timeout=TEN_SECONDS).execute_local(6, plus=3),
        ]
        results += await asyncio.gather(
            *(workflow.start_local_activity(double, number, **options) for number in (7, 8, 9))
        )
        return results


async def test_local_activities_leave_markers_with_their_results(feature: Feature) -> None:
    async with feature.worker([Calls], [double, in_a_thread, Counter(100).add], calm=True):
        handle = await feature.start(Calls.run)
        assert await handle.result() == [3, 4, 6, 104, "FIVE", 15, 14, 16, 18]
    events = await feature.events(handle)
    assert [each.activity_type.name for each in attributes(events, "activity_task_scheduled")] == ["rest"]
    markers = of_kind(events, "marker_recorded")
    assert {each.marker_name for each in attributes(events, "marker_recorded")} == {"core_local_activity"}
    assert len(markers) == 9
    assert [summary(event) for event in markers] == ["a *summary*", *[None] * 8]
    (own, *_) = attributes(events, "marker_recorded")
    assert b'"own"' in own.details["data"].payloads[0].data
    assert data(own.details["result"].payloads[0]) == b"3"


attempts: dict[str, list[int]] = defaultdict(list)


@activity.defn(start_to_close_timeout=TEN_SECONDS, retry_policy=QUICKLY)
async def flaky(until: int, kind: str = "Some") -> int:
    attempt = activity.info().attempt
    attempts[activity.info().workflow_id or ""].append(attempt)
    if attempt >= until:
        return attempt
    raise ApplicationError(f"attempt {attempt}", attempt, type=kind, non_retryable=kind == "Final")


@workflow.defn
class RetriedInTask:
    @workflow.run
    async def run(self) -> int:
        return await workflow.execute_local_activity(flaky, 4, start_to_close_timeout=TEN_SECONDS, retry_policy=QUICKLY)


async def test_short_retries_stay_within_the_workflow_task(feature: Feature) -> None:
    async with feature.worker([RetriedInTask], [flaky], calm=True):
        handle = await feature.start(RetriedInTask.run)
        assert await handle.result() == 4
    assert attempts[feature.task_queue] == [1, 2, 3, 4]
    events = await feature.events(handle)
    assert not of_kind(events, "timer_started")
    assert len(of_kind(events, "workflow_task_completed")) == 1


@workflow.defn
class RetriedByTimer:
    @workflow.run
    async def run(self) -> int:
        return await workflow.execute_local_activity(
            flaky,
            3,
            start_to_close_timeout=TEN_SECONDS,
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=30), backoff_coefficient=1.0),
            local_retry_threshold=timedelta(milliseconds=20),
        )


async def test_a_retry_beyond_the_threshold_waits_for_a_timer(feature: Feature) -> None:
    async with feature.worker([RetriedByTimer], [flaky], calm=True):
        handle = await feature.start(RetriedByTimer.run)
        assert await handle.result() == 3
    assert attempts[feature.task_queue] == [1, 2, 3]
    events = await feature.events(handle)
    durations = [each.start_to_fire_timeout.ToMilliseconds() for each in attributes(events, "timer_started")]
    assert durations == [30, 30]
    assert len(of_kind(events, "marker_recorded")) == 3


@activity.defn
async def hanging() -> None:
    await asyncio.sleep(60)


@workflow.defn
class Failures:
    @workflow.run
    async def run(self) -> list[list[object]]:
        outcomes: list[list[object]] = []
        twice = RetryPolicy(initial_interval=SOON, maximum_attempts=2)
        never = RetryPolicy(initial_interval=SOON, non_retryable_error_types=["Never"])
        for handle in (
            flaky.start_local(9, "Final"),
            flaky.with_options(retry_policy=twice).start_local(9),
            flaky.with_options(retry_policy=never).start_local(9, "Never"),
        ):
            try:
                await handle
            except ApplicationError as error:
                outcomes.append([error.message, error.type, list(error.details)])
        await rested()
        return outcomes


async def test_failed_local_activities_tell_why(feature: Feature) -> None:
    async with feature.worker([Failures], [flaky], calm=True):
        outcomes = await feature.execute(Failures.run)
    assert outcomes == [
        ["attempt 1", "Final", [1]],
        ["attempt 2", "Some", [2]],
        ["attempt 1", "Never", [1]],
    ]


@workflow.defn
class TimesOut:
    @workflow.run
    async def run(self) -> list[str]:
        outcomes: list[str] = []
        once = RetryPolicy(maximum_attempts=1)
        short = timedelta(milliseconds=50)
        options: list[workflow.LocalActivityConfig] = [
            {"start_to_close_timeout": short, "retry_policy": once},
            {"schedule_to_close_timeout": short},
        ]
        for each in options:
            try:
                await workflow.execute_local_activity(hanging, **each)
            except TimeoutError as error:
                outcomes.append(await recorded(f"{type(error).__name__} {error.type and error.type.name}"))
        await rested()
        return outcomes


async def test_local_activities_time_out(feature: Feature) -> None:
    async with feature.worker([TimesOut], [hanging], calm=True):
        outcomes = await feature.execute(TimesOut.run)
    assert outcomes == ["TimeoutError START_TO_CLOSE", "TimeoutError SCHEDULE_TO_CLOSE"]


executions: dict[str, int] = defaultdict(int)


@activity.defn(start_to_close_timeout=MINUTE)
async def begun_again(waits_at_first: bool) -> int:
    id = activity.info().workflow_id or ""
    executions[id] += 1
    if waits_at_first and executions[id] == 1:
        await asyncio.sleep(60)
    return executions[id]


@workflow.defn
async def interrupted(waits_at_first: bool) -> int:
    return await begun_again.execute_local(waits_at_first)


async def test_an_eviction_is_no_cancellation_of_a_local_activity(feature: Feature) -> None:
    crowded = feature.cache is Cache.CROWDED
    async with feature.worker([interrupted], [begun_again]):
        # The server tries the task again when this time is over.
        handle = await feature.start(interrupted, crowded, task_timeout=timedelta(seconds=1))
        begun = await handle.result()
        # On a busy machine, time may be over more than once.
        assert begun >= 2 if crowded else begun == 1
    (marker,) = attributes(await feature.events(handle), "marker_recorded")
    assert not marker.HasField("failure")


began: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
ends: dict[str, list[str]] = defaultdict(list)


@activity.defn(start_to_close_timeout=MINUTE)
async def patient(completes: bool) -> str:
    id = activity.info().workflow_id or ""
    began[id].set()
    try:
        await asyncio.sleep(60)
        return "in peace"
    except asyncio.CancelledError:
        ends[id].append("told")
        if completes:
            return "completed all the same"
        raise


@activity.defn(start_to_close_timeout=MINUTE)
async def patient_has_begun() -> None:
    await began[activity.info().workflow_id or ""].wait()


@workflow.defn
class Cancels:
    @workflow.run
    async def run(self, cancellation_type: ActivityCancellationType, completes: bool) -> str:
        handle = patient.with_options(cancellation_type=cancellation_type).start_local(completes)
        # By a local activity, because a workflow task, and so each timer, waits until all of them have ended.
        await patient_has_begun.execute_local()
        handle.cancel()
        try:
            result = await handle
        except ActivityError as error:
            result = type(error.cause).__name__
        await rested()
        return result


@pytest.mark.parametrize(
    ("cancellation_type", "completes", "result"),
    [
        pytest.param(ActivityCancellationType.TRY_CANCEL, True, "CancelledError", id="try"),
        pytest.param(ActivityCancellationType.WAIT_CANCELLATION_COMPLETED, False, "CancelledError", id="wait"),
        pytest.param(ActivityCancellationType.WAIT_CANCELLATION_COMPLETED, True, "completed all the same", id="result"),
        pytest.param(ActivityCancellationType.ABANDON, True, "CancelledError", id="abandon"),
    ],
)
async def test_cancelling_a_local_activity_waits_as_its_type_says(
    feature: Feature, cancellation_type: ActivityCancellationType, completes: bool, result: str
) -> None:
    async with feature.worker([Cancels], [patient, patient_has_begun], calm=True):
        assert await feature.execute(Cancels.run, cancellation_type, completes) == result

        async def has_ended() -> bool:
            return ends[feature.task_queue] == ["told"]

        # Core tells an abandoned one as well, unless its run has come to its end or left the cache by then.
        if cancellation_type is not ActivityCancellationType.ABANDON:
            await eventually(has_ended, what="the activity is told", timeout=10)
