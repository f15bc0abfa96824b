"""Interceptors of activities, on every kind of activity."""

from __future__ import annotations

import asyncio
import gc
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from invincible import activity
from invincible.client import ActivityFailureError, Client
from invincible.common import RawValue, RetryPolicy
from invincible.exceptions import ApplicationError, CancelledError
from invincible.worker import (
    ActivityInboundInterceptor,
    ActivityOutboundInterceptor,
    ActivityProcessExecutor,
    ExecuteActivityInput,
    Interceptor,
    Worker,
)
from tests.support import process_activities

LIMIT = timedelta(seconds=30)
ONCE = RetryPolicy(maximum_attempts=1)

tenant: ContextVar[str] = ContextVar("tenant", default="nobody")
Execute = Callable[[ActivityInboundInterceptor, ExecuteActivityInput], Any]


class Around(Interceptor):
    """Runs a function around executions.

    Args:
        execute: Gets the next interceptor and the input.
        outbound: Makes an interceptor of outbound calls.
    """

    def __init__(
        self,
        execute: Execute | None = None,
        outbound: Callable[[ActivityOutboundInterceptor], ActivityOutboundInterceptor] = ActivityOutboundInterceptor,
    ) -> None:
        self.execute = execute
        self.outbound = outbound

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return AroundActivity(next, self)


class AroundActivity(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, around: Around) -> None:
        super().__init__(next)
        self.around = around

    def init(self, outbound: ActivityOutboundInterceptor) -> None:
        super().init(self.around.outbound(outbound))

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        if self.around.execute is None:
            return await super().execute_activity(input)
        return await self.around.execute(self.next, input)


@activity.defn
async def on_loop(word: str, *, times: int = 1) -> str:
    assert threading.current_thread() is threading.main_thread()
    return f"{tenant.get()} {word * times}"


@activity.defn
def on_thread(word: str, *, times: int = 1) -> str:
    assert threading.current_thread() is not threading.main_thread()
    return f"{tenant.get()} {word * times}"


class Shop:
    @activity.defn
    async def method(self, word: str) -> str:
        return f"{tenant.get()} {word}"


class Callable_:
    @activity.defn(name="callable")
    def __call__(self, word: str) -> str:
        return f"{tenant.get()} {word}"


@activity.defn(dynamic=True)
async def anything(args: Sequence[RawValue]) -> str:
    return f"{tenant.get()} {activity.info().activity_type} {len(args)}"


KINDS: list[Any] = [on_loop, on_thread, Shop().method, Callable_(), anything]


@asynccontextmanager
async def worker(
    client: Client,
    task_queue: str,
    interceptors: Sequence[Interceptor],
    activities: Sequence[Any] = KINDS,
    **options: Any,
) -> AsyncIterator[Callable[..., Any]]:
    """Run a worker for the block, which gets a function to start activities by."""

    async def start(name: Any, *args: Any) -> Any:
        return await client.start_activity(
            name,
            args=args,
            id=str(uuid.uuid4()),
            task_queue=task_queue,
            start_to_close_timeout=LIMIT,
            heartbeat_timeout=LIMIT,
            retry_policy=ONCE,
            result_type=str,
        )

    async with Worker(client, task_queue=task_queue, activities=activities, interceptors=interceptors, **options):
        yield start


async def set_tenant(next: ActivityInboundInterceptor, input: ExecuteActivityInput) -> Any:
    tenant.set("Ada")
    return await next.execute_activity(input)


@pytest.mark.parametrize("own_threads", [True, False])
async def test_every_kind_passes_and_sees_context_variables(client: Client, task_queue: str, own_threads: bool) -> None:
    with ThreadPoolExecutor(100) as executor:
        executors: list[Any] = []

        async def noting(next: ActivityInboundInterceptor, input: ExecuteActivityInput) -> Any:
            executors.append(input.executor)
            return await set_tenant(next, input)

        options: dict[str, Any] = {} if own_threads else {"activity_executor": executor}
        async with worker(client, task_queue, [Around(noting)], **options) as start:
            results = [
                await (await start(name, *args)).result()
                for name, *args in (
                    ("on_loop", "a", 2),
                    ("on_thread", "b", 2),
                    ("method", "c"),
                    ("callable", "d"),
                    ("something", 1, 2),
                )
            ]
    assert results == ["Ada aa", "Ada bb", "Ada c", "Ada d", "Ada something 2"]
    for_threads = None if own_threads else executor
    assert executors == [None, for_threads, None, for_threads, None]
    assert tenant.get() == "nobody"


