"""asyncio as workflow code uses it: what the standard library offers works, and in an order that repeats."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from invincible import _native, workflow
from invincible.exceptions import ActivityError, ApplicationError
from tests.support.engine import (
    Driver,
    activity_done,
    activity_failed,
    application_failure,
    cancelled_failure,
    completed,
    failed,
    greet,
    kinds,
    value,
)

VARIABLE = contextvars.ContextVar("VARIABLE", default="default")


def result_of(body: Callable[[], Any]) -> Any:
    """What a workflow returns that needs nothing but its first task."""

    @workflow.defn
    async def whole() -> Any:
        return await body()

    return completed(Driver(whole).start())


# Tasks


def test_tasks_run_in_the_order_of_their_creation() -> None:
    async def body() -> list[int]:
        steps: list[int] = []

        async def step(number: int) -> None:
            steps.append(number)
            await asyncio.sleep(0)
            steps.append(number + 10)

        await asyncio.gather(*[asyncio.create_task(step(number)) for number in range(3)])
        return steps

    assert result_of(body) == [0, 1, 2, 10, 11, 12]


def test_tasks_have_names_and_know_themselves() -> None:
    async def body() -> list[Any]:
        async def named() -> list[Any]:
            task = asyncio.current_task()
            assert task is not None
            return [task.get_name(), task in asyncio.all_tasks()]

        task = asyncio.create_task(named(), name="given")
        other = asyncio.get_running_loop().create_task(named())
        other.set_name("later")
        return [await task, await other, isinstance(task, asyncio.Task), isinstance(other, asyncio.Future)]

    assert result_of(body) == [["given", True], ["later", True], True, True]


def test_tasks_and_futures_in_sets_keep_the_order_of_their_creation() -> None:
    async def body() -> list[list[int]]:
        tasks = [asyncio.create_task(asyncio.sleep(0, number)) for number in range(200)]
        done, pending = await asyncio.wait(tasks)
        assert not pending
        loop = asyncio.get_running_loop()
        futures = [loop.create_future() for _ in range(200)]
        for number, future in enumerate(futures):
            future.set_result(number)
        return [[task.result() for task in set(done)], [future.result() for future in set(futures)]]

    assert result_of(body) == [list(range(200))] * 2


def test_a_task_is_cancelled_with_its_message() -> None:
    async def body() -> list[Any]:
        task = asyncio.create_task(asyncio.sleep(0))
        task.cancel("enough")
        try:
            await task
        except asyncio.CancelledError as error:
            return [task.cancelled(), task.done(), list(error.args)]
        return []

    assert result_of(body)[:2] == [True, True]


def test_callbacks_of_tasks_are_called() -> None:
    async def body() -> list[str]:
        called: list[str] = []
        task = asyncio.create_task(asyncio.sleep(0, "result"))
        task.add_done_callback(lambda done: called.append(done.result()))
        await task
        await asyncio.sleep(0)
        return called

    assert result_of(body) == ["result"]


# gather, wait_for, shield, timeout


def test_gather_returns_exceptions_where_asked_to() -> None:
    async def body() -> list[str]:
        async def bad() -> None:
            raise ApplicationError("bad")

        results = await asyncio.gather(asyncio.sleep(0, "good"), bad(), return_exceptions=True)
        return [str(each) for each in results]

    assert result_of(body) == ["good", "bad"]


def test_gather_raises_the_first_failure_and_the_others_go_on() -> None:
    @workflow.defn
    async def gathering() -> list[str]:
        other = greet.start("Bob")
        try:
            await asyncio.gather(greet.execute("Ada"), other)
        except ActivityError:
            return ["failed", await other]
        return []

    driver = Driver(gathering)
    driver.start()
    assert driver.activate(activity_failed(application_failure(), seq=2)) == []
    assert completed(driver.activate(activity_done("Hello, Bob"))) == ["failed", "Hello, Bob"]


def test_wait_for_ends_in_time_or_cancels_what_it_waits_for() -> None:
    @workflow.defn
    async def impatient() -> str:
        try:
            return await asyncio.wait_for(greet.execute("Ada"), 5)
        except asyncio.TimeoutError:
            return "too late"

    driver = Driver(impatient)
    assert set(kinds(driver.start())) == {_native.ScheduleActivity, _native.StartTimer}
    assert kinds(driver.activate(_native.FireTimer(seq=1))) == [_native.RequestCancelActivity]
    ended = driver.activate(activity_failed(cancelled_failure()))
    assert isinstance(ended[0], (_native.CompleteWorkflowExecution, _native.FailWorkflowExecution))


def test_wait_for_of_something_quick_needs_no_timer_or_cancels_it() -> None:
    @workflow.defn
    async def quick() -> str:
        return await asyncio.wait_for(asyncio.sleep(0, "quick"), 5)

    commands = Driver(quick).start()
    assert kinds(commands)[-1] is _native.CompleteWorkflowExecution
    assert value(commands[-1].result) == "quick"
    started, cancelled = kinds(commands).count(_native.StartTimer), kinds(commands).count(_native.CancelTimer)
    assert started == cancelled


def test_a_shielded_activity_survives_the_cancellation_of_its_waiter() -> None:
    @workflow.defn
    async def shielding() -> str:
        handle = greet.start("Ada")

        async def wait() -> str:
            return await asyncio.shield(handle)

        waiter = asyncio.create_task(wait())
        await asyncio.sleep(0)
        waiter.cancel()
        (cancelled,) = await asyncio.gather(waiter, return_exceptions=True)
        assert isinstance(cancelled, asyncio.CancelledError)
        return await handle

    driver = Driver(shielding)
    assert kinds(driver.start()) == [_native.ScheduleActivity]
    assert completed(driver.activate(activity_done("Hello"))) == "Hello"


if sys.version_info >= (3, 11):
    from builtins import ExceptionGroup

    def test_a_task_group_waits_for_its_tasks() -> None:
        @workflow.defn
        async def grouped() -> list[str]:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(greet.execute(name), name=name) for name in ("Ada", "Bob")]
            return [task.result() for task in tasks]

        driver = Driver(grouped)
        driver.start()
        driver.activate(activity_done("2", seq=2))
        assert completed(driver.activate(activity_done("1"))) == ["1", "2"]

    def test_a_task_group_cancels_the_others_in_the_order_of_their_creation_when_one_fails() -> None:
        @workflow.defn
        async def grouped() -> list[str]:
            try:
                async with asyncio.TaskGroup() as group:
                    for number in range(30):
                        group.create_task(greet.execute(str(number)))
            except ExceptionGroup as errors:
                return [str(len(errors.exceptions))]
            return []

        driver = Driver(grouped)
        driver.start()
        requests = driver.activate(activity_failed(application_failure(), seq=30))
        assert [(type(each), each.seq) for each in requests] == [
            (_native.RequestCancelActivity, seq) for seq in range(1, 30)
        ]
        jobs = [activity_failed(cancelled_failure(), seq=seq) for seq in range(1, 30)]
        assert completed(driver.activate(*jobs)) == ["30"]

    def test_an_exception_group_that_nobody_takes_apart_fails_the_task() -> None:
        async def body() -> None:
            async with asyncio.TaskGroup() as group:

                async def bad() -> None:
                    raise ApplicationError("bad")

                group.create_task(bad())

        with pytest.raises(ExceptionGroup, match="unhandled errors in a TaskGroup"):
            result_of(body)

    def test_an_exception_group_may_be_declared_a_failure() -> None:
        @workflow.defn(failure_exception_types=[ExceptionGroup])
        async def grouped() -> None:
            raise ExceptionGroup("several", [ApplicationError("one"), KeyError("two")])

        failure = failed(Driver(grouped).start())
        assert isinstance(failure.info, _native.ApplicationFailureInfo)
        assert failure.info.type == "ExceptionGroup"
        assert "several" in failure.message

    def test_a_timeout_ends_its_block() -> None:
        @workflow.defn
        async def impatient() -> str:
            try:
                async with asyncio.timeout(5) as scope:
                    scope.reschedule(asyncio.get_running_loop().time() + 7)
                    await workflow.sleep(60)
            except TimeoutError:
                return f"expired: {scope.expired()}"
            return "slept"

        driver = Driver(impatient)
        commands = driver.start()
        assert kinds(commands) == [_native.StartTimer, _native.CancelTimer, _native.StartTimer, _native.StartTimer]
        assert [each.duration for each in commands if isinstance(each, _native.StartTimer)] == [5.0, 7.0, 60.0]
        cancel, end = driver.activate(_native.FireTimer(seq=2))
        assert cancel.seq == 3
        assert value(end.result) == "expired: True"

    def test_a_timeout_that_is_not_needed_leaves_no_timer() -> None:
        @workflow.defn
        async def quick() -> str:
            async with asyncio.timeout(5):
                await asyncio.sleep(0)
            return "quick"

        commands = Driver(quick).start()
        assert kinds(commands) == [_native.StartTimer, _native.CancelTimer, _native.CompleteWorkflowExecution]

    def test_a_barrier_lets_go_when_all_are_there() -> None:
        async def body() -> int:
            barrier = asyncio.Barrier(3)
            await asyncio.gather(*[barrier.wait() for _ in range(3)])
            return barrier.n_waiting

        assert result_of(body) == 0

    def test_a_task_may_have_a_context_of_its_own() -> None:
        async def body() -> list[str]:
            context = contextvars.copy_context()
            context.run(VARIABLE.set, "own")

            async def read() -> str:
                return VARIABLE.get()

            return [await asyncio.create_task(read(), context=context), VARIABLE.get()]

        assert result_of(body) == ["own", "default"]

    def test_cancellation_can_be_taken_back() -> None:
        async def body() -> list[int]:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0)
            return [task.cancelling(), task.uncancel()]

        assert result_of(body) == [1, 0]


# Synchronisation


def test_an_event_wakes_all_who_wait() -> None:
    async def body() -> list[str]:
        event = asyncio.Event()
        steps: list[str] = []

        async def wait(name: str) -> None:
            await event.wait()
            steps.append(name)

        waiting = asyncio.gather(wait("a"), wait("b"))
        await asyncio.sleep(0)
        event.set()
        await waiting
        return steps

    assert result_of(body) == ["a", "b"]


def test_a_lock_is_taken_in_turn() -> None:
    async def body() -> list[str]:
        lock = asyncio.Lock()
        steps: list[str] = []

        async def use(name: str) -> None:
            async with lock:
                steps.append(f"{name} in")
                await asyncio.sleep(0)
                steps.append(f"{name} out")

        await asyncio.gather(use("a"), use("b"))
        return steps

    assert result_of(body) == ["a in", "a out", "b in", "b out"]


def test_a_semaphore_bounds_what_runs_at_once() -> None:
    @workflow.defn
    async def bounded() -> list[str]:
        semaphore = asyncio.Semaphore(2)

        async def act(name: str) -> str:
            async with semaphore:
                return await greet.execute(name)

        return list(await asyncio.gather(*[act(str(number)) for number in range(3)]))

    driver = Driver(bounded)
    assert len(driver.start()) == 2
    (third,) = driver.activate(activity_done("b", seq=2))
    assert third.seq == 3
    driver.activate(activity_done("c", seq=3))
    assert completed(driver.activate(activity_done("a", seq=1))) == ["a", "b", "c"]


def test_a_bounded_semaphore_and_a_condition() -> None:
    async def body() -> list[str]:
        condition = asyncio.Condition()
        steps: list[str] = []

        async def consume() -> None:
            async with condition:
                await condition.wait_for(lambda: bool(steps))
                steps.append("consumed")

        task = asyncio.create_task(consume())
        await asyncio.sleep(0)
        async with condition:
            steps.append("produced")
            condition.notify_all()
        await task
        semaphore = asyncio.BoundedSemaphore(1)
        with pytest.raises(ValueError, match="too many times"):
            semaphore.release()
        return steps

    assert result_of(body) == ["produced", "consumed"]


@pytest.mark.parametrize("kind", [asyncio.Queue, asyncio.PriorityQueue, asyncio.LifoQueue])
def test_queues_hand_over(kind: Any) -> None:
    async def body() -> list[int]:
        queue = kind(maxsize=2)

        async def produce() -> None:
            for number in (3, 1, 2):
                await queue.put(number)

        task = asyncio.create_task(produce())
        got = []
        for _ in range(3):
            await asyncio.sleep(0)
            got.append(await queue.get())
            queue.task_done()
        await queue.join()
        await task
        return sorted(got)

    assert result_of(body) == [1, 2, 3]


def test_a_future_of_ones_own_is_resolved_by_a_signal() -> None:
    @workflow.defn
    class Hand:
        @workflow.run
        async def run(self) -> str:
            self.future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            return await self.future

        @workflow.signal
        def give(self) -> None:
            self.future.set_result("given")

    driver = Driver(Hand)
    driver.start()
    assert completed(driver.activate(_native.SignalWorkflow(signal_name="give"))) == "given"


# Contexts and generators


def test_context_variables_are_each_tasks_own() -> None:
    async def body() -> list[str]:
        async def change() -> str:
            VARIABLE.set("changed")
            await asyncio.sleep(0)
            return VARIABLE.get()

        VARIABLE.set("outer")
        return [await asyncio.create_task(change()), await change(), VARIABLE.get()]

    assert result_of(body) == ["changed", "changed", "changed"]
    assert VARIABLE.get() == "default"


def test_runs_do_not_see_each_others_context_variables() -> None:
    @workflow.defn
    async def changing(word: str) -> str:
        VARIABLE.set(word)
        await workflow.sleep(1)
        return VARIABLE.get()

    first, second = Driver(changing, "one"), Driver(changing, "two")
    first.start()
    second.start()
    assert completed(first.activate(_native.FireTimer(seq=1))) == "one"
    assert completed(second.activate(_native.FireTimer(seq=1))) == "two"


async def numbers() -> AsyncIterator[int]:
    for number in range(3):
        await workflow.sleep(number + 1)
        yield number


def test_async_generators_and_comprehensions() -> None:
    @workflow.defn
    async def generating() -> list[int]:
        return [number * 2 async for number in numbers()]

    driver = Driver(generating)
    assert [each.duration for each in driver.start()] == [1.0]
    assert [each.duration for each in driver.activate(_native.FireTimer(seq=1))] == [2.0]
    driver.activate(_native.FireTimer(seq=2))
    assert completed(driver.activate(_native.FireTimer(seq=3))) == [0, 2, 4]


def test_async_context_managers() -> None:
    async def body() -> list[str]:
        steps: list[str] = []

        @contextlib.asynccontextmanager
        async def scope() -> AsyncIterator[str]:
            await asyncio.sleep(0)
            steps.append("enter")
            yield "inside"
            await asyncio.sleep(0)
            steps.append("exit")

        async with contextlib.AsyncExitStack() as stack:
            steps.append(await stack.enter_async_context(scope()))
        return steps

    assert result_of(body) == ["enter", "inside", "exit"]


def test_a_generator_that_is_not_exhausted_can_be_closed() -> None:
    async def body() -> list[str]:
        steps: list[str] = []

        async def generate() -> AsyncIterator[int]:
            try:
                yield 1
            finally:
                await asyncio.sleep(0)
                steps.append("closed")

        async with contextlib.aclosing(generate()) as generator:  # type: ignore[type-var]
            async for _ in generator:
                break
        return steps

    assert result_of(body) == ["closed"]


def test_asyncio_as_completed_works_on_handles() -> None:
    @workflow.defn
    async def collecting() -> list[str]:
        return [await each for each in asyncio.as_completed([greet.start("Ada"), greet.start("Bob")])]

    driver = Driver(collecting)
    driver.start()
    driver.activate(activity_done("2", seq=2))
    assert completed(driver.activate(activity_done("1"))) == ["2", "1"]
