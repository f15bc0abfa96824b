"""What activities find in an ``ActivityEnvironment``, by ``python -m tests.parity.activity_environment PACKAGE FILE``.

Run once with ``temporalio`` and once with ``invincible``, each in its own environment, it writes what must be the same.
"""

from __future__ import annotations

import asyncio
import contextvars
import dataclasses
import functools
import importlib
import inspect
import json
import logging
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

PACKAGE, OUTPUT = sys.argv[1:3]

if TYPE_CHECKING:
    from invincible import activity, exceptions, testing
else:
    activity = importlib.import_module(f"{PACKAGE}.activity")
    exceptions = importlib.import_module(f"{PACKAGE}.exceptions")
    testing = importlib.import_module(f"{PACKAGE}.testing")

LIMIT = 20.0
PAUSED = activity.ActivityCancellationDetails(paused=True)
variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="default")


@activity.defn(name="another_name")
async def on_loop(name: str, mark: str = "!") -> list[Any]:
    return [name + mark, activity.in_activity(), activity.info().activity_type]


@activity.defn
def on_thread(name: str, mark: str = "!") -> list[Any]:
    return [name + mark, activity.in_activity(), threading.current_thread() is threading.main_thread()]


def undecorated(name: str) -> list[Any]:
    return [name, activity.info().workflow_id]


class Store:
    @activity.defn
    async def method(self, name: str) -> str:
        return f"{name} {activity.info().attempt}"


@activity.defn(name="object")
class Callables:
    async def __call__(self, name: str) -> str:
        return f"{name} {activity.info().attempt}"


def environment(client: Any = None, **info: Any) -> testing.ActivityEnvironment:
    made = testing.ActivityEnvironment(client)
    made.info = dataclasses.replace(made.info, **info)
    return made


async def result(call: Callable[[], Any]) -> Any:
    """What a call returns, or its exception."""
    try:
        returned = call()
        return plain(await asyncio.wait_for(returned, LIMIT) if inspect.isawaitable(returned) else returned)
    except (Exception, asyncio.CancelledError, exceptions.CancelledError) as error:
        return plain(error)


