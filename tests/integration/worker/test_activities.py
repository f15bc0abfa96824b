"""Running activities: how they are cancelled, on the event loop and on threads; heartbeats; executors."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from invincible import activity
from invincible.activity import ActivityCancellationDetails
from invincible.api.workflowservice.v1 import ResetActivityExecutionRequest, ResetActivityExecutionResponse
from invincible.client import ActivityFailureError, ActivityHandle, Client
from invincible.common import RawValue, RetryPolicy
from invincible.converter import (
    ActivitySerializationContext,
    CompositePayloadConverter,
    DataConverter,
    DefaultPayloadConverter,
    SerializationContext,
    WithSerializationContext,
)
from invincible.exceptions import ActivityError, ApplicationError, CancelledError, TimeoutError, TimeoutType
from invincible.service import RPCError
from invincible.worker import Worker
from tests.support.conditions import eventually

MINUTE = timedelta(minutes=1)
SOON = timedelta(milliseconds=100)
ONCE = RetryPolicy(maximum_attempts=1)
LIMIT = 60.0

# What activities have seen, by activity id.
running: defaultdict[str, threading.Event] = defaultdict(threading.Event)
seen: defaultdict[str, list[Any]] = defaultdict(list)
go_on: defaultdict[str, threading.Event] = defaultdict(threading.Event)


def tell(what: Any) -> None:
    seen[activity.info().activity_id].append(what)


def beat_until(done: Callable[[], bool] = lambda: False) -> str:
    """Work that takes long, in small steps."""
    running[activity.info().activity_id].set()
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        activity.heartbeat("beat")
        if done():
            return "done"
        time.sleep(0.02)
    return "never interrupted"


@activity.defn
def on_thread(what: str) -> str:
    try:
        return beat_until()
    except CancelledError as error:
        tell((repr(error), activity.cancellation_details(), activity.is_cancelled()))
        match what:
            case "returns":
                return "completed all the same"
            case "fails":
                raise LookupError("on the way out") from None
            case "fails as cancelled":
                raise CancelledError("mine", 1) from None
            case _:
                raise


@activity.defn
async def on_loop(what: str) -> str:
    running[activity.info().activity_id].set()
    try:
        while True:
            activity.heartbeat("beat")
            await asyncio.sleep(0.02)
    except asyncio.CancelledError as error:
        tell((repr(error), activity.cancellation_details(), activity.is_cancelled()))
        match what:
            case "returns":
                return "completed all the same"
            case "fails":
                raise LookupError("on the way out") from None
            case "fails as cancelled":
                raise CancelledError("mine", 1) from None
            case _:
                raise


@activity.defn(no_thread_cancel_exception=True)
def asks() -> str:
    result = beat_until(activity.is_cancelled)
    with activity.shield_thread_cancel_exception():
        tell(activity.cancellation_details())
    return result


@activity.defn
def shields() -> str:
    try:
        with activity.shield_thread_cancel_exception():
            tell(beat_until(activity.is_cancelled))
        tell("not reached")
    except CancelledError:
        tell("cancelled after the block")
    return "tidied up"


@activity.defn
def waits() -> None:
    activity.heartbeat()
    running[activity.info().activity_id].set()
    try:
        activity.wait_for_cancelled_sync(LIMIT)
        tell("no exception")
    except CancelledError as error:
        tell(repr(error))
        raise


@activity.defn
def unasked() -> None:
    raise CancelledError("nobody has asked", 17)


@activity.defn
def somebody_elses_failure() -> None:
    raise ActivityError(
        "of another one", scheduled_event_id=1, started_event_id=2, identity="", activity_type="other",
        activity_id="1", retry_state=None,
    )  # fmt: skip


@activity.defn(auto_heartbeat=True)
def blocked_thread() -> str:
    activity.heartbeat("my own words")
    running[activity.info().activity_id].set()
    return "went on" if go_on[activity.info().activity_id].wait(LIMIT) else "never let go"


@activity.defn(auto_heartbeat=True)
async def blocked_loop() -> str:
    running[activity.info().activity_id].set()
    time.sleep(2.5)  # noqa: ASYNC251  # what must not be done
    return "went on"


@activity.defn
def silent() -> str:
    return "went on" if go_on[activity.info().activity_id].wait(LIMIT) else "never let go"


@activity.defn(auto_heartbeat=True)
async def patient() -> str:
    running[activity.info().activity_id].set()
    try:
        await activity.wait_for_cancelled()
    finally:
        tell(activity.cancellation_details())
    return "not reached"


@activity.defn
def fails_after_heartbeats() -> list[Any]:
    details = list(activity.info().heartbeat_details)
    if not details:
        for number in range(5):
            activity.heartbeat(number)
        raise ApplicationError("once more")
    return details


@activity.defn(auto_heartbeat=True)
async def fails_silently() -> list[Any]:
    attempt, details = activity.info().attempt, list(activity.info().heartbeat_details)
    if attempt == 1:
        activity.heartbeat("from the first attempt")
    if attempt < 3:
        raise ApplicationError("once more")
    return details


@activity.defn
async def typed_details() -> list[Any]:
    if activity.info().attempt == 1:
        activity.heartbeat(timedelta(seconds=90).total_seconds(), "x")
        raise ApplicationError("once more")
    return [
        activity.heartbeat_details(float),
        activity.heartbeat_details(str, index=1),
        activity.heartbeat_details(str, index=2),
    ]


@activity.defn
def add(a: int, b: int = 2) -> int:
    return a + b


class Greeter:
    @activity.defn
    def greet(self, name: str) -> str:
        return f"hello {name}"

    @activity.defn
    async def greet_later(self, name: str) -> str:
        return f"later {name}"


class Stamp:
    @activity.defn(name="stamp")
    def __call__(self, text: str) -> str:
        return f"[{text}]"


class LaterStamp:
    @activity.defn(name="later-stamp")
    async def __call__(self, text: str) -> str:
        return f"[[{text}]]"


@activity.defn(dynamic=True)
def anything(arguments: Sequence[RawValue]) -> str:
    return f"{activity.info().activity_type} {len(arguments)}"


ALL: list[Callable[..., Any]] = [
    on_thread,
    on_loop,
    asks,
    shields,
    waits,
    unasked,
    somebody_elses_failure,
    blocked_thread,
    blocked_loop,
    silent,
    patient,
    fails_after_heartbeats,
    fails_silently,
    typed_details,
    add,
    Greeter().greet,
    Greeter().greet_later,
    Stamp(),
    LaterStamp(),
    anything,
]


def worker(client: Client, task_queue: str, **options: Any) -> Worker:
    options = {"max_heartbeat_throttle_interval": SOON, **options}
    return Worker(client, task_queue=task_queue, activities=ALL, **options)


async def start(client: Client, name: str, *args: Any, task_queue: str, **options: Any) -> ActivityHandle[Any]:
    options = {"start_to_close_timeout": MINUTE, "heartbeat_timeout": MINUTE, "retry_policy": ONCE, **options}
    return await client.start_activity(name, args=args, id=f"{name} {task_queue}", task_queue=task_queue, **options)


async def result_of(handle: ActivityHandle[Any]) -> Any:
    return await asyncio.wait_for(handle.result(), LIMIT)


async def failure_of(handle: ActivityHandle[Any]) -> BaseException:
    with pytest.raises(ActivityFailureError) as raised:
        await result_of(handle)
    assert raised.value.__cause__ is not None
    return raised.value.__cause__


async def is_running(handle: ActivityHandle[Any]) -> None:
    assert await asyncio.to_thread(running[handle.id].wait, LIMIT)


async def is_told(handle: ActivityHandle[Any]) -> Any:
    async def told() -> bool:
        return bool(seen[handle.id])

    await eventually(told, what="the activity is told")
    return seen[handle.id][0]


@pytest.mark.parametrize("kind", ["on_thread", "on_loop"])
@pytest.mark.parametrize("what", ["raises", "returns", "fails", "fails as cancelled"])
async def test_what_a_cancelled_activity_does_is_its_end(client: Client, task_queue: str, kind: str, what: str) -> None:
    async with worker(client, task_queue):
        handle = await start(client, kind, what, task_queue=task_queue)
        await is_running(handle)
        await handle.cancel()
        if what == "returns":
            assert await result_of(handle) == "completed all the same"
        else:
            error = await failure_of(handle)
            if what == "fails":
                assert isinstance(error, ApplicationError)
                assert (error.type, error.message) == ("LookupError", "on the way out")
            else:
                assert isinstance(error, CancelledError)
    text, details, cancelled = seen[handle.id][0]
    assert text == ("CancelledError('Cancelled')" if kind == "on_thread" else "CancelledError('Activity cancelled')")
    assert details == ActivityCancellationDetails(cancel_requested=True)
    assert cancelled


async def reset(client: Client, handle: ActivityHandle[Any]) -> None:
    request = ResetActivityExecutionRequest(namespace="default", activity_id=handle.id)
    await client.service_client._rpc_call("reset_activity_execution", request, ResetActivityExecutionResponse)


@pytest.mark.parametrize("kind", ["on_thread", "on_loop"])
@pytest.mark.parametrize("reason", ["paused", "reset", "not_found"])
async def test_reasons_are_told(client: Client, task_queue: str, kind: str, reason: str) -> None:
    rarely = RetryPolicy(initial_interval=MINUTE)
    async with worker(client, task_queue):
        handle = await start(client, kind, "raises", task_queue=task_queue, retry_policy=rarely)
        await is_running(handle)
        match reason:
            case "paused":
                await handle.pause()
            case "reset":
                await reset(client, handle)
            case _:
                await handle.terminate()
        told = (await is_told(handle))[1]
    assert told == ActivityCancellationDetails(**{reason: True})
    with contextlib.suppress(RPCError):  # it has ended, perhaps
        await handle.terminate()


@pytest.mark.parametrize("kind", ["on_thread", "on_loop"])
async def test_the_reason_of_a_timeout(client: Client, task_queue: str, kind: str) -> None:
    async with worker(client, task_queue):
        handle = await start(client, kind, "raises", task_queue=task_queue, start_to_close_timeout=timedelta(seconds=1))
        error = await failure_of(handle)
        assert isinstance(error, TimeoutError)
        assert error.type is TimeoutType.START_TO_CLOSE
        details = (await is_told(handle))[1]
    assert details.timed_out or details.not_found


@pytest.mark.parametrize("kind", ["on_thread", "on_loop"])
async def test_the_end_of_the_worker_is_a_reason_after_the_grace(client: Client, task_queue: str, kind: str) -> None:
    async with worker(client, task_queue, graceful_shutdown_timeout=SOON) as worker_:
        handle = await start(client, kind, "raises", task_queue=task_queue)
        await is_running(handle)
        await asyncio.wait_for(worker_.shutdown(), LIMIT)
    assert seen[handle.id][0][1] == ActivityCancellationDetails(worker_shutdown=True)
    error = await failure_of(handle)
    assert isinstance(error, ApplicationError)
    assert error.type == "WorkerShutdown"


async def test_an_activity_without_exceptions_asks(client: Client, task_queue: str) -> None:
    async with worker(client, task_queue):
        handle = await start(client, "asks", task_queue=task_queue)
        await is_running(handle)
        await handle.cancel()
        assert await result_of(handle) == "done"
    assert seen[handle.id] == [ActivityCancellationDetails(cancel_requested=True)]


async def test_a_shielded_block_is_not_interrupted(client: Client, task_queue: str) -> None:
    async with worker(client, task_queue):
        handle = await start(client, "shields", task_queue=task_queue)
        await is_running(handle)
        await handle.cancel()
        assert await result_of(handle) == "tidied up"
    assert seen[handle.id] == ["done", "cancelled after the block"]


async def test_a_thread_that_waits_for_its_cancellation_gets_the_exception(client: Client, task_queue: str) -> None:
    async with worker(client, task_queue) as worker_:
        handle = await start(client, "waits", task_queue=task_queue)
        await is_running(handle)
        await asyncio.wait_for(worker_.shutdown(), LIMIT)
    assert seen[handle.id] == ["CancelledError('Cancelled')"]


@pytest.mark.parametrize("name", ["unasked", "somebody_elses_failure"])
async def test_an_activity_may_fail_with_any_failure(client: Client, task_queue: str, name: str) -> None:
    """The server takes none but application failures."""
    async with worker(client, task_queue):
        error = await failure_of(await start(client, name, task_queue=task_queue))
    assert isinstance(error, ApplicationError)
    assert error.type == ("CancelledError" if name == "unasked" else "ActivityError")
    assert error.message == ("nobody has asked" if name == "unasked" else "of another one")


# Heartbeats


async def test_automatic_heartbeats_keep_a_blocked_thread_alive(client: Client, task_queue: str) -> None:
    short = timedelta(seconds=1)
    async with worker(client, task_queue):
        silent = await start(client, "silent", task_queue=task_queue, heartbeat_timeout=short)
        alive = await start(client, "blocked_thread", task_queue=task_queue, heartbeat_timeout=short)
        error = await failure_of(silent)
        assert isinstance(error, TimeoutError)
        assert error.type is TimeoutType.HEARTBEAT
        go_on[silent.id].set()
        go_on[alive.id].set()
        assert await result_of(alive) == "went on"


async def test_automatic_heartbeats_do_not_need_the_event_loop(client: Client, task_queue: str) -> None:
    async with worker(client, task_queue):
        handle = await start(client, "blocked_loop", task_queue=task_queue, heartbeat_timeout=timedelta(seconds=1))
        assert await result_of(handle) == "went on"


async def test_automatic_heartbeats_bring_cancellations(client: Client, task_queue: str) -> None:
    async with worker(client, task_queue):
        handle = await start(client, "patient", task_queue=task_queue, heartbeat_timeout=timedelta(seconds=2))
        await is_running(handle)
        await handle.cancel()
        assert (await is_told(handle)).cancel_requested


async def test_the_last_heartbeat_before_a_failure_is_not_lost(client: Client, task_queue: str) -> None:
    again = RetryPolicy(initial_interval=timedelta(milliseconds=10))
    async with worker(client, task_queue, max_heartbeat_throttle_interval=MINUTE):
        handle = await start(client, "fails_after_heartbeats", task_queue=task_queue, retry_policy=again)
        assert await result_of(handle) == [4]


async def test_automatic_heartbeats_keep_the_details_of_earlier_attempts(client: Client, task_queue: str) -> None:
    again = RetryPolicy(initial_interval=timedelta(milliseconds=10))
    async with worker(client, task_queue):
        handle = await start(client, "fails_silently", task_queue=task_queue, retry_policy=again)
        assert await result_of(handle) == ["from the first attempt"]


async def test_details_have_the_type_that_is_asked_for(client: Client, task_queue: str) -> None:
    again = RetryPolicy(initial_interval=timedelta(milliseconds=10))
    async with worker(client, task_queue):
        handle = await start(client, "typed_details", task_queue=task_queue, retry_policy=again)
        assert await result_of(handle) == [90.0, "x", None]


# Executors


@pytest.mark.parametrize("own_threads", [True, False])
async def test_functions_methods_objects_and_dynamic_activities(
    client: Client, task_queue: str, own_threads: bool
) -> None:
    with ThreadPoolExecutor(2) as executor:
        async with worker(client, task_queue, activity_executor=None if own_threads else executor):
            calls = [("add", 1), ("greet", "Ada"), ("greet_later", "Ada"), ("stamp", "x"), ("later-stamp", "x")]
            handles = [await start(client, name, value, task_queue=task_queue) for name, value in calls]
            handles.append(await start(client, "unheard-of", 1, 2, task_queue=task_queue))
            results = [await result_of(handle) for handle in handles]
    assert results == [3, "hello Ada", "later Ada", "[x]", "[[x]]", "unheard-of 2"]


class Forgetful(Executor):
    """Takes functions and cancels them, as executors do that are shut down in a hurry."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        threading.Timer(0.01, future.cancel).start()
        return future


