"""asyncio's own primitives in workflow code, and what of asyncio cannot work there."""

from __future__ import annotations

import asyncio
import contextvars
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from invincible import activity, workflow
from tests.support.features import MINUTE, TEN_SECONDS, Feature, echo, of_kind, recorded, rested


@activity.defn(start_to_close_timeout=TEN_SECONDS)
async def fails() -> None:
    raise ValueError("no")


Part = Callable[[], Awaitable[object]]
parts: list[Part] = []


def part(function: Part) -> Part:
    parts.append(function)
    return function


@part
async def gather() -> object:
    results = await asyncio.gather(
        echo.execute(1), workflow.sleep(0.01), rested(), asyncio.sleep(0, "slept"), _raising(), return_exceptions=True
    )
    return [str(each) for each in results]


async def _raising() -> None:
    await asyncio.sleep(0)
    raise ValueError("raised")


@part
async def wait_for() -> object:
    first = await asyncio.wait_for(echo.execute("in time"), 60)
    try:
        await asyncio.wait_for(asyncio.gather(asyncio.Event().wait(), rested()), 0.01)
    except asyncio.TimeoutError:
        return [first, "timed out"]
    return [first, "in time"]


@part
async def shield() -> object:
    inner = asyncio.create_task(echo.execute("kept"))
    outer = asyncio.shield(inner)
    outer.cancel()
    try:
        await outer
    except asyncio.CancelledError:
        return [outer.cancelled(), inner.cancelled(), await inner]
    return "not cancelled"


@part
async def event() -> object:
    event, order = asyncio.Event(), list[str]()

    async def waiting(name: str) -> None:
        await event.wait()
        order.append(name)

    tasks = [asyncio.create_task(waiting(name)) for name in "abc"]
    await rested()
    order.append("set")
    event.set()
    await asyncio.wait(tasks)
    return order


@part
async def lock() -> object:
    lock, order = asyncio.Lock(), list[str]()

    async def holding(name: str, seconds: float) -> None:
        async with lock:
            order.append(f"{name} in")
            await asyncio.sleep(seconds)
            order.append(f"{name} out")

    await asyncio.gather(holding("a", 0.02), holding("b", 0.01), holding("c", 0), rested())
    return order


@part
async def semaphore() -> object:
    semaphore, inside, most = asyncio.Semaphore(2), 0, 0

    async def entering() -> None:
        nonlocal inside, most
        async with semaphore:
            inside += 1
            most = max(most, inside)
            await echo.execute("inside")
            inside -= 1

    await asyncio.gather(*(entering() for _ in range(5)))
    return most


@part
async def queue() -> object:
    queue: asyncio.Queue[int | None] = asyncio.Queue(maxsize=2)
    taken: list[int] = []

    async def producing() -> None:
        for number in range(5):
            await queue.put(number)
        await queue.put(None)

    async def consuming() -> None:
        while (number := await queue.get()) is not None:
            taken.append(await echo.execute(number))
            queue.task_done()
        queue.task_done()

    await asyncio.gather(producing(), consuming())
    await queue.join()
    return taken


@part
async def condition() -> object:
    condition, value = asyncio.Condition(), 0

    async def waiting() -> int:
        async with condition:
            await condition.wait_for(lambda: value > 1)
            return value

    waiter = asyncio.create_task(waiting())
    for _ in range(2):
        await asyncio.sleep(0.001)
        async with condition:
            value += 1
            condition.notify_all()
    return await waiter


variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


@part
async def context_variables() -> object:
    async def inner(name: str) -> str:
        before = variable.get()
        variable.set(name)
        await asyncio.sleep(0.001)
        return f"{before} then {variable.get()}"

    variable.set("outer")
    return [*(await asyncio.gather(inner("a"), inner("b"))), variable.get()]


@part
async def waits() -> object:
    tasks = [asyncio.create_task(echo.execute(number)) for number in range(5)]
    never = asyncio.create_task(workflow.sleep(MINUTE))
    done, pending = await workflow.wait([*tasks, never], timeout=0.2)
    assert pending[-1] is never
    never.cancel()
    await workflow.wait(tasks)
    first, rest = await workflow.wait(
        [asyncio.create_task(asyncio.sleep(n, n)) for n in (60, 0.001)], return_when=asyncio.FIRST_COMPLETED
    )
    for task in rest:
        task.cancel()
    await recorded([task.result() for task in done])
    return [[task.result() for task in tasks], [task.result() for task in first]]


@part
async def as_completed() -> object:
    order = []
    waiting: list[Awaitable[Any]] = [workflow.sleep(0.05), echo.execute("b"), asyncio.sleep(0, "c")]
    for each in workflow.as_completed(waiting):
        order.append(await recorded(await each))
    assert sorted(map(str, order)) == ["None", "b", "c"]
    try:
        for late in workflow.as_completed([workflow.sleep(MINUTE)], timeout=0.01):
            await late
    except asyncio.TimeoutError:
        return order[0]
    return "no timeout"


