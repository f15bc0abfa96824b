"""Workflows and activities that use what workers have, and end: whatever stays behind is a leak."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from typing import Any

from invincible import activity, workflow
from invincible.common import RetryPolicy
from invincible.exceptions import ActivityError, ApplicationError, ApplicationErrorCategory
from invincible.workflow import ActivityCancellationType

MINUTE = timedelta(minutes=1)
TASK_QUEUE = "soak"


@activity.defn(start_to_close_timeout=MINUTE)
async def think(text: str) -> str:
    return text.upper()


@activity.defn(start_to_close_timeout=MINUTE)
def work(text: str) -> str:
    return text[::-1]


@activity.defn(start_to_close_timeout=MINUTE)
async def beat(times: int) -> int:
    for number in range(times):
        activity.heartbeat(number, "x" * 100)
        await asyncio.sleep(0.001)
    return times


@activity.defn(start_to_close_timeout=MINUTE, heartbeat_timeout=MINUTE)
def beat_on_thread(times: int) -> int:
    for number in range(times):
        activity.heartbeat(number, "x" * 100)
    return times


@activity.defn(start_to_close_timeout=MINUTE, heartbeat_timeout=timedelta(seconds=1))
async def wait_for_the_end() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(0.05)


@activity.defn(
    start_to_close_timeout=MINUTE,
    retry_policy=RetryPolicy(maximum_attempts=2, initial_interval=timedelta(milliseconds=10)),
)
async def fail() -> None:
    details = {"attempt": activity.info().attempt}
    raise ApplicationError("as it should", details, category=ApplicationErrorCategory.BENIGN)


@workflow.defn
async def child(text: str) -> str:
    return await think.execute(text)


@workflow.defn
class Everything:
    """One round of all that a workflow does."""

    def __init__(self) -> None:
        self.signals: list[str] = []
        self.updates: list[str] = []

    @workflow.run
    async def run(self, number: int) -> str:
        text = f"run {number} " + "x" * 200
        await asyncio.gather(
            *(think.execute(text) for _ in range(3)), *(work.execute(text) for _ in range(3)), workflow.sleep(0.01)
        )
        await asyncio.gather(
            *(think.execute_local(text) for _ in range(3)), *(work.execute_local(text) for _ in range(3))
        )
        await asyncio.gather(beat.execute(5), beat_on_thread.execute(5))
        with contextlib.suppress(asyncio.TimeoutError):
            await workflow.wait_condition(lambda: False, timeout=0.01)
        await workflow.wait_condition(lambda: len(self.signals) >= 2 and bool(self.updates))
        if number % 5 == 0:
            await workflow.execute_child_workflow(child, text)
        if number % 7 == 0:
            await self.fail_and_cancel()
        return workflow.info().workflow_id

    async def fail_and_cancel(self) -> None:
        with contextlib.suppress(ActivityError):
            await fail.execute()
        waiting = workflow.start_activity(
            wait_for_the_end, cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
        )
        await workflow.sleep(0.2)
        waiting.cancel()
        with contextlib.suppress(ActivityError):
            await waiting

    @workflow.signal
    def tell(self, text: str) -> None:
        self.signals.append(text)

    @workflow.update
    async def change(self, text: str) -> int:
        await think.execute(text)
        self.updates.append(text)
        return len(self.updates)

    @change.validator
    def _check(self, text: str) -> None:
        if not text:
            raise ValueError("there must be a text")

    @workflow.query
    def told(self) -> int:
        return len(self.signals)


WORKFLOWS: list[Any] = [Everything, child]
ACTIVITIES: list[Any] = [think, work, beat, beat_on_thread, wait_for_the_end, fail]
