"""Local activities: results, retries within a task and by timer, cancellation, and others at the same time."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from invincible import workflow
from invincible.common import RetryPolicy
from invincible.exceptions import FailureError
from invincible.workflow import ActivityCancellationType

from .activities import Counter, Doubler, concatenated
from .common import MINUTE, SECOND, dozing, failing, flaky, mark, marked, told, unmoved

QUICK = RetryPolicy(initial_interval=timedelta(milliseconds=20), backoff_coefficient=1.0)
SLOW = RetryPolicy(initial_interval=SECOND, backoff_coefficient=1.0, maximum_attempts=3)


@workflow.defn
class LocalOptions:
    @workflow.run
    async def run(self) -> None:
        await marked(await workflow.execute_local_activity(mark, "plain", start_to_close_timeout=MINUTE))
        await marked(
            await workflow.execute_local_activity("mark", "named", result_type=str, schedule_to_close_timeout=MINUTE)
        )
        await marked(await workflow.execute_local_activity(concatenated, args=["a", 1], start_to_close_timeout=MINUTE))
        await marked(await workflow.execute_local_activity_class(Doubler, 21, start_to_close_timeout=MINUTE))
        await marked(await workflow.execute_local_activity_method(Counter.add, 2, start_to_close_timeout=MINUTE))
        await marked(
            await workflow.start_local_activity(
                mark,
                "everything",
                schedule_to_close_timeout=3 * MINUTE,
                schedule_to_start_timeout=2 * MINUTE,
                start_to_close_timeout=MINUTE,
                retry_policy=QUICK,
                local_retry_threshold=2 * SECOND,
                cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
                activity_id="own",
                summary="a local activity with **all** options",
            )
        )


@workflow.defn
class LocalFailures:
    """Retried within the task, failed for good, out of attempts, and out of time."""

    @workflow.run
    async def run(self) -> None:
        await told(
            "retried", workflow.execute_local_activity(flaky, 3, start_to_close_timeout=MINUTE, retry_policy=QUICK)
        )
        await told("not retryable", workflow.execute_local_activity(failing, "no", start_to_close_timeout=MINUTE))
        twice = RetryPolicy(initial_interval=timedelta(milliseconds=20), maximum_attempts=2)
        await told(
            "attempts", workflow.execute_local_activity(flaky, 9, start_to_close_timeout=MINUTE, retry_policy=twice)
        )
        once = RetryPolicy(maximum_attempts=1)
        try:
            await workflow.execute_local_activity(dozing, "t", start_to_close_timeout=0.3 * SECOND, retry_policy=once)
        except FailureError:
            # Live, Core hands over the time-out alone, and in a replay as the cause of an activity's failure.
            await marked("timeout")


@workflow.defn
class LocalBackoff:
    """A retry later than the threshold waits for a timer of the server; a timer of the workflow's own is beside it."""

    @workflow.run
    async def run(self) -> None:
        async def backing_off(tag: str, succeeds_at: int) -> None:
            await told(
                tag,
                workflow.execute_local_activity(
                    flaky,
                    succeeds_at,
                    start_to_close_timeout=MINUTE,
                    retry_policy=SLOW,
                    local_retry_threshold=timedelta(milliseconds=100),
                ),
            )

        await asyncio.gather(
            backing_off("succeeds", 2),
            told("timer", asyncio.sleep(1)),
            backing_off("fails", 9),
            told("plain", workflow.execute_local_activity(mark, "plain", start_to_close_timeout=MINUTE)),
        )
        await workflow.execute_activity(mark, "default id", start_to_close_timeout=MINUTE)
        await workflow.execute_local_activity(mark, "default id", start_to_close_timeout=MINUTE)


@workflow.defn
class LocalBackoffCancelled:
    """Cancelled while its timer runs."""

    @workflow.run
    async def run(self) -> None:
        for kind in ActivityCancellationType:
            task = asyncio.create_task(
                workflow.execute_local_activity(
                    flaky,
                    9,
                    start_to_close_timeout=MINUTE,
                    retry_policy=RetryPolicy(initial_interval=MINUTE),
                    local_retry_threshold=timedelta(milliseconds=100),
                    cancellation_type=kind,
                )
            )
            await asyncio.sleep(0.5)
            task.cancel()
            await told(kind.name, task)


@workflow.defn
class LocalCancellations:
    """Each cancellation type, while the activity runs and before it does; of one that obeys and one that does not."""

    @workflow.run
    async def run(self) -> None:
        for kind in ActivityCancellationType:
            obeying = workflow.start_local_activity(dozing, "p", start_to_close_timeout=MINUTE, cancellation_type=kind)
            stubborn = workflow.start_local_activity(
                unmoved, "u", start_to_close_timeout=MINUTE, cancellation_type=kind
            )
            await asyncio.sleep(0.3)
            obeying.cancel()
            stubborn.cancel()
            await asyncio.gather(told(f"obeying {kind.name}", obeying), told(f"stubborn {kind.name}", stubborn))

            early = workflow.start_local_activity(mark, "e", start_to_close_timeout=MINUTE, cancellation_type=kind)
            early.cancel()
            await told(f"early {kind.name}", early)

            begun = asyncio.create_task(
                workflow.execute_local_activity(mark, "b", start_to_close_timeout=MINUTE, cancellation_type=kind)
            )
            await asyncio.sleep(0)
            begun.cancel()
            await told(f"begun {kind.name}", begun)


@workflow.defn
class LocalRace:
    """Local activities end in the task that a signal, a timer and an activity continue in."""

    def __init__(self) -> None:
        self.signals = 0

    @workflow.signal
    async def nudge(self, tag: str) -> None:
        self.signals += 1
        await told(f"signal {tag}", workflow.execute_local_activity(mark, tag, start_to_close_timeout=MINUTE))

    @workflow.run
    async def run(self) -> None:
        async def after(tag: str, seconds: float) -> None:
            await asyncio.sleep(seconds)
            await told(tag, workflow.execute_local_activity(mark, tag, start_to_close_timeout=MINUTE))
            await told(f"{tag} twice", workflow.execute_local_activity(mark, tag, start_to_close_timeout=MINUTE))

        await asyncio.gather(
            after("first", 2),
            told("condition", workflow.wait_condition(lambda: self.signals > 1)),
            after("second", 2),
            told("gathered", asyncio.gather(*(self.chain(n) for n in range(3)))),
        )

    async def chain(self, number: int) -> int:
        await workflow.wait_condition(lambda: self.signals > 0)
        for step in range(2):
            tag = f"chain {number} step {step}"
            await told(tag, workflow.execute_local_activity(mark, tag, start_to_close_timeout=MINUTE))
        return number


WORKFLOWS = [LocalOptions, LocalFailures, LocalBackoff, LocalBackoffCancelled, LocalCancellations, LocalRace]