class Broken(Executor):
    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_exception(MemoryError("no room"))
        return future


def shut_down() -> Executor:
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    return executor


@pytest.mark.parametrize(
    ("executor", "said"),
    [(shut_down, "after shutdown"), (Forgetful, "it is shut down"), (Broken, "MemoryError: no room")],
)
async def test_an_executor_that_does_not_run_it_fails_the_activity(
    client: Client, task_queue: str, executor: Callable[[], Executor], said: str
) -> None:
    async with worker(client, task_queue, activity_executor=executor()):
        error = await failure_of(await start(client, "add", 1, task_queue=task_queue))
    assert isinstance(error, ApplicationError)
    assert error.type == "ActivityExecutorError"
    assert said in str(error)
    assert not error.non_retryable


def test_an_executor_that_is_too_small_is_warned_of(client: Client, task_queue: str) -> None:
    with ThreadPoolExecutor(3) as executor:
        with pytest.warns(
            UserWarning, match="max_concurrent_activities is 4, but activity_executor runs only 3"
        ) as said:
            worker(client, task_queue, activity_executor=executor, max_concurrent_activities=4)
        worker(client, task_queue, activity_executor=executor, max_concurrent_activities=3)
    assert len(said) == 1


def test_what_is_no_executor_is_refused(client: Client, task_queue: str) -> None:
    class InterpreterPoolExecutor(ThreadPoolExecutor):
        """Stands for that of Python 3.14."""

    with pytest.raises(TypeError, match=r"must be a concurrent\.futures\.Executor, got int"):
        worker(client, task_queue, activity_executor=4)
    with InterpreterPoolExecutor() as executor, pytest.raises(TypeError, match="InterpreterPoolExecutor"):
        worker(client, task_queue, activity_executor=executor)


