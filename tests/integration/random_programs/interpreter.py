"""The workflow that carries out programs, and its activities."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Coroutine, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from invincible import activity, workflow
from invincible._engine.context import current_run
from invincible._engine.loop import set_unless_done
from invincible.common import RetryPolicy, SearchAttributeKey
from invincible.exceptions import ApplicationError, FailureError

from .ledger import Ledger
from .programs import Step

T = TypeVar("T")

MILLISECOND = timedelta(milliseconds=1)
HOUR = timedelta(hours=1)

TASK_TIMEOUT = timedelta(seconds=3)
ACTIVITY_TIMEOUT = timedelta(seconds=5)
"""Tasks get lost when workers end or drop runs; so long it takes until another worker gets them."""

ATTRIBUTE = SearchAttributeKey.for_keyword("ProgramsKeyword")

_ATTEMPTS = 3
# Before an attempt a local activity waits for a timer, if the wait is longer than the threshold.
_LONG, _THRESHOLD = 20 * MILLISECOND, 10 * MILLISECOND

_ACTIVITY_CANCELLATION = list(workflow.ActivityCancellationType)
# Core does not know what to make of an abandoned activity that fails.
_FAILING_ACTIVITY_CANCELLATION = [
    workflow.ActivityCancellationType.TRY_CANCEL,
    workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
]
_CHILD_CANCELLATION = list(workflow.ChildWorkflowCancellationType)
_RETURN_WHEN = {name: getattr(asyncio, name) for name in ("FIRST_COMPLETED", "FIRST_EXCEPTION", "ALL_COMPLETED")}

# `asyncio.timeout` and `asyncio.TaskGroup` are there from Python 3.11 on.
_asyncio: Any = asyncio

# The ledger of the test that runs now; it must survive what it watches.
ledger: Ledger | None = None


@activity.defn(start_to_close_timeout=ACTIVITY_TIMEOUT)
async def act(name: str, mode: str, millis: int) -> str:
    """Take some time, and then do as the mode says."""
    await asyncio.sleep(millis / 1000)
    last = activity.info().attempt >= _ATTEMPTS
    if mode == "fatal":
        raise ApplicationError(f"{name} fails", type="Fatal", non_retryable=True)
    if mode == "exhausted" or (mode in ("retried", "backoff") and not last):
        raise ApplicationError(f"{name} fails", type="Again")
    return f"{name} done"


class Failed(ApplicationError):
    """A step has failed by its own will."""


@workflow.defn(name="random-program")
class Interpreter:
    """Carries out steps, and notes what it does. A step that fails is noted; `Step.raises` passes the failure on."""

    def __init__(self) -> None:
        self.total = 0
        self.notes: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.lock = asyncio.Lock()
        self.semaphore = asyncio.Semaphore(2)
        self.queue: asyncio.Queue[str] = asyncio.Queue()
        self.event = asyncio.Event()

    # Messages

    @workflow.signal(unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
    def add(self, number: int) -> None:
        self.total += number
        self.note(f"signal add {number}: {self.total}")

    @workflow.signal(unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
    async def work(self, number: int) -> None:
        self.note(f"signal work {number}")
        name = f"work {number}"
        if number % 3 == 0:
            await workflow.sleep(number * MILLISECOND)
        elif number % 3 == 1:
            await workflow.start_activity(act, args=[name, "ok", number])
        else:
            with contextlib.suppress(asyncio.TimeoutError):
                await workflow.wait_condition(lambda: self.total >= number, timeout=number * MILLISECOND)
        self.total += 1
        self.note(f"worked {number}: {self.total}")

    def late(self, number: int) -> None:
        self.total += number
        self.note(f"signal late {number}: {self.total}")

    @workflow.update(unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
    async def bump(self, number: int) -> int:
        self.total += number
        self.note(f"update {number}: {self.total}")
        if number % 3 == 1:
            await workflow.sleep(number * MILLISECOND)
        elif number % 3 == 2:
            await workflow.start_activity(act, args=[f"bump {number}", "ok", number])
        self.note(f"updated {number}: {self.total}")
        if number % 2:
            raise ApplicationError(f"{number} is odd")
        return self.total

    @bump.validator
    def check(self, number: int) -> None:
        if number < 0:
            raise ValueError(f"{number} is negative")

    # Programs

    @workflow.run
    async def run(self, steps: list[Step], sibling: str, generation: int) -> list[str]:
        """Carry out steps; the result is the notes.

        Args:
            steps: The steps.
            sibling: Another workflow, which gets signals.
            generation: How often the run has continued as new.
        """
        self.sibling = sibling
        self.generation = generation
        self.note(f"begins, generation {generation}")
        await self.sequence(steps)
        self.listen_late()
        while waiting := [task for task in self.tasks if not task.done()]:
            await asyncio.wait(waiting)
        await workflow.wait_condition(workflow.all_handlers_finished)
        self.note("ends")
        if steps and steps[-1].kind == "continue_as_new":
            workflow.continue_as_new(args=[steps[-1].steps, sibling, generation + 1], task_timeout=TASK_TIMEOUT)
        return self.notes

    def note(self, text: str) -> None:
        self.notes.append(text)
        assert ledger is not None
        ledger.enter(current_run(), text)

    async def sequence(self, steps: Sequence[Step]) -> None:
        for step in steps:
            await self.perform(step)

    async def perform(self, step: Step) -> None:
        method = getattr(self, f"do_{step.kind}")
        try:
            said = await method(step)
        except asyncio.CancelledError:
            self.note(f"{step.name} {step.kind}: cancelled")
            raise
        except (FailureError, asyncio.TimeoutError) as error:
            self.note(f"{step.name} {step.kind}: {_described(error)}")
            if step.raises:
                raise
        else:
            self.note(f"{step.name} {step.kind}: {said}")

    def task(self, *steps: Step) -> asyncio.Task[None]:
        """Carry out steps at the same time as others; the end of the run waits for them."""
        task = asyncio.create_task(self.sequence(steps))
        task.add_done_callback(_exception)
        self.tasks.append(task)
        return task

    def listen_late(self) -> None:
        workflow.set_signal_handler("late", self.late)

    # Simple steps

    async def do_activity(self, step: Step) -> str:
        return _of(step, await self.start_activity(step))

    async def do_local_activity(self, step: Step) -> str:
        return _of(step, await self.start_local_activity(step))

    def start_activity(self, step: Step) -> workflow.ActivityHandle[str]:
        fails = step.mode in ("fatal", "exhausted")
        cancellation = _FAILING_ACTIVITY_CANCELLATION if fails else _ACTIVITY_CANCELLATION
        return workflow.start_activity(
            act,
            args=[step.name, step.mode, step.millis],
            retry_policy=RetryPolicy(initial_interval=MILLISECOND, maximum_attempts=_ATTEMPTS),
            cancellation_type=cancellation[step.count % len(cancellation)],
        )

    def start_local_activity(self, step: Step) -> workflow.ActivityHandle[str]:
        interval = _LONG if step.mode == "backoff" else MILLISECOND
        return workflow.start_local_activity(
            act,
            args=[step.name, step.mode, step.millis],
            start_to_close_timeout=HOUR,
            local_retry_threshold=_THRESHOLD,
            retry_policy=RetryPolicy(initial_interval=interval, maximum_attempts=_ATTEMPTS),
            cancellation_type=_ACTIVITY_CANCELLATION[step.count % len(_ACTIVITY_CANCELLATION)],
        )

    async def do_interrupted(self, step: Step) -> str:
        kind, _, when = step.mode.partition(" ")
        handle = self.start_activity(step) if kind == "activity" else self.start_local_activity(step)
        await self.pause(when, step)
        return f"cancel {handle.cancel()}, {await _outcome(handle)}"

    async def pause(self, when: str, step: Step) -> None:
        """Let others run, before a cancellation."""
        if when == "later":
            await workflow.sleep(step.millis * MILLISECOND)
        elif when != "at once":
            for _ in range(step.count):
                await asyncio.sleep(0)

    async def do_sleep(self, step: Step) -> str:
        if step.mode == "workflow":
            await workflow.sleep(step.millis * MILLISECOND, summary=step.name)
        elif step.mode == "asyncio":
            await asyncio.sleep(step.millis / 1000)
        else:
            loop = asyncio.get_running_loop()
            called: asyncio.Future[None] = loop.create_future()
            loop.call_later(step.millis / 1000, set_unless_done, called)
            loop.call_soon(self.note, f"{step.name} soon")
            await called
        return "slept"

    async def do_turns(self, step: Step) -> str:
        for _ in range(step.count):
            await asyncio.sleep(0)
        return "turned"

    async def do_condition(self, step: Step) -> str:
        least = step.count + self.total % 3
        await workflow.wait_condition(lambda: self.total >= least, timeout=step.millis * MILLISECOND)
        return f"{self.total} of {least}"

    async def do_signal(self, step: Step) -> str:
        target = workflow.info().workflow_id if step.mode == "self" else self.sibling
        await workflow.get_external_workflow_handle(target).signal("work" if step.count > 2 else "add", step.count)
        return "sent"

    async def do_queue(self, step: Step) -> str:
        if step.mode == "put":
            self.queue.put_nowait(step.name)
            return "put"
        return f"got {await _in_time(self.queue.get(), step)}"

    async def do_event(self, step: Step) -> str:
        if step.mode == "wait":
            await _in_time(self.event.wait(), step)
        elif step.mode == "set":
            self.event.set()
        else:
            self.event.clear()
        return str(self.event.is_set())

    async def do_upsert(self, step: Step) -> str:
        if step.mode == "memo":
            workflow.upsert_memo({step.name: step.count or None, "last": self.total})
        elif step.mode == "attribute":
            workflow.upsert_search_attributes([ATTRIBUTE.value_set(step.name)])
        else:
            workflow.set_current_details(step.name)
        return f"{sorted(workflow.memo())} {workflow.info().typed_search_attributes.get(ATTRIBUTE)}"

    async def do_clock(self, step: Step) -> str:
        return f"{workflow.time_ns()} {asyncio.get_running_loop().time()} {workflow.uuid7()} {workflow.random_seed()}"

    async def do_handler(self, step: Step) -> str:
        self.listen_late()
        return "listens"

    async def do_fail(self, step: Step) -> str:
        raise Failed(f"{step.name} fails")

    # Steps made of others

    async def do_gather(self, step: Step) -> str:
        tasks = [self.task(each) for each in step.steps]
        results = await asyncio.gather(*tasks, return_exceptions=step.mode == "collect")
        return ", ".join(_described(each) for each in results)

    async def do_group(self, step: Step) -> str:
        if not hasattr(asyncio, "TaskGroup"):
            return await self.do_gather(step)
        try:
            async with _asyncio.TaskGroup() as group:
                for each in step.steps:
                    group.create_task(self.perform(each))
        except Exception as error:
            failures = getattr(error, "exceptions", (error,))
            if not all(isinstance(each, (FailureError, asyncio.TimeoutError)) for each in failures):
                raise
            raise failures[0] from None
        return "all"

    async def do_tasks(self, step: Step) -> str:
        tasks = [self.task(each) for each in step.steps]
        for task in reversed(tasks):
            await task
        return "done"

    async def do_wait(self, step: Step) -> str:
        tasks = [self.task(each) for each in step.steps]
        timeout = step.millis / 1000 if step.mode == "in time" else None
        return_when = _RETURN_WHEN.get(step.mode, asyncio.FIRST_COMPLETED)
        done, pending = await workflow.wait(tasks, timeout=timeout, return_when=return_when)
        self.note(f"{step.name} has {[tasks.index(task) for task in done]}")
        if step.mode == "cancel":
            for task in pending:
                task.cancel()
        return ", ".join([await _outcome(task) for task in tasks])

    async def do_completed(self, step: Step) -> str:
        timeout = step.millis / 1000 if step.mode == "in time" else None
        for number, each in enumerate(workflow.as_completed([self.task(each) for each in step.steps], timeout=timeout)):
            self.note(f"{step.name} number {number}: {await _outcome(each)}")
        return "all"

    async def do_cancel(self, step: Step) -> str:
        task = self.task(*step.steps)
        await self.pause(step.mode, step)
        return f"cancel {task.cancel()}, {await _outcome(task)}"

    async def do_in_time(self, step: Step) -> str:
        if step.mode == "wait_for" or not hasattr(asyncio, "timeout"):
            await _in_time(self.sequence(step.steps), step)
        else:
            async with _asyncio.timeout(step.millis / 1000):
                await self.sequence(step.steps)
        return "in time"

    async def do_shielded(self, step: Step) -> str:
        inner = self.task(*step.steps)

        async def waits() -> None:
            await asyncio.shield(inner)

        outer = asyncio.create_task(waits())
        await self.pause("later", step)
        outer.cancel()
        return f"outer {await _outcome(outer)}, inner {await _outcome(inner)}"

    async def do_background(self, step: Step) -> str:
        self.task(*step.steps)
        return "goes on"

    async def do_cleanup(self, step: Step) -> str:
        try:
            await self.sequence(step.steps[:-1])
        finally:
            self.note(f"{step.name} cleans up")
            await self.perform(step.steps[-1])
        return "clean"

    async def do_stubborn(self, step: Step) -> str:
        try:
            await self.sequence(step.steps[:-1])
        except asyncio.CancelledError:
            self.note(f"{step.name} goes on")
            await self.perform(step.steps[-1])
        return "done"

    async def do_locked(self, step: Step) -> str:
        async with self.lock if step.mode == "lock" else self.semaphore:
            self.note(f"{step.name} has the {step.mode}")
            await self.sequence(step.steps)
        return "released"

    async def do_branch(self, step: Step) -> str:
        choices = len(step.steps)
        if step.mode == "random":
            choice = workflow.random().randrange(choices)
        elif step.mode == "uuid4":
            choice = workflow.uuid4().int % choices
        elif step.mode == "new_random":
            choice = workflow.new_random(step.name).randrange(choices)
        elif step.mode == "patched":
            choice = 0 if workflow.patched(step.name) else 1
        elif step.mode == "deprecated":
            workflow.deprecate_patch(step.name)
            choice = 0
        else:
            choice = self.total % choices
        self.note(f"{step.name} chooses {choice}")
        await self.perform(step.steps[choice])
        return "done"

    async def do_child(self, step: Step) -> str:
        info = workflow.info()
        policies = {
            "abandoned": workflow.ParentClosePolicy.ABANDON,
            "asked": workflow.ParentClosePolicy.REQUEST_CANCEL,
        }
        parent_close_policy = policies.get(step.mode, workflow.ParentClosePolicy.TERMINATE)

        async def start() -> workflow.ChildWorkflowHandle[Interpreter, list[str]]:
            return await workflow.start_child_workflow(
                Interpreter.run,
                args=[step.steps, info.workflow_id, 0],
                id=f"{info.workflow_id}.{self.generation}.{step.name}",
                task_timeout=TASK_TIMEOUT,
                parent_close_policy=parent_close_policy,
                cancellation_type=_CHILD_CANCELLATION[step.count % len(_CHILD_CANCELLATION)],
            )

        if step.mode == "scope":

            async def executed() -> str:
                return _noted(await (await start()))

            task = asyncio.create_task(executed())
            await self.pause("later", step)
            return f"cancel {task.cancel()}, {await _outcome(task)}"
        handle = await start()
        self.note(f"{step.name} started")
        if step.mode in ("abandoned", "terminated", "asked"):
            return "left alone"
        if step.mode == "signalled":
            await handle.signal(Interpreter.add, step.count)
        elif step.mode == "cancelled":
            await self.pause("later", step)
            handle.cancel()
        elif step.mode == "external":
            await workflow.get_external_workflow_handle(handle.id).cancel(reason=step.name)
        return _noted(await handle)

    async def do_continue_as_new(self, step: Step) -> str:
        return "later"


def _noted(notes: list[str]) -> str:
    return f"{len(notes)} notes"


async def _in_time(work: Coroutine[Any, Any, T], step: Step) -> T:
    # A task already: the code of a run that leaves the cache gets an error for the timer, and nobody would own `work`.
    return await asyncio.wait_for(asyncio.ensure_future(work), step.millis / 1000)


async def _outcome(work: Awaitable[Any]) -> str:
    """How work ends; what cancels the caller meanwhile passes."""
    future = asyncio.ensure_future(work)
    await asyncio.wait([future])
    if future.cancelled():
        return "cancelled"
    error = future.exception()
    if error is not None and not isinstance(error, (FailureError, asyncio.TimeoutError)):
        raise error
    return _described(error or future.result())


def _described(value: Any) -> str:
    if not isinstance(value, BaseException):
        return str(value)
    cause = value.__cause__
    return f"{type(value).__name__}({value})" + (f" from {_described(cause)}" if cause is not None else "")


def _of(step: Step, result: str) -> str:
    assert result == f"{step.name} done", f"{step.name} got the result of another: {result!r}"
    return result


def _exception(task: asyncio.Task[None]) -> None:
    """Look at it, so that asyncio does not tell the log that nobody has."""
    if not task.cancelled():
        task.exception()
