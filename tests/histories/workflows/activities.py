"""Activities: options, failures, cancellation, and completion from outside."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from invincible import activity, workflow
from invincible.common import Priority, RetryPolicy
from invincible.workflow import ActivityCancellationType

from .common import MINUTE, SECOND, failing, flaky, later, mark, marked, patient, told


@activity.defn
class Doubler:
    async def __call__(self, number: int) -> int:
        return 2 * number


class Counter:
    def __init__(self, count: int) -> None:
        self.count = count

    @activity.defn
    async def add(self, number: int) -> int:
        return self.count + number


@activity.defn(name="several")
async def concatenated(first: str, second: int, third: bool = True) -> str:
    return f"{first}{second}{third}"


@activity.defn
async def nothing() -> None:
    pass


@workflow.defn
class ActivityOptions:
    """Each way to name an activity, and each option; ids by default and of one's own."""

    @workflow.run
    async def run(self) -> None:
        await marked(await workflow.execute_activity(mark, "plain", start_to_close_timeout=MINUTE))
        await marked(
            await workflow.execute_activity("mark", "named", result_type=str, schedule_to_close_timeout=MINUTE)
        )
        await marked(await workflow.execute_activity(concatenated, args=["a", 1, False], start_to_close_timeout=MINUTE))
        await marked(await workflow.execute_activity(nothing, start_to_close_timeout=MINUTE))
        await marked(await workflow.execute_activity_class(Doubler, 21, start_to_close_timeout=MINUTE))
        await marked(await workflow.execute_activity_method(Counter.add, 2, start_to_close_timeout=MINUTE))
        await marked(
            await workflow.start_activity(
                mark,
                "everything",
                task_queue=workflow.info().task_queue,
                schedule_to_close_timeout=5 * MINUTE,
                schedule_to_start_timeout=4 * MINUTE,
                start_to_close_timeout=3 * MINUTE,
                heartbeat_timeout=2 * MINUTE,
                retry_policy=RetryPolicy(
                    initial_interval=SECOND,
                    backoff_coefficient=1.5,
                    maximum_interval=timedelta(seconds=4),
                    maximum_attempts=3,
                    non_retryable_error_types=["Sorry"],
                ),
                cancellation_type=ActivityCancellationType.ABANDON,
                activity_id="own",
                summary="an activity with **all** options",
                priority=Priority(priority_key=2, fairness_key="tenant", fairness_weight=1.5),
            )
        )
        first = workflow.start_activity_class(Doubler, 1, start_to_close_timeout=MINUTE)
        second = workflow.start_activity_method(Counter.add, 1, start_to_close_timeout=MINUTE)
        await marked(f"class {await first}, method {await second}")


@workflow.defn
class ActivityFailures:
    """Failures that are not retried, that are no more, and each timeout."""

    @workflow.run
    async def run(self) -> None:
        once = RetryPolicy(maximum_attempts=1)
        await told("not retryable", workflow.execute_activity(failing, "no", start_to_close_timeout=MINUTE))
        await told(
            "attempts",
            workflow.execute_activity(
                flaky,
                9,
                start_to_close_timeout=MINUTE,
                retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=50), maximum_attempts=2),
            ),
        )
        await told(
            "retried",
            workflow.execute_activity(
                flaky,
                3,
                start_to_close_timeout=MINUTE,
                retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=50)),
            ),
        )
        await told(
            "start to close",
            workflow.execute_activity(later, "t", start_to_close_timeout=0.3 * SECOND, retry_policy=once),
        )
        await told(
            "schedule to start",
            workflow.execute_activity(
                mark,
                "nobody",
                task_queue="nobody-polls-this",
                schedule_to_start_timeout=0.3 * SECOND,
                start_to_close_timeout=MINUTE,
            ),
        )
        await told(
            "schedule to close",
            workflow.execute_activity(
                mark, "x", task_queue="nobody-polls-this", schedule_to_close_timeout=0.3 * SECOND
            ),
        )
        await told(
            "heartbeat",
            workflow.execute_activity(
                later, "h", start_to_close_timeout=MINUTE, heartbeat_timeout=0.3 * SECOND, retry_policy=once
            ),
        )


def run_later(activity_id: str, **options: Any) -> workflow.ActivityHandle[str]:
    return workflow.start_activity(
        later, activity_id, activity_id=activity_id, start_to_close_timeout=MINUTE, **options
    )