class Touchy(CompositePayloadConverter, WithSerializationContext):
    """Knows nothing to do for one activity."""

    def __init__(self) -> None:
        super().__init__(*DefaultPayloadConverter.default_encoding_payload_converters)

    def with_context(self, context: SerializationContext) -> Touchy:
        if isinstance(context, ActivitySerializationContext) and context.activity_task_queue:
            raise LookupError("no key for this activity")
        return self


@pytest.mark.parametrize("name", ["add", "greet_later"])
@pytest.mark.parametrize("own_threads", [True, False])
async def test_a_converter_that_raises_for_the_context_fails_the_activity(
    client: Client, address: str, task_queue: str, name: str, own_threads: bool
) -> None:
    touchy = await Client.connect(address, data_converter=DataConverter(payload_converter_class=Touchy))
    with ThreadPoolExecutor(2) as executor:
        async with worker(touchy, task_queue, activity_executor=None if own_threads else executor):
            error = await failure_of(await start(client, name, 1, task_queue=task_queue))
    assert isinstance(error, ApplicationError)
    assert (error.type, error.message) == ("LookupError", "no key for this activity")


async def test_a_saturated_executor_runs_everything_in_the_end(client: Client, task_queue: str) -> None:
    with ThreadPoolExecutor(2) as executor:
        async with worker(client, task_queue, activity_executor=executor):
            handles = [
                await client.start_activity(
                    add,
                    args=[number],
                    id=f"{number} {task_queue}",
                    task_queue=task_queue,
                    start_to_close_timeout=MINUTE,
                )
                for number in range(30)
            ]
            assert await asyncio.gather(*map(result_of, handles)) == [number + 2 for number in range(30)]