@pytest.mark.parametrize("name", ["on_loop", "on_thread"])
async def test_arguments_function_and_result_can_be_replaced(client: Client, task_queue: str, name: str) -> None:
    async def async_other(word: str, *, times: int) -> str:
        return f"other {word * times}"

    def other(word: str, *, times: int) -> str:
        return f"other {word * times}"

    async def execute(next: ActivityInboundInterceptor, input: ExecuteActivityInput) -> Any:
        first = await next.execute_activity(input)
        input.args = ["z", 3]
        second = await next.execute_activity(input)
        input.fn = async_other if name == "on_loop" else other
        return f"{first}, {second}, {await next.execute_activity(input)}"

    async with worker(client, task_queue, [Around(execute)]) as start:
        assert await (await start(name, "a", 2)).result() == "nobody aa, nobody zzz, other zzz"


async def test_the_first_is_outermost_and_made_for_each_execution(client: Client, task_queue: str) -> None:
    met: list[str] = []

    def named(name: str) -> Interceptor:
        async def execute(next: ActivityInboundInterceptor, input: ExecuteActivityInput) -> Any:
            met.append(f"{name} begins")
            result = await next.execute_activity(input)
            met.append(f"{name} ends")
            return result

        class Outbound(ActivityOutboundInterceptor):
            def info(self) -> activity.Info:
                met.append(f"{name} info")
                return super().info()

        return Around(execute, Outbound)

    async with worker(client, task_queue, [named("first"), named("second")]) as start:
        await (await start("something")).result()
    info = ["second info", "first info"]
    assert met == ["first begins", "second begins", *info, "second ends", "first ends"]


@pytest.mark.parametrize("name", ["on_loop", "on_thread"])
async def test_errors_of_interceptors_fail_the_activity(client: Client, task_queue: str, name: str) -> None:
    async def refuse(next: ActivityInboundInterceptor, input: ExecuteActivityInput) -> Any:
        raise ApplicationError("not allowed", type="Forbidden")

    async def exit(next: ActivityInboundInterceptor, input: ExecuteActivityInput) -> Any:
        raise SystemExit("enough")

    class Broken(Interceptor):
        def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
            raise ValueError("cannot be made")

    class Forgetful(ActivityInboundInterceptor):
        def init(self, outbound: ActivityOutboundInterceptor) -> None:
            pass

    class Silent(Interceptor):
        def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
            return Forgetful(next)

    class Mistaken(Interceptor):
        def intercept_activity(self, next: ActivityInboundInterceptor) -> Any:
            return Forgetful

    for interceptor, message, type_ in (
        (Around(refuse), "not allowed", "Forbidden"),
        (Around(exit), "enough", "SystemExit"),
        (Broken(), "cannot be made", "ValueError"),
        (Silent(), "its init must call super().init(outbound)", "RuntimeError"),
        (Mistaken(), "Mistaken must return an ActivityInboundInterceptor, got <class", "TypeError"),
    ):
        async with worker(client, task_queue, [interceptor]) as start:
            handle = await start(name, "a")
            with pytest.raises(ActivityFailureError) as failure:
                await handle.result()
        cause = failure.value.cause
        assert isinstance(cause, ApplicationError)
        assert message in cause.message
        assert cause.type == type_


async def test_errors_of_activities_reach_interceptors(
    client: Client, task_queue: str, caplog: pytest.LogCaptureFixture
) -> None:
    class Final(BaseException):
        pass

    @activity.defn
    def stops() -> str:
        raise StopIteration

    @activity.defn
    def exits() -> str:
        raise SystemExit(3)

    @activity.defn
    def fails() -> str:
        raise Final("final")

    met: list[str] = []

    async def execute(next: ActivityInboundInterceptor, input: ExecuteActivityInput) -> Any:
        try:
            return await next.execute_activity(input)
        except BaseException as error:
            met.append(type(error).__name__)
            raise ApplicationError("told", type=type(error).__name__) from error

    async with worker(client, task_queue, [Around(execute)], [stops, exits, fails]) as start:
        for name in ("stops", "exits", "fails"):
            with pytest.raises(ActivityFailureError):
                await (await start(name)).result()
    # What ends the program is no affair of the event loop: interceptors see that they are cancelled.
    assert met == ["RuntimeError", "CancelledError", "Final"]
    gc.collect()
    assert "never retrieved" not in caplog.text


async def test_an_activity_to_be_completed_elsewhere_passes(client: Client, task_queue: str) -> None:
    tokens: asyncio.Queue[bytes] = asyncio.Queue()

    @activity.defn
    async def later() -> str:
        tokens.put_nowait(activity.info().task_token)
        activity.raise_complete_async()

    async with worker(client, task_queue, [Around(set_tenant)], [later]) as start:
        handle = await start("later")
        token = await asyncio.wait_for(tokens.get(), LIMIT.total_seconds())
        await client.get_async_activity_handle(task_token=token).complete("done")
        assert await handle.result() == "done"


