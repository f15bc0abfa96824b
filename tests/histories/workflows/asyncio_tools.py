"""What of asyncio works in workflows: what waits together, in turn, for a while, or for each other."""

from __future__ import annotations

import asyncio
import contextvars
import functools
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from invincible import workflow
from invincible.exceptions import ApplicationError, FailureError

from .common import MINUTE, failing, later, marked, said, told

newer: Any = asyncio  # For what Python 3.10 lacks, and type checkers miss there.
CONTEXT: contextvars.ContextVar[str] = contextvars.ContextVar("CONTEXT", default="none")


def run_later(activity_id: str) -> workflow.ActivityHandle[str]:
    return workflow.start_activity(later, activity_id, activity_id=activity_id, start_to_close_timeout=MINUTE)


async def tagged(awaitable: Awaitable[Any], tag: str) -> str:
    await awaitable
    return tag


@workflow.defn
class Waiting:
    """`wait` and `as_completed`: of handles, tasks and coroutines, with each end, and cancelled."""

    def __init__(self) -> None:
        self.nudged = False

    @workflow.signal
    def nudge(self) -> None:
        self.nudged = True

    @workflow.run
    async def run(self) -> None:
        await asyncio.gather(
            self.first(), self.all(), self.exception(), self.timed_out(), self.in_order(), self.late(), self.asyncio()
        )

    async def first(self) -> None:
        tasks = [asyncio.create_task(tagged(run_later(f"f{n}"), f"f{n}")) for n in range(3)]
        done, pending = await workflow.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        await marked(f"first {[each.result() for each in done]} {len(pending)}")
        if pending:
            done, pending = await workflow.wait(pending)
            await marked(f"rest {[each.result() for each in done]} {len(pending)}")

    async def all(self) -> None:
        handles = [run_later(f"a{n}") for n in range(3)]
        done, _ = await workflow.wait([*reversed(handles), handles[0]])
        await marked(f"all {[each.result() for each in done]}")

    async def exception(self) -> None:
        fails = workflow.start_activity(failing, "no", start_to_close_timeout=MINUTE)
        task = asyncio.create_task(asyncio.sleep(1000))
        either: list[asyncio.Future[Any]] = [task, fails]
        done, pending = await workflow.wait(either, return_when=asyncio.FIRST_EXCEPTION)
        await marked(f"exception {[type(each.exception()).__name__ for each in done]} {len(pending)}")
        task.cancel()
        await told("cancelled", task)

    async def timed_out(self) -> None:
        task = asyncio.create_task(workflow.wait_condition(lambda: False))
        done, pending = await workflow.wait([task], timeout=1)
        await marked(f"timed out {len(done)} {len(pending)}")
        task.cancel()

    async def in_order(self) -> None:
        tasks = [asyncio.create_task(tagged(run_later(f"c{n}"), f"c{n}")) for n in range(3)]
        for number, each in enumerate(workflow.as_completed(tasks)):
            await marked(f"completed {number} {await each}")

    async def late(self) -> None:
        for each in workflow.as_completed([run_later("l0"), workflow.wait_condition(lambda: self.nudged)], timeout=100):
            await marked(f"late {await each}")
        try:
            for each in workflow.as_completed([workflow.wait_condition(lambda: False)], timeout=0.1):
                await each
        except asyncio.TimeoutError:
            await marked("late timed out")

    async def asyncio(self) -> None:
        task = asyncio.create_task(tagged(run_later("w0"), "w0"))
        done, pending = await asyncio.wait([task])
        await marked(f"asyncio {[each.result() for each in done]} {len(pending)}")


@workflow.defn
class Together:
    """`gather` and `shield`: nested, failing, with exceptions as results, and cancelled."""

    @workflow.run
    async def run(self) -> None:
        async def fails(tag: str) -> None:
            await run_later(tag)
            raise ApplicationError("no", type="Sorry")

        inner = asyncio.gather(run_later("g0"), tagged(run_later("g1"), "x"))
        cancelled = asyncio.gather(run_later("g6"), asyncio.sleep(1000), told("inner", run_later("g7")))
        shielded = run_later("g8")
        outer = asyncio.shield(shielded)
        tasks = [
            asyncio.create_task(told("nested", asyncio.gather(inner, run_later("g2")))),
            asyncio.create_task(told("fails", asyncio.gather(fails("g3"), told("sibling", run_later("g4"))))),
            asyncio.create_task(self.returned(asyncio.gather(fails("g5"), asyncio.sleep(2), return_exceptions=True))),
            asyncio.create_task(told("cancelled", cancelled)),
            asyncio.create_task(told("outer", outer)),
            asyncio.create_task(told("shielded", shielded)),
        ]
        await asyncio.sleep(1)
        cancelled.cancel()
        outer.cancel()
        await marked("cancelled both")
        await asyncio.gather(*tasks)
        await marked(await asyncio.gather())

    async def returned(self, gathered: Awaitable[Iterable[Any]]) -> None:
        await marked([each if each is None else said(each) for each in await gathered])


