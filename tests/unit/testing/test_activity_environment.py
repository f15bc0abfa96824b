"""Activities in an ``ActivityEnvironment``: what is ours alone; ``tests/parity`` has what is as with temporalio."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from collections.abc import Coroutine
from contextvars import ContextVar
from typing import Any

import pytest

from invincible import activity
from invincible.exceptions import CancelledError
from invincible.testing import ActivityEnvironment, CompleteAsyncError

LIMIT = 20.0
variable: ContextVar[str] = ContextVar("variable", default="outside")


@dataclasses.dataclass
class Page:
    number: int


@activity.defn
async def greet(name: str, *, greeting: str = "Hello") -> str:
    return f"{greeting}, {name}"


@activity.defn
def pages(last: int) -> int:
    begin = activity.heartbeat_details(Page) or Page(number=0)
    for number in range(begin.number, last):
        activity.heartbeat(Page(number + 1), number)
    return begin.number


async def test_keyword_arguments_reach_the_function() -> None:
    assert await ActivityEnvironment().run(greet, "Ada", greeting="Good morning") == "Good morning, Ada"


def test_heartbeats_are_kept_and_can_be_given_to_the_next_attempt() -> None:
    env = ActivityEnvironment()
    assert env.run(pages, 2) == 0
    assert env.heartbeats == [(Page(1), 0), (Page(2), 1)]
    env.info = dataclasses.replace(env.info, attempt=2, heartbeat_details=env.heartbeats[-1])
    assert env.run(pages, 3) == 2
    assert env.heartbeats[2:] == [(Page(3), 2)]


def test_a_heartbeat_that_no_worker_could_send_is_an_error() -> None:
    env = ActivityEnvironment()
    with pytest.raises(Exception, match="cannot be written as JSON"):
        env.run(lambda: activity.heartbeat(object()))
    assert env.heartbeats == []


async def test_a_coroutine_that_a_plain_function_makes_runs_as_the_activity_too() -> None:
    async def later(name: str) -> str:
        await asyncio.sleep(0)
        return f"{name} {activity.info().activity_id}"

    def made() -> Coroutine[Any, Any, str]:
        return later("Ada")

    assert await ActivityEnvironment().run(made) == "Ada test"


def test_context_variables_of_an_activity_stay_in_it() -> None:
    def sets() -> str:
        before = variable.get()
        variable.set("inside")
        return before

    token = variable.set("of the test")
    try:
        assert ActivityEnvironment().run(sets) == "of the test"
        assert variable.get() == "of the test"
    finally:
        variable.reset(token)


async def test_an_activity_that_is_cancelled_already_begins_and_may_clean_up() -> None:
    seen: list[str] = []

    async def waits() -> None:
        seen.append("began")
        try:
            await asyncio.sleep(LIMIT)
        finally:
            seen.append("ended")

    env = ActivityEnvironment()
    env.cancel()
    with pytest.raises(asyncio.CancelledError):
        await env.run(waits)
    assert seen == ["began", "ended"]


async def test_all_that_run_are_cancelled_and_what_has_ended_is_not() -> None:
    env = ActivityEnvironment()

    async def waits() -> None:
        await asyncio.sleep(LIMIT)

    ended = asyncio.create_task(env.run(greet, "Ada"))
    assert await ended == "Hello, Ada"
    running = [asyncio.create_task(env.run(waits)) for _ in range(2)]
    await asyncio.sleep(0)
    env.cancel()
    ends = await asyncio.wait_for(asyncio.gather(*running, return_exceptions=True), LIMIT)
    assert [type(end) for end in ends] == [asyncio.CancelledError, asyncio.CancelledError]


async def test_the_test_itself_is_not_cancelled_where_it_awaits_an_activity() -> None:
    env = ActivityEnvironment()
    env.on_heartbeat = lambda: env.cancel()

    async def waits() -> str:
        activity.heartbeat()
        try:
            await asyncio.sleep(LIMIT)
        except asyncio.CancelledError:
            return "cleaned up"
        return "not cancelled"

    assert await env.run(waits) == "cleaned up"
    assert await asyncio.wait_for(asyncio.sleep(0, "goes on"), LIMIT) == "goes on"


async def test_an_activity_on_an_event_loop_can_be_cancelled_from_a_thread() -> None:
    env = ActivityEnvironment()
    began = threading.Event()

    async def waits() -> None:
        began.set()
        await activity.wait_for_cancelled()
        await asyncio.sleep(LIMIT)

    def cancels() -> None:
        assert began.wait(LIMIT)
        env.cancel(activity.ActivityCancellationDetails(timed_out=True))

    cancelling = asyncio.get_running_loop().run_in_executor(None, cancels)
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(env.run(waits), LIMIT)
    await cancelling


def test_a_heartbeat_may_cancel_an_activity_on_the_thread_of_the_test() -> None:
    env = ActivityEnvironment()
    env.on_heartbeat = lambda page, number: env.cancel() if number == 1 else None
    with pytest.raises(CancelledError):
        env.run(pages, 5)
    assert [details[1] for details in env.heartbeats] == [0, 1]


def test_an_activity_that_somebody_else_completes_is_told_apart() -> None:
    def completed_elsewhere() -> None:
        try:
            activity.raise_complete_async()
        except Exception:
            pytest.fail("it is no exception of the activity's")

    with pytest.raises(CompleteAsyncError):
        ActivityEnvironment().run(completed_elsewhere)


async def test_errors_say_what_to_do() -> None:
    async def client() -> object:
        return activity.client()

    with pytest.raises(RuntimeError, match=r"ActivityEnvironment\(client\)"):
        await ActivityEnvironment().run(client)
    with pytest.raises(TypeError, match="fn must be a function or another callable, got str"):
        ActivityEnvironment().run("greet")  # type: ignore[arg-type]