@workflow.defn
class ActivityCancellations:
    """Started activities are cancelled by a signal, each way, while a timer fires and other activities end."""

    def __init__(self) -> None:
        self.cancelled = False
        self.running: list[asyncio.Future[Any]] = []

    @workflow.signal
    async def cancel(self) -> None:
        self.cancelled = True
        for each in self.running:
            each.cancel()
        await marked("signal")

    @workflow.run
    async def run(self) -> None:
        kinds = {
            "try": ActivityCancellationType.TRY_CANCEL,
            "wait": ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            "wait-and-fail": ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            "wait-and-end": ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            "abandon": ActivityCancellationType.ABANDON,
        }
        handles = {name: run_later(name, cancellation_type=kind) for name, kind in kinds.items()}
        self.running = list(handles.values())
        await asyncio.gather(
            told("condition", workflow.wait_condition(lambda: self.cancelled)),
            *(told(name, handle) for name, handle in handles.items()),
            told("another", run_later("another")),
            told("timer", asyncio.sleep(2)),
        )


@workflow.defn
class ActivitiesCancelledAtOnce:
    """Cancelled before the command is sent, by handle, by task and by scope; and the number that comes next."""

    @workflow.run
    async def run(self) -> None:
        for kind in ActivityCancellationType:
            handle = workflow.start_activity(mark, "x", start_to_close_timeout=MINUTE, cancellation_type=kind)
            handle.cancel()
            await told(f"handle {kind.name}", handle)

            task = asyncio.create_task(
                workflow.execute_activity(mark, "y", start_to_close_timeout=MINUTE, cancellation_type=kind)
            )
            task.cancel()
            await told(f"task {kind.name}", task)

            begun = asyncio.create_task(
                workflow.execute_activity(mark, "z", start_to_close_timeout=MINUTE, cancellation_type=kind)
            )
            await asyncio.sleep(0)
            begun.cancel()
            await told(f"begun {kind.name}", begun)
            await workflow.execute_activity(mark, "next", start_to_close_timeout=MINUTE)


@workflow.defn
class ActivityCancelledAsItEnds:
    """One task brings the end of activities and the signal that cancels them: the signal is first."""

    def __init__(self) -> None:
        self.handles: list[workflow.ActivityHandle[str]] = []
        self.tasks: list[asyncio.Task[None]] = []

    @workflow.signal
    def cancel(self) -> None:
        for handle in self.handles:
            handle.cancel()
        for task in self.tasks:
            task.cancel()

    @workflow.run
    async def run(self) -> None:
        kinds = list(ActivityCancellationType)
        self.handles = [run_later(f"handle-{kind.name}", cancellation_type=kind) for kind in kinds]
        self.tasks = [
            asyncio.create_task(told(f"told {kind.name}", run_later(f"task-{kind.name}", cancellation_type=kind)))
            for kind in kinds
        ]
        await asyncio.gather(*(told(f"handle {kind.name}", self.handles[n]) for n, kind in enumerate(kinds)))
        await asyncio.gather(*self.tasks)


@workflow.defn
class ActivityCancellationDelivered:
    """A live activity hears of its cancellation and ends as cancelled; twice cancelled is as once."""

    @workflow.run
    async def run(self) -> None:
        handle = workflow.start_activity(
            patient,
            "p",
            start_to_close_timeout=MINUTE,
            heartbeat_timeout=SECOND,
            cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        await asyncio.sleep(0.5)
        handle.cancel()
        handle.cancel()
        await told("waited", handle)
        handle.cancel()
        await marked(f"done {handle.done()} cancelled {handle.cancelled()}")


@workflow.defn
class ActivitiesEndedFromOutside:
    """Completed, failed and cancelled from outside, all in one task, and awaited in another order."""

    @workflow.run
    async def run(self) -> None:
        names = ["completed", "failed", "failed-for-good", "completed-too"]
        once = RetryPolicy(maximum_attempts=1)
        handles = {name: run_later(name, retry_policy=once) for name in names}
        await asyncio.gather(
            *(told(name, handles[name]) for name in reversed(names)),
            *(told(f"{name} again", asyncio.shield(handles[name])) for name in names),
        )


@workflow.defn
class ManyActivities:
    """A fan-out whose results come in several tasks; each awaits two things one after the other."""

    @workflow.run
    async def run(self) -> None:
        async def pair(number: int) -> int:
            first = await run_later(f"first-{number}")
            await marked(f"between-{number}-{first}")
            await run_later(f"second-{number}")
            return number

        await marked(await asyncio.gather(*map(pair, range(5))))


ACTIVITIES = [Doubler(), Counter(40).add, concatenated, nothing]
WORKFLOWS = [
    ActivityOptions,
    ActivityFailures,
    ActivityCancellations,
    ActivitiesCancelledAtOnce,
    ActivityCancelledAsItEnds,
    ActivityCancellationDelivered,
    ActivitiesEndedFromOutside,
    ManyActivities,
]