@part
async def asyncio_wait() -> object:
    """asyncio's own wait gives sets, and these are iterated in the same order in each replay."""
    tasks = {asyncio.create_task(echo.execute(number)) for number in range(20)}
    done, _ = await asyncio.wait(tasks)
    return await recorded([task.result() for task in done])


@part
async def futures() -> object:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[str] = loop.create_future()
    order: list[str] = []
    future.add_done_callback(lambda done: order.append(f"callback {done.result()}"))
    loop.call_soon(future.set_result, "soon")
    order.append(await future)
    task = asyncio.current_task()
    assert task is not None
    assert task in asyncio.all_tasks()
    return order


@part
async def uncaught() -> object:
    """A task whose exception nobody fetches does not disturb the workflow."""
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    task = asyncio.create_task(_raising())
    await asyncio.sleep(0.001)
    return str(task.exception())


if sys.version_info >= (3, 11):

    @part
    async def timeout() -> object:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.gather(asyncio.Event().wait(), rested())
        except asyncio.TimeoutError:
            pass
        else:
            return "no timeout"
        async with asyncio.timeout(60) as scope:
            value = await echo.execute("in time")
            scope.reschedule(None)
        return [value, scope.expired()]

    @part
    async def task_group() -> object:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(echo.execute(number)) for number in range(3)]
            group.create_task(rested())
        results = [task.result() for task in tasks]
        try:
            async with asyncio.TaskGroup() as group:
                sleeping = group.create_task(workflow.sleep(MINUTE))
                group.create_task(_raising())
        except Exception as group_error:
            errors = group_error.args[1]
            return [results, str(errors[0]), sleeping.cancelled()]
        return "no error"


@workflow.defn
class Primitives:
    @workflow.run
    async def run(self) -> dict[str, object]:
        return {each.__name__: await each() for each in parts}


async def test_the_primitives_of_asyncio_work_as_anywhere(feature: Feature) -> None:
    async with feature.worker([Primitives]):
        results = await feature.execute(Primitives.run)
    expected: dict[str, object] = {
        "gather": ["1", "None", "None", "slept", "raised"],
        "wait_for": ["in time", "timed out"],
        "shield": [True, False, "kept"],
        "event": ["set", "a", "b", "c"],
        "lock": ["a in", "a out", "b in", "b out", "c in", "c out"],
        "semaphore": 2,
        "queue": [0, 1, 2, 3, 4],
        "condition": 2,
        "context_variables": ["outer then a", "outer then b", "outer"],
        "waits": [[0, 1, 2, 3, 4], [0.001]],
        "as_completed": "c",
        "futures": ["soon", "callback soon"],
        "uncaught": "raised",
    }
    if sys.version_info >= (3, 11):
        expected["timeout"] = ["in time", False]
        expected["task_group"] = [[0, 1, 2], "raised", True]
    assert sorted(results.pop("asyncio_wait")) == list(range(20))
    # A callback of a future runs before or after its waiter by the order in which they were added.
    results["futures"] = sorted(results["futures"], reverse=True)
    assert results == expected


@workflow.defn(sandboxed=False)
class Impossible:
    @workflow.run
    async def run(self) -> dict[str, str]:
        loop = asyncio.get_running_loop()
        refused: dict[str, str] = {}
        attempts: dict[str, Callable[[], object]] = {
            "thread": lambda: asyncio.to_thread(print),
            "executor": lambda: loop.run_in_executor(None, print),
            "threadsafe": lambda: loop.call_soon_threadsafe(print),
            "connection": lambda: asyncio.open_connection("localhost", 1),
            "server": lambda: asyncio.start_server(lambda reader, writer: None, "localhost", 0),
            "subprocess": lambda: asyncio.create_subprocess_exec("true"),
            "addresses": lambda: loop.getaddrinfo("localhost", 1),
            "reader": lambda: loop.add_reader(0, print),
            "signal": lambda: loop.add_signal_handler(2, print),
            "blocking": lambda: loop.run_until_complete(loop.create_future()),
        }
        for name, attempt in attempts.items():
            try:
                waiting = attempt()
                if asyncio.iscoroutine(waiting):
                    await waiting
            except NotImplementedError as error:
                refused[name] = str(error)
        await rested()
        return refused


async def test_what_cannot_replay_says_what_to_do_instead(feature: Feature) -> None:
    async with feature.worker([Impossible]):
        handle = await feature.start(Impossible.run)
        refused = await handle.result()
    words = {
        "thread": "activity",
        "executor": "activity",
        "threadsafe": "signal",
        "connection": "activity",
        "server": "activity",
        "subprocess": "activity",
        "addresses": "activity",
        "reader": "activity",
        "signal": "activity",
        "blocking": "await",
    }
    assert sorted(refused) == sorted(words)
    for name, word in words.items():
        assert word in refused[name], (name, refused[name])
    assert not of_kind(await feature.events(handle), "workflow_task_failed")
