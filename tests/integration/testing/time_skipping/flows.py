"""Workflows and activities for which time passes."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone

from invincible import activity, workflow
from invincible.client import (
    Client,
    WorkflowHandle,
)
from invincible.common import RetryPolicy
from invincible.exceptions import ActivityError, ApplicationError, TimeoutError

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# What a test may take on a machine with much else to do; time that is not skipped takes hours at least.
WITHIN = 60


@workflow.defn
async def sleep_days(days: int) -> float:
    """Days that have passed."""
    begin = workflow.now()
    for _ in range(days):
        await asyncio.sleep(DAY.total_seconds())
    return (workflow.now() - begin) / DAY


@workflow.defn
class Subscription:
    """Counts its months, until it is cancelled."""

    def __init__(self) -> None:
        self._months = 0
        self._cancelled = False

    @workflow.run
    async def run(self) -> int:
        while not self._cancelled:
            try:
                await workflow.wait_condition(lambda: self._cancelled, timeout=30 * DAY)
            except asyncio.TimeoutError:
                self._months += 1
        return self._months

    @workflow.signal
    def cancel(self) -> None:
        self._cancelled = True

    @workflow.query
    def months(self) -> int:
        return self._months

    @workflow.update
    async def pause(self, days: int) -> int:
        await asyncio.sleep(days * DAY.total_seconds())
        return self._months


@workflow.defn
async def parent_of(child: str, days: int) -> float:
    """Days that pass for a child, which begins on the second day."""
    begin = workflow.now()
    await asyncio.sleep(DAY.total_seconds())
    await workflow.execute_child_workflow(child, *([days] if days else []), id=f"{workflow.info().workflow_id}-child")
    return (workflow.now() - begin) / DAY


@workflow.defn
async def begins(_: int) -> datetime:
    return workflow.now()


@workflow.defn
async def tell_child_begin() -> timedelta:
    """How far a child's clock is ahead of its parent's when it begins."""
    await asyncio.sleep(40 * DAY.total_seconds())
    child = await workflow.execute_child_workflow(begins, 0, id=f"{workflow.info().workflow_id}-child")
    return child - workflow.now()


@workflow.defn
async def again_and_again(runs: int) -> datetime:
    await asyncio.sleep(10 * DAY.total_seconds())
    if runs > 1:
        workflow.continue_as_new(runs - 1)
    return workflow.now()


@workflow.defn
async def fails_three_times() -> int:
    attempt = workflow.info().attempt
    if attempt <= 3:
        raise ApplicationError("again")
    return attempt


@workflow.defn
async def now() -> datetime:
    return workflow.now()


@workflow.defn
async def nothing() -> None:
    pass


@workflow.defn
async def unreliable() -> tuple[float, str]:
    begin = workflow.now()
    try:
        await workflow.execute_activity(
            fails,
            start_to_close_timeout=15 * timedelta(minutes=1),
            schedule_to_close_timeout=HOUR,
            retry_policy=RetryPolicy(initial_interval=timedelta(minutes=5)),
        )
    except ActivityError as error:
        return (workflow.now() - begin) / timedelta(minutes=1), str(error.__cause__)
    raise AssertionError("the activity fails")


@activity.defn
async def fails() -> None:
    raise LookupError("no such account")


@workflow.defn
async def patient() -> tuple[str, str | None]:
    try:
        return await workflow.execute_activity(
            hangs,
            start_to_close_timeout=timedelta(minutes=15),
            heartbeat_timeout=timedelta(minutes=5),
            retry_policy=RetryPolicy(maximum_attempts=2),
        ), None
    except ActivityError as error:
        timeout = error.__cause__
        return "timed out", timeout.type.name if isinstance(timeout, TimeoutError) and timeout.type else None


@activity.defn
async def hangs() -> str:
    info = activity.info()
    if str(info.workflow_id).endswith("-second") and info.attempt == 2:
        return "done"
    await asyncio.Event().wait()
    return "never"


@activity.defn
async def beats() -> int:
    for beat in range(5):
        activity.heartbeat(beat)
        await asyncio.sleep(0.05)
    return activity.info().attempt


@workflow.defn
async def with_heartbeats() -> int:
    """The attempt of an activity that beats, between two long sleeps."""
    await asyncio.sleep(DAY.total_seconds())
    attempt: int = await workflow.execute_activity(
        beats, start_to_close_timeout=timedelta(seconds=30), heartbeat_timeout=timedelta(seconds=20)
    )
    await asyncio.sleep(DAY.total_seconds())
    return attempt


@workflow.defn
async def broken_tomorrow() -> None:
    await asyncio.sleep(DAY.total_seconds())
    raise KeyError("a bug")


@workflow.defn
async def broken_in_the_next_run(runs: int) -> None:
    await asyncio.sleep(DAY.total_seconds())
    if not runs:
        raise KeyError("a bug in the last run")
    workflow.continue_as_new(runs - 1)


WORKFLOWS = [
    sleep_days,
    Subscription,
    parent_of,
    begins,
    tell_child_begin,
    again_and_again,
    fails_three_times,
    now,
    nothing,
    unreliable,
    patient,
    with_heartbeats,
    broken_tomorrow,
    broken_in_the_next_run,
]


@workflow.defn
async def patient_mailbox() -> None:
    await workflow.wait_condition(lambda: False)


async def subscribe(client: Client, task_queue: str) -> WorkflowHandle[Subscription, int]:
    return await client.start_workflow(Subscription.run, id=task_queue, task_queue=task_queue)


def real_now() -> datetime:
    return datetime.now(timezone.utc)


@workflow.defn
async def grandparent() -> None:
    await workflow.execute_child_workflow(
        parent_of, args=["broken_tomorrow", 0], id=f"{workflow.info().workflow_id}-parent"
    )
