"""The workflows whose runs are recorded beside this file. They must not change: the recordings would not fit any more.

`race.json` and `cancellation.json` were recorded with `temporalio` 1.35, so that what waits for an activity, a timer, a
condition or a signal continues in the same order here as there: everything that can end in one workflow task does.
They use nothing of asyncio that continues in another order from one Python version to the next, as ``wait_for`` does.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from typing import Any

from invincible import activity, workflow

MINUTE = timedelta(seconds=60)


@activity.defn(start_to_close_timeout=MINUTE)
async def mark(tag: str) -> str:
    return tag


@activity.defn(start_to_close_timeout=MINUTE)
async def later(tag: str) -> str:
    return tag


async def marked(tag: str) -> None:
    # Replay compares ids, not arguments: an id of its own makes each place in the order visible.
    await mark.with_options(activity_id=tag).execute(tag)


@workflow.defn
class Race:
    """Many things wait; the next task finds nearly all of them ready."""

    def __init__(self) -> None:
        self.bumps = 0
        self.log: list[str] = []

    @workflow.signal
    async def bump(self, by: int) -> None:
        self.bumps += by
        await marked("signal")

    @workflow.run
    async def run(self) -> str:
        await asyncio.gather(
            self.activity(),
            self.handle(),
            self.timer(),
            self.workflow_timer(),
            self.condition(),
            self.gathered(),
            self.shielded(),
            self.event(),
        )
        self.log += [str(workflow.uuid4()), str(workflow.random().random())]
        return ",".join(self.log)

    async def activity(self) -> None:
        await later.execute("x")
        self.log.append("act")
        await marked("after-act")

    async def handle(self) -> None:
        handle = later.start("y")
        await handle
        self.log.append("handle")
        await marked("after-handle")

    async def timer(self) -> None:
        await asyncio.sleep(3)
        self.log.append("timer")
        await marked("after-timer")

    async def workflow_timer(self) -> None:
        await workflow.sleep(3)
        self.log.append("wtimer")
        await marked("after-wtimer")

    async def condition(self) -> None:
        await workflow.wait_condition(lambda: self.bumps > 0)
        self.log.append("cond")
        await marked("after-cond")

    async def gathered(self) -> None:
        await asyncio.gather(later.execute("g1"), asyncio.sleep(3))
        self.log.append("gather")
        await marked("after-gather")

    async def shielded(self) -> None:
        await asyncio.shield(asyncio.create_task(later.execute("s")))
        self.log.append("shield")
        await marked("after-shield")

    async def event(self) -> None:
        event = asyncio.Event()

        async def setter() -> None:
            await asyncio.sleep(3)
            event.set()

        task = asyncio.create_task(setter())
        await event.wait()
        await marked("after-event")
        await task


@workflow.defn
class Cancelled:
    """Cancellation meets an activity that waits for its end, a timer, one that does not wait, and a handle."""

    @workflow.run
    async def run(self) -> str:
        handle = later.start("c4")
        tasks = [asyncio.create_task(each()) for each in (self.waiting, self.timer, self.trying)]
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            handle.cancel()
            for task in tasks:
                task.cancel()
            waiting: list[asyncio.Future[Any]] = [*tasks, handle]
            results = await asyncio.gather(*waiting, return_exceptions=True)
            await mark.execute(",".join(type(each).__name__ for each in results))
        return "ok"

    async def waiting(self) -> None:
        wait = workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
        with contextlib.suppress(BaseException):
            await later.with_options(cancellation_type=wait).execute("c1")
        await marked("a")

    async def timer(self) -> None:
        try:
            await asyncio.sleep(100)
        finally:
            await marked("b")

    async def trying(self) -> None:
        try:
            await later.execute("c3")
        finally:
            await marked("c")
