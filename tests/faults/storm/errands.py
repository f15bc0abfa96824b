"""Workflows whose outcome is known beforehand, and their activities."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from invincible import activity, workflow
from invincible.common import RetryPolicy
from invincible.exceptions import ApplicationError, CancelledError
from invincible.workflow import ActivityCancellationType
from tests.faults.storm import trouble

STEPS = ("think", "work", "crunch", "beat")
SIGNALS = 3
HOLDS = 40
TOO_MUCH = 3_000_000
# When the server gives a workflow task again that a process has taken with it.
TASK_TIMEOUT = timedelta(seconds=3)

_SOON = RetryPolicy(initial_interval=timedelta(milliseconds=100), maximum_interval=timedelta(seconds=1))
_OVERSIZED = RetryPolicy(
    initial_interval=timedelta(milliseconds=100),
    maximum_interval=timedelta(seconds=1),
    non_retryable_error_types=["PayloadsTooLarge"],
)
# An activity whose process is killed says nothing: the server learns of it by these.
_LIMIT = timedelta(seconds=4)
_BEATS = timedelta(seconds=1.5)
_STUBBORN = 60.0


@activity.defn(start_to_close_timeout=_LIMIT, retry_policy=_SOON)
async def think(number: int) -> str:
    await asyncio.sleep(0.01)
    return f"think {number}"


@activity.defn(start_to_close_timeout=_LIMIT, retry_policy=_SOON)
def work(number: int) -> str:
    time.sleep(0.05)
    return f"work {number}"


@activity.defn(start_to_close_timeout=timedelta(seconds=8), retry_policy=_SOON)
def crunch(number: int) -> str:
    """In a process of its own."""
    time.sleep(0.05)
    return f"crunch {number}"


@activity.defn(start_to_close_timeout=timedelta(seconds=8), heartbeat_timeout=_BEATS, retry_policy=_SOON)
async def beat(number: int) -> str:
    for each in range(activity.heartbeat_details(int) or 0, 10):
        activity.heartbeat(each)
        await asyncio.sleep(0.05)
    return f"beat {number}"


@activity.defn(start_to_close_timeout=_LIMIT, retry_policy=_SOON)
async def refuse() -> None:
    raise ApplicationError("no, and that is final", type="Refused", non_retryable=True)


@activity.defn(start_to_close_timeout=_LIMIT, retry_policy=_OVERSIZED)
async def give_too_much() -> str:
    return "x" * TOO_MUCH


@activity.defn(start_to_close_timeout=timedelta(seconds=60), heartbeat_timeout=_BEATS, retry_policy=_SOON)
async def fall_silent() -> str:
    """Heartbeats once and then never again, until an attempt gets what that said."""
    if (said := activity.heartbeat_details(str)) is not None:
        return said
    activity.heartbeat("I was there")
    await asyncio.Event().wait()
    return ""


@activity.defn(start_to_close_timeout=_LIMIT, retry_policy=_SOON)
def hold(number: int) -> int:
    time.sleep(2)
    return number


@activity.defn(start_to_close_timeout=timedelta(seconds=90), heartbeat_timeout=_BEATS, auto_heartbeat=True)
async def ignore_the_end() -> None:
    deadline = time.monotonic() + _STUBBORN
    while trouble.is_on("stubborn") and time.monotonic() < deadline:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0.1)


@activity.defn(start_to_close_timeout=timedelta(seconds=90), heartbeat_timeout=_BEATS, auto_heartbeat=True)
def ignore_the_end_on_a_thread() -> None:
    deadline = time.monotonic() + _STUBBORN
    while trouble.is_on("stubborn") and time.monotonic() < deadline:
        with suppress(CancelledError):
            time.sleep(0.1)


@workflow.defn
async def child(number: int) -> str:
    await workflow.sleep(0.1)
    return "child of " + await think.execute(number)


@workflow.defn
class Errand:
    """All that a workflow does, one after the other."""

    def __init__(self) -> None:
        self.told = 0
        self.changed = ""

    @workflow.run
    async def run(self, number: int, processes: str) -> list[str]:
        parts = [await think.execute(number), await work.execute(number)]
        parts.append(await think.execute_local(number))
        parts.append(await crunch.with_options(task_queue=processes).execute(number))
        parts.append(await beat.execute(number))
        await workflow.sleep(0.2)
        id = f"{workflow.info().workflow_id}-child"
        parts.append(await workflow.execute_child_workflow(child, number, id=id, task_timeout=TASK_TIMEOUT))
        await workflow.wait_condition(lambda: self.told >= SIGNALS and bool(self.changed))
        return [*parts, self.changed]

    @workflow.signal
    def tell(self) -> None:
        self.told += 1

    @workflow.update
    async def change(self, text: str) -> str:
        changed = text + " by " + await think.execute(0)
        self.changed = changed
        return changed


@workflow.defn
class Special:
    """What comes with a fault: its name is that of the method."""

    @workflow.run
    async def run(self, name: str) -> str:
        answer: str = await getattr(self, name)()
        return answer

    async def refused(self) -> str:
        await refuse.execute()
        return "not reached"

    async def oversized(self) -> str:
        return await give_too_much.execute()

    async def silent(self) -> str:
        return await fall_silent.execute()

    async def saturated(self) -> str:
        return str(sum(await asyncio.gather(*(hold.execute(number) for number in range(HOLDS)))))

    async def stubborn(self) -> str:
        try_cancel = ActivityCancellationType.TRY_CANCEL
        begun = [
            workflow.start_activity(ignore_the_end, cancellation_type=try_cancel),
            workflow.start_activity(ignore_the_end_on_a_thread, cancellation_type=try_cancel),
        ]
        await workflow.sleep(1)
        for each in begun:
            each.cancel()
        await asyncio.gather(*begun, return_exceptions=True)
        return "went on"


WORKFLOWS: list[Any] = [Errand, Special, child]
ACTIVITIES: list[Callable[..., Any]] = [
    think,
    work,
    beat,
    refuse,
    give_too_much,
    fall_silent,
    hold,
    ignore_the_end,
    ignore_the_end_on_a_thread,
]


def errand_result(number: int, text: str) -> list[str]:
    """What an errand must return."""
    steps = [f"{each} {number}" for each in ("think", "work", "think", "crunch", "beat")]
    return [*steps, f"child of think {number}", f"{text} by think 0"]


# What each special workflow must return, or the type of the error that it must fail with.
RESULTS = {"silent": "I was there", "saturated": str(sum(range(HOLDS))), "stubborn": "went on"}
FAILURES = {"refused": "Refused", "oversized": "PayloadsTooLarge"}
# Activities that a history must have as completed, local ones left out.
COMPLETED = {"errand": 5, "refused": 0, "oversized": 0, "silent": 1, "saturated": HOLDS}
