"""Everything that can end in one workflow task does: what waits continues in an order that the history fixes."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from invincible import workflow

from .common import MINUTE, later, mark, marked


def run_later(activity_id: str) -> workflow.ActivityHandle[str]:
    return workflow.start_activity(later, activity_id, activity_id=activity_id, start_to_close_timeout=MINUTE)


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

    @workflow.update
    async def push(self, by: int) -> int:
        self.bumps += by
        await marked("update")
        return self.bumps

    @workflow.run
    async def run(self) -> str:
        await asyncio.gather(
            self.activity(),
            self.handle(),
            self.timer(),
            self.workflow_timer(),
            self.condition(),
            self.condition_in_time(),
            self.gathered(),
            self.shielded(),
            self.event(),
            self.queue(),
            self.lock("lock-1"),
            self.lock("lock-2"),
        )
        await marked(" ".join([*self.log, str(workflow.uuid4()), str(workflow.random().random())]))
        return ",".join(self.log)

    async def activity(self) -> None:
        await workflow.execute_activity(later, "x", activity_id="x", start_to_close_timeout=MINUTE)
        self.log.append("activity")
        await marked("after-activity")

    async def handle(self) -> None:
        handle = run_later("y")
        await handle
        self.log.append("handle")
        await marked("after-handle")

    async def timer(self) -> None:
        await asyncio.sleep(3)
        self.log.append("timer")
        await marked("after-timer")

    async def workflow_timer(self) -> None:
        await workflow.sleep(3)
        self.log.append("workflow-timer")
        await marked("after-workflow-timer")

    async def condition(self) -> None:
        await workflow.wait_condition(lambda: self.bumps > 0)
        self.log.append("condition")
        await marked("after-condition")

    async def condition_in_time(self) -> None:
        await workflow.wait_condition(lambda: self.bumps > 1, timeout=MINUTE)
        self.log.append("condition-in-time")
        await marked("after-condition-in-time")

    async def gathered(self) -> None:
        await asyncio.gather(run_later("g"), asyncio.sleep(3))
        self.log.append("gather")
        await marked("after-gather")

    async def shielded(self) -> None:
        await asyncio.shield(run_later("s"))
        self.log.append("shield")
        await marked("after-shield")

    async def event(self) -> None:
        event = asyncio.Event()

        async def setter() -> None:
            await asyncio.sleep(3)
            event.set()

        task = asyncio.create_task(setter())
        await event.wait()
        self.log.append("event")
        await marked("after-event")
        await task

    async def queue(self) -> None:
        queue: asyncio.Queue[str] = asyncio.Queue()

        async def producer() -> None:
            await run_later("q")
            queue.put_nowait("item")

        task = asyncio.create_task(producer())
        await queue.get()
        self.log.append("queue")
        await marked("after-queue")
        await task

    @property
    def mutex(self) -> asyncio.Lock:
        self.__dict__.setdefault("_mutex", asyncio.Lock())
        mutex: asyncio.Lock = self.__dict__["_mutex"]
        return mutex

    async def lock(self, name: str) -> None:
        async with self.mutex:
            await run_later(name)
        self.log.append(name)
        await marked(f"after-{name}")


@workflow.defn
class Cancelled:
    """Cancellation meets an activity that waits for its end, a timer, one that does not wait, and a handle."""

    @workflow.run
    async def run(self) -> str:
        handle = run_later("c4")
        tasks = [asyncio.create_task(each()) for each in (self.waiting, self.timer, self.trying)]
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            handle.cancel()
            for task in tasks:
                task.cancel()
            waiting: list[asyncio.Future[Any]] = [*tasks, handle]
            results = await asyncio.gather(*waiting, return_exceptions=True)
            await marked(",".join(type(each).__name__ for each in results))
        return "ok"

    async def waiting(self) -> None:
        wait = workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
        with contextlib.suppress(BaseException):
            await workflow.execute_activity(
                later, "c1", activity_id="c1", start_to_close_timeout=MINUTE, cancellation_type=wait
            )
        await marked("a")

    async def timer(self) -> None:
        try:
            await asyncio.sleep(100)
        finally:
            await marked("b")

    async def trying(self) -> None:
        try:
            await run_later("c3")
        finally:
            await marked("c")


@workflow.defn
class TaskFailed:
    """What the first code of this workflow did, once it is mended: the history has the failed workflow task."""

    @workflow.run
    async def run(self) -> str:
        await marked("before")
        return await workflow.execute_activity(mark, "mended", start_to_close_timeout=MINUTE)


@workflow.defn(name="TaskFailed")
class TaskFails:
    """Only recorded with: raises what fails a workflow task and no workflow."""

    @workflow.run
    async def run(self) -> str:
        await marked("before")
        raise KeyError("a slip")


WORKFLOWS = [Race, Cancelled, TaskFailed]