class Heartbeats(ActivityOutboundInterceptor):
    def heartbeat(self, *details: Any) -> None:
        super().heartbeat("intercepted", *details)

    def info(self) -> activity.Info:
        return replace(super().info(), task_queue="intercepted")


@pytest.mark.parametrize("thread", [True, False])
async def test_outbound_calls_can_be_changed(client: Client, task_queue: str, thread: bool) -> None:
    @activity.defn(name="beats")
    def on_its_thread() -> str:
        if activity.info().attempt == 1:
            activity.heartbeat(1, 2)
            raise ValueError("once more")
        return f"{activity.info().heartbeat_details} {activity.info().task_queue}"

    @activity.defn(name="beats")
    async def on_the_loop() -> str:
        return on_its_thread()

    interceptors = [Around(outbound=Heartbeats)]
    async with Worker(
        client,
        task_queue=task_queue,
        activities=[on_its_thread if thread else on_the_loop],
        interceptors=interceptors,
    ):
        result = await client.execute_activity(
            "beats",
            id=task_queue,
            task_queue=task_queue,
            start_to_close_timeout=LIMIT,
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=1), maximum_attempts=2),
            result_type=str,
        )
    assert result == "['intercepted', 1, 2] intercepted"


@pytest.mark.parametrize("where", ["loop", "thread"])
async def test_cancellation_reaches_an_interceptor_that_waits(client: Client, task_queue: str, where: str) -> None:
    waiting = asyncio.Event()
    ended: list[str] = []

    async def execute(next: ActivityInboundInterceptor, input: ExecuteActivityInput) -> Any:
        waiting.set()
        try:
            while True:
                activity.heartbeat()
                await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    async with worker(
        client, task_queue, [Around(execute)], max_heartbeat_throttle_interval=timedelta(milliseconds=50)
    ) as start:
        handle = await start(f"on_{where}", "a")
        await asyncio.wait_for(waiting.wait(), LIMIT.total_seconds())
        await handle.cancel()
        with pytest.raises(ActivityFailureError) as failure:
            await handle.result()
    assert isinstance(failure.value.cause, CancelledError)
    assert ended == ["cancelled"]


async def test_a_thread_that_is_cancelled_ends_before_its_interceptor_does(client: Client, task_queue: str) -> None:
    begun = threading.Event()
    order: list[str] = []

    @activity.defn
    def cleans_up() -> str:
        begun.set()
        try:
            while True:
                activity.heartbeat()
                threading.Event().wait(0.05)
        finally:
            order.append("activity")

    async def execute(next: ActivityInboundInterceptor, input: ExecuteActivityInput) -> Any:
        try:
            return await next.execute_activity(input)
        except CancelledError:
            order.append("interceptor")
            return "saved"

    async with worker(
        client, task_queue, [Around(execute)], [cleans_up], max_heartbeat_throttle_interval=timedelta(milliseconds=50)
    ) as start:
        handle = await start("cleans_up")
        assert await asyncio.to_thread(begun.wait, LIMIT.total_seconds())
        await handle.cancel()
        assert await handle.result() == "saved"
    assert order == ["activity", "interceptor"]


async def test_an_activity_can_be_moved_to_another_thread_pool(client: Client, task_queue: str) -> None:
    names: list[str] = []

    @activity.defn
    def where() -> str:
        names.append(threading.current_thread().name)
        return f"{tenant.get()} {activity.info().activity_type}"

    with ThreadPoolExecutor(1, thread_name_prefix="elsewhere") as elsewhere:

        async def move(next: ActivityInboundInterceptor, input: ExecuteActivityInput) -> Any:
            input.executor = elsewhere
            return await set_tenant(next, input)

        async with worker(client, task_queue, [Around(move)], [where]) as start:
            assert await (await start("where")).result() == "Ada where"
    assert names == ["elsewhere_0"]


async def test_activities_in_processes_are_intercepted_in_the_worker(client: Client, task_queue: str) -> None:
    beats: list[Any] = []

    class Noting(ActivityOutboundInterceptor):
        def heartbeat(self, *details: Any) -> None:
            beats.append(details)
            super().heartbeat(*details)

    async def execute(next: ActivityInboundInterceptor, input: ExecuteActivityInput) -> Any:
        assert input.executor is executor
        return f"process {await next.execute_activity(input)}"

    with ActivityProcessExecutor(max_workers=1) as executor:
        async with worker(
            client,
            task_queue,
            [Around(execute, Noting)],
            [process_activities.process_id, process_activities.next_page],
            activity_executor=executor,
            max_concurrent_activities=1,
        ) as start:
            result = await (await start("process_id")).result()
            with pytest.raises(ActivityFailureError):
                await (await start("next_page")).result()
    assert [details[1:] for details in beats] == [("so far",)]
    assert result.startswith("process ")
    assert int(result.removeprefix("process ")) > 0
