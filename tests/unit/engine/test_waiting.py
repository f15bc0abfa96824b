"""``workflow.wait`` and ``workflow.as_completed``: asyncio's, in an order that is the same on every replay."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from invincible import _native, workflow
from tests.support.engine import Driver, activity_done, activity_failed, application_failure, completed, greet, kinds


@workflow.defn
async def waiting(return_when: str, timeout: float | None) -> list[list[int]]:
    handles = [greet.start(str(number)) for number in range(4)]
    done, pending = await workflow.wait(handles, return_when=return_when, timeout=timeout)
    assert isinstance(done, list)
    assert isinstance(pending, list)
    return [[handles.index(each) for each in done], [handles.index(each) for each in pending]]


def test_all_of_them_in_the_order_given() -> None:
    driver = Driver(waiting, asyncio.ALL_COMPLETED, None)
    driver.start()
    for seq in (3, 1, 4):
        assert driver.activate(activity_done("done", seq=seq)) == []
    assert completed(driver.activate(activity_done("done", seq=2))) == [[0, 1, 2, 3], []]


def test_until_the_first_is_done() -> None:
    driver = Driver(waiting, asyncio.FIRST_COMPLETED, None)
    driver.start()
    ended = driver.activate(activity_done("done", seq=4), activity_done("done", seq=2))
    assert completed(ended) == [[1, 3], [0, 2]]


def test_until_the_first_fails() -> None:
    driver = Driver(waiting, asyncio.FIRST_EXCEPTION, None)
    driver.start()
    assert driver.activate(activity_done("done", seq=4)) == []
    assert completed(driver.activate(activity_failed(application_failure(), seq=2))) == [[1, 3], [0, 2]]


def test_until_a_time() -> None:
    driver = Driver(waiting, asyncio.ALL_COMPLETED, 5.0)
    *_, timer = driver.start()
    assert timer.duration == 5.0
    assert driver.activate(activity_done("done", seq=4)) == []
    assert completed(driver.activate(_native.FireTimer(seq=1))) == [[3], [0, 1, 2]]


def test_what_is_given_twice_is_given_back_twice() -> None:
    @workflow.defn
    async def twice() -> list[int]:
        task = asyncio.create_task(asyncio.sleep(0))
        done, pending = await workflow.wait([task, task])
        return [len(done), len(pending)]

    assert completed(Driver(twice).start()) == [2, 0]


async def waits_for_a_coroutine() -> None:
    coroutine = asyncio.sleep(0)
    try:
        await workflow.wait([coroutine])  # type: ignore[type-var]
    finally:
        coroutine.close()


async def waits_for_nothing() -> None:
    await workflow.wait(())


async def waits_sometimes() -> None:
    await workflow.wait([asyncio.get_running_loop().create_future()], return_when="SOMETIMES")


@pytest.mark.parametrize(
    ("wrong", "error", "match"),
    [
        (
            waits_for_a_coroutine,
            TypeError,
            "workflow.wait takes tasks and futures, not coroutines: make it a task by asy",
        ),
        (waits_for_nothing, ValueError, None),
        (waits_sometimes, ValueError, "SOMETIMES"),
    ],
)
def test_coroutines_nothing_and_unknown_modes_are_refused(
    wrong: Any, error: type[Exception], match: str | None
) -> None:
    @workflow.defn
    async def waits() -> None:
        await wrong()

    with pytest.raises(error, match=match):
        Driver(waits).start()


def test_as_completed_gives_results_in_the_order_of_their_coming() -> None:
    @workflow.defn
    async def collecting() -> list[str]:
        return [await each for each in workflow.as_completed([greet.start("0"), greet.start("1"), greet.start("2")])]

    driver = Driver(collecting)
    driver.start()
    driver.activate(activity_done("second", seq=2))
    driver.activate(activity_done("third", seq=3))
    assert completed(driver.activate(activity_done("first", seq=1))) == ["second", "third", "first"]


def test_as_completed_starts_coroutines_in_the_order_given() -> None:
    @workflow.defn
    async def collecting() -> list[str]:
        names = [str(number) for number in range(30)]
        return [await each for each in workflow.as_completed([greet.execute(name) for name in names])]

    commands = Driver(collecting).start()
    assert kinds(commands) == [_native.ScheduleActivity] * 30
    assert [each.arguments[0].data for each in commands] == [f'"{number}"'.encode() for number in range(30)]


def test_as_completed_ends_at_its_timeout() -> None:
    @workflow.defn
    async def collecting() -> list[str]:
        results = []
        try:
            for each in workflow.as_completed([greet.start("0"), greet.start("1")], timeout=5):
                results.append(await each)
        except asyncio.TimeoutError:
            results.append("too late")
        return results

    driver = Driver(collecting)
    *_, timer = driver.start()
    assert timer.duration == 5.0
    driver.activate(activity_done("in time", seq=2))
    assert completed(driver.activate(_native.FireTimer(seq=1))) == ["in time", "too late"]