@workflow.defn
class Synchronised:
    """Locks, semaphores, events, conditions and queues: who waits is served in turn."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.semaphore = asyncio.Semaphore(2)
        self.bounded = asyncio.BoundedSemaphore(1)
        self.event = asyncio.Event()
        self.condition = asyncio.Condition()
        self.queue: asyncio.Queue[int] = asyncio.Queue(2)
        self.priorities: asyncio.PriorityQueue[int] = asyncio.PriorityQueue()
        self.ready = 0

    @workflow.signal
    async def nudge(self, number: int) -> None:
        async with self.lock:
            await marked(f"signal {number} holds the lock")
        self.event.set()
        async with self.condition:
            self.ready += 1
            self.condition.notify_all()

    @workflow.run
    async def run(self) -> None:
        waiting = asyncio.create_task(self.holds("lock", self.lock, 9))
        tasks = [
            *(self.holds("lock", self.lock, n) for n in range(3)),
            *(self.holds("semaphore", self.semaphore, n) for n in range(4)),
            *(self.holds("bounded", self.bounded, n) for n in range(2)),
            *(self.waits(n) for n in range(2)),
            *(self.notified(n) for n in (2, 1)),
            self.produces(),
            self.consumes(),
            self.prioritised(),
        ]
        gathered = asyncio.gather(*tasks)
        await asyncio.sleep(0)
        await asyncio.sleep(1)
        waiting.cancel()
        await told("was waiting", waiting)
        await gathered

    async def holds(self, name: str, lock: Any, number: int) -> None:
        async with lock:
            await run_later(f"{name}-{number}")
        await marked(f"{name}-{number} released")

    async def waits(self, number: int) -> None:
        await self.event.wait()
        await marked(f"event {number}")

    async def notified(self, number: int) -> None:
        async with self.condition:
            await self.condition.wait_for(lambda: self.ready >= number)
            await marked(f"condition {number}")

    async def produces(self) -> None:
        for item in range(4):
            await self.queue.put(item)
            await marked(f"put {item}")
        await self.queue.join()
        await marked("joined")

    async def consumes(self) -> None:
        for _ in range(4):
            item = await self.queue.get()
            await asyncio.sleep(0.1)
            await marked(f"got {item}")
            self.queue.task_done()

    async def prioritised(self) -> None:
        for item in (3, 1, 2):
            await self.priorities.put(item)
        await marked([await self.priorities.get() for _ in range(3)])


@workflow.defn
class Contexts:
    """Context variables, names of tasks, callbacks and futures of one's own; exceptions nobody looks at."""

    @workflow.run
    async def run(self) -> None:
        CONTEXT.set("run")
        loop = asyncio.get_running_loop()
        called: list[str] = []

        async def child(name: str) -> str:
            before = CONTEXT.get()
            CONTEXT.set(name)
            await run_later(name)
            return f"{before} {CONTEXT.get()} {asyncio.current_task() in tasks}"

        tasks = [asyncio.create_task(child(f"t{n}")) for n in range(2)]
        for task in tasks:
            task.add_done_callback(lambda done: called.append(f"{tasks.index(done)} {CONTEXT.get()}"))
        loop.call_soon(functools.partial(called.append, "soon"))
        contextvars.copy_context().run(CONTEXT.set, "elsewhere")
        loop.call_later(0.1, lambda: called.append(f"later {CONTEXT.get()}"))
        await marked([*await asyncio.gather(*tasks), CONTEXT.get(), *called])
        future: asyncio.Future[str] = loop.create_future()
        waiters = [asyncio.create_task(told(f"future {n}", asyncio.shield(future))) for n in range(2)]
        await asyncio.sleep(0)
        future.set_exception(ApplicationError("no", type="Sorry"))
        await asyncio.gather(*waiters)
        for interrupted in (run_later("t2"), asyncio.create_task(asyncio.sleep(100))):
            loop.call_soon(interrupted.cancel)
            await told("interrupted", interrupted)
        await marked(f"left {len(asyncio.all_tasks())} {loop.is_running()} {loop.time() == workflow.time()}")


