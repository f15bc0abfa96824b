"""Updates: accepted, rejected and failing, waiting, several in one task, dynamic and set at run time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from invincible import workflow
from invincible.common import RawValue
from invincible.exceptions import ApplicationError

from .common import MINUTE, later, marked, told


class Refused(Exception):
    """Not of the errors that fail an update by themselves: a validator may raise what it likes."""


@workflow.defn
class Updates:
    """Handlers of each kind, and each end that an update can have."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.done = False

    @workflow.update
    def plain(self, tag: str) -> str:
        info = workflow.current_update_info()
        assert info is not None
        self.seen.append(f"plain {tag} {info.id} {info.name}")
        return tag.upper()

    @workflow.update(name="renamed", description="under another name")
    async def waiting(self, tag: str, number: int = 7) -> int:
        self.seen.append(f"waiting {tag}")
        await marked(f"waiting-{tag}-1")
        await asyncio.sleep(0.1)
        await marked(f"waiting-{tag}-2")
        info = workflow.current_update_info()
        assert info is not None
        self.seen.append(f"waited {tag} {info.id}")
        return number

    @waiting.validator
    def validate_waiting(self, tag: str, number: int = 7) -> None:
        self.seen.append("validated")  # Kept by no replay of a rejected one: an event is written for accepted ones.
        if number < 0:
            raise Refused("negative")

    @workflow.update
    async def fails(self, late: bool) -> None:
        if late:
            await marked("fails-late")
        raise ApplicationError("no", type="Sorry")

    @workflow.update(dynamic=True)
    async def anything(self, name: str, args: Sequence[RawValue]) -> str:
        values = [workflow.payload_converter().from_payload(arg.payload) for arg in args]
        await marked(f"dynamic-{name}-{values}")
        return name

    @workflow.update
    async def finish(self) -> str:
        self.done = True
        return "finishing"

    @workflow.run
    async def run(self) -> str:
        await marked(f"begins with {len([each for each in self.seen if each != 'validated'])}")
        await workflow.wait_condition(lambda: self.done)
        await marked(", ".join(each for each in self.seen if each != "validated"))
        await workflow.wait_condition(workflow.all_handlers_finished)
        return "end"


@workflow.defn
class UpdatesTogether:
    """Several updates and signals in one task with the end of an activity and a timer."""

    def __init__(self) -> None:
        self.count = 0
        self.lock = asyncio.Lock()

    @workflow.signal
    async def nudge(self) -> None:
        self.count += 1
        await marked(f"signal sees {self.count}")

    @workflow.update
    async def add(self, number: int) -> int:
        self.count += number
        await marked(f"add {number} sees {self.count}")
        await workflow.wait_condition(lambda: self.count > 3)
        await marked(f"add {number} goes on")
        return self.count

    @workflow.update
    async def locked(self, number: int) -> int:
        async with self.lock:
            await marked(f"locked {number}")
            await asyncio.sleep(0.1)
        return number

    @workflow.update
    def at_once(self, number: int) -> int:
        self.count += number
        return self.count

    @at_once.validator
    def validate_at_once(self, number: int) -> None:
        if number == 0:
            raise ApplicationError("no", type="Sorry")

    @workflow.run
    async def run(self) -> None:
        await asyncio.gather(
            told("condition", workflow.wait_condition(lambda: self.count >= 2)),
            told("activity", workflow.execute_activity(later, "a", activity_id="a", start_to_close_timeout=MINUTE)),
            told("timer", asyncio.sleep(2)),
            told("more", workflow.wait_condition(lambda: self.count >= 5)),
        )
        await workflow.wait_condition(workflow.all_handlers_finished)
        await marked("end")


@workflow.defn
class UpdatesAtRunTime:
    """Handlers with and without validators that the run sets, replaces and takes away."""

    @workflow.run
    async def run(self) -> None:
        seen: list[str] = []

        async def first(tag: str) -> str:
            seen.append(f"first {tag}")
            await marked(f"first-{tag}")
            return tag

        def validate(tag: str) -> None:
            if tag == "bad":
                raise Refused(tag)

        def others(name: str, args: Sequence[RawValue]) -> str:
            seen.append(f"other {name} {len(args)}")
            return name

        workflow.set_update_handler("first", first, validator=validate)
        workflow.set_dynamic_update_handler(others)
        await marked("set")
        await workflow.execute_activity(later, "a", activity_id="a", start_to_close_timeout=MINUTE)
        workflow.set_update_handler("first", lambda tag: seen.append(f"replaced {tag}"))
        workflow.set_dynamic_update_handler(None)
        await workflow.execute_activity(later, "b", activity_id="b", start_to_close_timeout=MINUTE)
        workflow.set_update_handler("first", None)
        await marked(f"{workflow.get_update_handler('first')} {'; '.join(seen)}")


@workflow.defn
class UpdateEndsRun:
    """The update meets the condition that the run waits for, and both end in the same task."""

    def __init__(self) -> None:
        self.done = False

    @workflow.update
    async def end(self) -> str:
        self.done = True
        await asyncio.sleep(0)
        return "ended"

    @workflow.update(unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
    async def never(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.done)
        return "end"


@workflow.defn
class UpdateCancelled:
    """The run is cancelled while an update waits: the update is not, and is waited for."""

    @workflow.update
    async def work(self) -> str:
        await workflow.execute_activity(later, "u", activity_id="u", start_to_close_timeout=MINUTE)
        return "worked"

    @workflow.run
    async def run(self) -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            await marked("cancelled")
            await workflow.wait_condition(workflow.all_handlers_finished)
            await marked("handlers-finished")


@workflow.defn(failure_exception_types=[Refused])
class UpdateRaises:
    """What a handler raises fails the update where it fails the workflow, and cancels where it is a cancellation."""

    def __init__(self) -> None:
        self.ended = 0

    @workflow.update
    async def refuse(self) -> None:
        self.ended += 1
        raise Refused("by the handler")

    @workflow.update
    async def time_out(self) -> None:
        try:
            await workflow.wait_condition(lambda: False, timeout=0.1)
        finally:
            self.ended += 1

    @workflow.update
    async def fail_in_activity(self) -> None:
        try:
            await workflow.execute_activity("failing", "no", start_to_close_timeout=MINUTE)
        finally:
            self.ended += 1

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self.ended == 3)
        await marked("end")


@workflow.defn
class UpdateFailsTask:
    """What the mended code does: the update that failed the task is delivered again."""

    def __init__(self) -> None:
        self.done = False

    @workflow.update
    async def finish(self) -> str:
        await marked("update")
        self.done = True
        return "mended"

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self.done)


@workflow.defn(name="UpdateFailsTask")
class UpdateSlips:
    """Only recorded with: its handler raises what fails a workflow task."""

    @workflow.update
    async def finish(self) -> str:
        await marked("update")
        raise KeyError("a slip")

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)


WORKFLOWS = [Updates, UpdatesTogether, UpdatesAtRunTime, UpdateEndsRun, UpdateCancelled, UpdateRaises, UpdateFailsTask]
