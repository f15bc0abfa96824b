"""Signals: static, dynamic, set at run time and buffered before, with the start, in order, and waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from invincible import workflow
from invincible.common import RawValue

from .common import MINUTE, later, marked, told


@workflow.defn
class Signals:
    """Handlers of each kind; all signals but the last come with the first task, before the run begins."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    @workflow.signal
    def plain(self, tag: str) -> None:
        self.seen.append(f"plain {tag}")

    @workflow.signal(name="renamed", description="under another name")
    async def waiting(self, tag: str, number: int = 7) -> None:
        self.seen.append(f"waiting {tag} {number}")
        await marked(f"waiting-{tag}-1")
        self.seen.append(f"waited {tag}")
        await marked(f"waiting-{tag}-2")

    @workflow.signal(dynamic=True)
    async def anything(self, name: str, args: Sequence[RawValue]) -> None:
        values = [workflow.payload_converter().from_payload(arg.payload) for arg in args]
        self.seen.append(f"dynamic {name} {values}")
        await marked(f"dynamic-{name}")

    @workflow.signal
    async def finish(self) -> None:
        await workflow.wait_condition(lambda: len(self.seen) > 6)
        self.seen.append("finish")

    @workflow.run
    async def run(self) -> None:
        await marked(f"begins with {len(self.seen)}: {', '.join(self.seen)}")
        await workflow.wait_condition(lambda: "finish" in self.seen)
        await marked(", ".join(self.seen))
        await workflow.wait_condition(workflow.all_handlers_finished)
        await marked("end")


@workflow.defn
class SignalsBuffered:
    """No handlers at first: what came is handed to a handler once there is one, in order."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    @workflow.run
    async def run(self) -> None:
        async def handle_first(number: int) -> None:
            self.seen.append(f"first {number}")
            await marked(f"first-{number}")

        def handle_others(name: str, args: Sequence[RawValue]) -> None:
            self.seen.append(f"other {name} {len(args)}")

        def replaced(number: int) -> None:
            self.seen.append(f"replaced {number}")

        await workflow.execute_activity(later, "a", activity_id="a", start_to_close_timeout=MINUTE)
        workflow.set_signal_handler("first", handle_first)
        await marked(f"first set, seen {self.seen}")
        workflow.set_dynamic_signal_handler(handle_others)
        await marked(f"dynamic set, seen {self.seen}")
        await workflow.execute_activity(later, "b", activity_id="b", start_to_close_timeout=MINUTE)
        workflow.set_signal_handler("first", replaced)
        workflow.set_dynamic_signal_handler(None)
        await workflow.execute_activity(later, "c", activity_id="c", start_to_close_timeout=MINUTE)
        workflow.set_signal_handler("first", None)
        has = workflow.get_signal_handler("first") is not None or workflow.get_dynamic_signal_handler() is not None
        await marked(f"{has} {'; '.join(self.seen)}")
        await workflow.execute_activity(later, "d", activity_id="d", start_to_close_timeout=MINUTE)
        workflow.set_signal_handler("third", replaced)
        await marked("; ".join(self.seen[-2:]))


@workflow.defn
class SignalOrder:
    """Many signals in one task with the end of an activity and a timer; handlers share a lock."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.count = 0

    @workflow.signal
    async def locked(self, number: int) -> None:
        async with self.lock:
            self.count += 1
            await marked(f"locked-{number}")

    @workflow.signal
    async def free(self, number: int) -> None:
        self.count += 1
        await marked(f"free-{number}")
        if number == 2:
            await asyncio.sleep(0.1)
            await marked("free-slept")

    @workflow.run
    async def run(self) -> None:
        await asyncio.gather(
            told("condition", workflow.wait_condition(lambda: self.count >= 2)),
            told("activity", workflow.execute_activity(later, "a", activity_id="a", start_to_close_timeout=MINUTE)),
            told("timer", asyncio.sleep(2)),
            told("more", workflow.wait_condition(lambda: self.count >= 6)),
        )
        await workflow.wait_condition(workflow.all_handlers_finished)
        await marked("end")


@workflow.defn
class SignalAsItEnds:
    """The signal comes with the end of what the run waits for: its handler starts first, and is not waited for."""

    @workflow.signal(unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
    async def late(self) -> None:
        await marked("from-the-handler")
        await marked("never-sent")

    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_activity(later, "a", activity_id="a", start_to_close_timeout=MINUTE)


WORKFLOWS = [Signals, SignalsBuffered, SignalOrder, SignalAsItEnds]