class Base:
    """Common to the workflows whose order depends on the version of Python."""

    def __init__(self) -> None:
        self.nudged = False

    @workflow.signal
    async def nudge(self) -> None:
        self.nudged = True
        await marked("signal")

    async def run_all(self, *functions: Callable[[], Awaitable[None]]) -> None:
        await asyncio.gather(
            *(each() for each in functions),
            told("condition", workflow.wait_condition(lambda: self.nudged)),
            told("activity", run_later("plain")),
            told("timer", asyncio.sleep(2)),
        )


@workflow.defn
class InTime(Base):
    """`wait_for` that ends in time, does not, and is cancelled."""

    @workflow.run
    async def run(self) -> None:
        await self.run_all(self.in_time, self.of_task, self.too_late, self.cancelled, self.no_time, self.fails)

    async def in_time(self) -> None:
        await told("in time", asyncio.wait_for(run_later("w0"), 100))

    async def of_task(self) -> None:
        await told("coroutine in time", asyncio.wait_for(tagged(run_later("w1"), "w1"), 100))

    async def too_late(self) -> None:
        await told("too late", asyncio.wait_for(run_later("w2"), 2))

    async def cancelled(self) -> None:
        task = asyncio.create_task(told("is cancelled", asyncio.wait_for(run_later("w3"), 100)))
        await asyncio.sleep(2)
        task.cancel()
        await told("was cancelled", task)

    async def no_time(self) -> None:
        await told("no time", asyncio.wait_for(run_later("w4"), 0))
        await told("for ever", asyncio.wait_for(run_later("w5"), None))

    async def fails(self) -> None:
        await told("fails", asyncio.wait_for(self.failing(), 100))

    async def failing(self) -> None:
        await run_later("w6")
        raise ApplicationError("no", type="Sorry")


@workflow.defn
class Scopes(Base):
    """`timeout`, met and not, nested and rescheduled. From Python 3.11 on."""

    @workflow.run
    async def run(self) -> None:
        await self.run_all(self.in_time, self.too_late, self.nested, self.cancelled, self.rescheduled)

    async def in_time(self) -> None:
        async with newer.timeout(100):
            await run_later("s0")
        await marked("in time")

    async def too_late(self) -> None:
        try:
            async with newer.timeout(2):
                await run_later("s1")
        except (TimeoutError, FailureError) as error:
            await marked(f"too late {said(error)}")
        try:
            async with newer.timeout(0.1):
                await asyncio.sleep(100)
        except TimeoutError as error:
            await marked(f"sleeps too long {said(error)}")

    async def nested(self) -> None:
        try:
            async with newer.timeout(2):
                try:
                    async with newer.timeout(100):
                        await asyncio.gather(run_later("s2"), asyncio.sleep(100))
                finally:
                    await marked("inner left")
        except (TimeoutError, FailureError) as error:
            await marked(f"outer left {said(error)}")

    async def cancelled(self) -> None:
        async def scoped() -> None:
            async with newer.timeout(100):
                await run_later("s3")

        task = asyncio.create_task(told("is cancelled", scoped()))
        await asyncio.sleep(2)
        task.cancel()
        await task

    async def rescheduled(self) -> None:
        loop = asyncio.get_running_loop()
        async with newer.timeout(None) as scope:
            scope.reschedule(loop.time() + 100)
            await run_later("s4")
            await marked(f"expired {scope.expired()}")
        async with newer.timeout_at(loop.time() + 100):
            await marked("at")


@workflow.defn
class Groups(Base):
    """`TaskGroup`: all well, one that fails, one cancelled from outside. From Python 3.11 on."""

    @workflow.run
    async def run(self) -> None:
        await self.run_all(self.well, self.fails, self.cancelled)

    async def well(self) -> None:
        async with newer.TaskGroup() as group:
            for number in range(3):
                group.create_task(told(f"well {number}", run_later(f"k{number}")))
            await marked("body")
        await marked("well")

    async def fails(self) -> None:
        async def failing() -> None:
            await run_later("k3")
            raise ApplicationError("no", type="Sorry")

        try:
            async with newer.TaskGroup() as group:
                group.create_task(failing())
                # Just one: the group has its tasks in a set, and cancels several in whatever order.
                group.create_task(told("sibling", asyncio.sleep(100)))
                await told("body fails", asyncio.sleep(200))
        except Exception as error:
            await marked([said(each) for each in getattr(error, "exceptions", ())])

    async def cancelled(self) -> None:
        async def grouped() -> None:
            async with newer.TaskGroup() as group:
                group.create_task(told("in group", asyncio.sleep(100)))

        task = asyncio.create_task(told("group", grouped()))
        await asyncio.sleep(2)
        task.cancel()
        await task


WORKFLOWS = [Waiting, Together, Synchronised, Contexts, InTime, Scopes, Groups]