def plain(value: Any) -> Any:
    if isinstance(value, BaseException):
        module = type(value).__module__.partition(".")[0].replace(PACKAGE, "package")
        return f"{module} {type(value).__name__}"
    if dataclasses.is_dataclass(value):
        return {name: plain(each) for name, each in vars(value).items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


async def runs() -> dict[str, Any]:
    env = environment()
    return {
        "async": await result(lambda: env.run(on_loop, "a", mark="?")),
        "sync": await result(lambda: env.run(on_thread, "a", mark="?")),
        "undecorated": await result(lambda: env.run(undecorated, "a")),
        "method": await result(lambda: env.run(Store().method, "a")),
        "object": await result(lambda: env.run(Callables(), "a")),
        "partial": await result(lambda: env.run(functools.partial(on_loop, "a"))),
        "lambda": await result(lambda: env.run(lambda: undecorated("a"))),
        "missing argument": await result(lambda: env.run(on_loop)),  # type: ignore[call-arg]
        "on another thread": await result(lambda: asyncio.to_thread(env.run, on_thread, "a")),
        "nested": await result(lambda: env.run(nested)),
        "sync result is no awaitable": not inspect.isawaitable(env.run(on_thread, "a")),
    }


async def nested() -> Any:
    inner = await environment(activity_id="inner").run(undecorated_id)
    return [inner, undecorated_id_sync()]


async def undecorated_id() -> str:
    return activity.info().activity_id


def undecorated_id_sync() -> str:
    return activity.info().activity_id


async def info() -> dict[str, Any]:
    env = environment(attempt=3, heartbeat_details=[1, "two"], workflow_id=None)

    async def asks() -> list[Any]:
        return [activity.info() is env.info, activity.info().in_workflow, activity.info().heartbeat_details]

    async def converts() -> list[Any]:
        meter = activity.metric_meter()
        meter.create_counter("counter").add(1)
        return [activity.payload_converter() is env.payload_converter, meter is env.metric_meter]

    return {
        "default": plain(testing.ActivityEnvironment.default_info()),
        "replaced": await result(lambda: env.run(asks)),
        "converter and meter": await result(lambda: env.run(converts)),
        "logged": await logged(env),
    }


class Records(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(record)


async def logged(env: testing.ActivityEnvironment) -> Any:
    records = Records()
    base = activity.logger.base_logger
    base.setLevel(logging.INFO)
    base.addHandler(records)

    async def logs() -> None:
        activity.logger.info("message")

    await env.run(logs)
    base.removeHandler(records)
    return [vars(record)["temporal_activity"] for record in records.seen]


async def heartbeats() -> dict[str, Any]:
    beats: list[Any] = []
    env = environment()
    env.on_heartbeat = lambda *details: beats.append(details)

    async def asynchronous() -> None:
        activity.heartbeat(1, "two")
        activity.heartbeat()

    def synchronous() -> None:
        activity.heartbeat(3)

    await env.run(asynchronous)
    env.run(synchronous)
    stops = environment()
    stops.on_heartbeat = lambda count: stops.cancel() if count == 3 else None
    counts: list[int] = []

    def counted() -> None:
        for count in range(10):
            counts.append(count)
            activity.heartbeat(count)

    async def counted_async() -> None:
        for count in range(10):
            counts.append(count)
            activity.heartbeat(count)
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    def refuses(*details: Any) -> None:
        raise LookupError("refused")

    cancelled = await result(lambda: stops.run(counted))
    stops = environment()
    stops.on_heartbeat = lambda count: stops.cancel() if count == 3 else None
    cancelled_async = await result(lambda: stops.run(counted_async))
    env.on_heartbeat = refuses
    raised = await result(lambda: env.run(synchronous))
    return {"beats": plain(beats), "cancelled in it": [cancelled, cancelled_async, counts], "raised": raised}


async def cancellations() -> dict[str, Any]:
    async def waits() -> list[Any]:
        try:
            await asyncio.sleep(LIMIT)
        except asyncio.CancelledError:
            return [activity.is_cancelled(), plain(activity.cancellation_details())]
        return ["not cancelled"]

    async def does_not_care() -> str:
        for _ in range(3):
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                continue
        return "went on"

    async def lets_it() -> None:
        await asyncio.sleep(LIMIT)

    async def told() -> str:
        try:
            await activity.wait_for_cancelled()
        except asyncio.CancelledError:
            return "raised"
        return "told"

    async def cancelled(fn: Callable[[], Any], *details: Any) -> Any:
        env = environment()
        running = asyncio.ensure_future(env.run(fn))
        for _ in range(3):
            await asyncio.sleep(0)
        env.cancel(*details)
        env.cancel(activity.ActivityCancellationDetails(timed_out=True))
        return await result(lambda: running)

    early = environment()
    early.cancel()
    return {
        "async": await cancelled(waits),
        "details": await cancelled(waits, PAUSED),
        "raises": await cancelled(lets_it),
        "ignored": await cancelled(does_not_care),
        "waited for": await cancelled(told),
        "before it waits": await result(lambda: early.run(lets_it)),
        "before, sync": await result(lambda: early.run(finds)),
        "before, shielded": await result(lambda: early.run(shielded)),
        "thread": await result(lambda: in_thread(interrupted)),
        "thread, no exception": await result(lambda: in_thread(undisturbed)),
        "thread, undecorated": await result(lambda: in_thread(interrupted_undecorated)),
        "thread, shielded": await result(lambda: in_thread(shielded_until_told)),
    }


def finds() -> list[Any]:
    return [activity.is_cancelled(), plain(activity.cancellation_details())]


def shielded() -> str:
    with activity.shield_thread_cancel_exception():
        pass
    return "went on"


began = threading.Event()


def spin() -> str:
    began.set()
    never = threading.Event()
    for _ in range(2000):
        never.wait(0.01)
    return "not interrupted"


@activity.defn
def interrupted() -> Any:
    try:
        return spin()
    except exceptions.CancelledError:
        return finds()


def interrupted_undecorated() -> Any:
    return spin()


@activity.defn(no_thread_cancel_exception=True)
def undisturbed() -> Any:
    began.set()
    activity.wait_for_cancelled_sync(LIMIT)
    return finds()


@activity.defn
def shielded_until_told() -> Any:
    inside: list[Any] = []
    try:
        with activity.shield_thread_cancel_exception():
            began.set()
            activity.wait_for_cancelled_sync(LIMIT)
            inside = finds()
    except exceptions.CancelledError:
        return ["raised after", inside]
    return "not raised"


async def in_thread(fn: Callable[[], Any]) -> Any:
    """The result of an activity on another thread, cancelled once it has begun."""
    env = environment()
    began.clear()
    running = asyncio.ensure_future(asyncio.to_thread(env.run, fn))
    await asyncio.to_thread(began.wait, LIMIT)
    env.cancel()
    return await running


async def others() -> dict[str, Any]:
    async def client() -> Any:
        return activity.client()

    def sync_client() -> Any:
        return activity.client()

    async def shut_down() -> list[bool]:
        before = activity.is_worker_shutdown()
        await activity.wait_for_worker_shutdown()
        return [before, activity.is_worker_shutdown(), activity.is_cancelled()]

    async def raises() -> None:
        raise exceptions.ApplicationError("message", type="Type")

    async def sets() -> None:
        variable.set("of the activity")

    env = environment()
    running = asyncio.ensure_future(env.run(shut_down))
    await asyncio.sleep(0)
    env.worker_shutdown()
    env.worker_shutdown()
    with_client: Any = "a client"
    await env.run(sets)
    return {
        "shutdown": await result(lambda: running),
        "begun after shutdown": await result(lambda: env.run(shut_down)),
        "no client": await result(lambda: env.run(client)),
        "client": await result(lambda: environment(with_client).run(client)),
        "client in a thread": await result(lambda: environment(with_client).run(sync_client)),
        "raises": await result(lambda: env.run(raises)),
        "context variable": variable.get(),
        "outside": activity.in_activity(),
    }


async def main() -> str:
    seen = [await part() for part in (runs, info, heartbeats, cancellations, others)]
    return json.dumps(seen, indent=1)


if __name__ == "__main__":
    Path(OUTPUT).write_text(asyncio.run(main()), encoding="utf-8")
