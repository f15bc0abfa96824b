"""Activities for processes: a new process imports this module."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import time
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from invincible import activity
from invincible.common import RetryPolicy
from invincible.exceptions import ApplicationError, CancelledError

ONCE = RetryPolicy(maximum_attempts=1)
QUICKLY = RetryPolicy(initial_interval=timedelta(milliseconds=10))
MINUTE = timedelta(minutes=1)


@dataclass
class Page:
    number: int


@activity.defn(start_to_close_timeout=MINUTE, retry_policy=ONCE)
def process_id() -> int:
    return os.getpid()


@activity.defn(start_to_close_timeout=MINUTE, retry_policy=ONCE)
def everything_known() -> dict[str, Any]:
    info = activity.info()
    return {
        "activity_type": info.activity_type,
        "attempt": info.attempt,
        "heartbeat_timeout": info.heartbeat_timeout,
        "maximum_attempts": info.retry_policy.maximum_attempts if info.retry_policy is not None else None,
        "in_workflow": info.in_workflow,
        "in_activity": activity.in_activity(),
        "is_cancelled": activity.is_cancelled(),
        "is_worker_shutdown": activity.is_worker_shutdown(),
        "cancellation_details": activity.cancellation_details(),
        "converted": activity.payload_converter().to_payload(1).data.decode(),
    }


@activity.defn(start_to_close_timeout=MINUTE, heartbeat_timeout=MINUTE, retry_policy=QUICKLY)
def next_page() -> list[Any]:
    details = activity.info().heartbeat_details
    if not details:
        activity.heartbeat(Page(7), "so far")
        raise ApplicationError("once more")
    return [activity.heartbeat_details(Page), activity.heartbeat_details(str, index=1), list(details)]


@activity.defn(start_to_close_timeout=MINUTE, heartbeat_timeout=MINUTE, retry_policy=ONCE)
def heartbeats_nonsense() -> None:
    activity.heartbeat(object())


@activity.defn(start_to_close_timeout=MINUTE, heartbeat_timeout=MINUTE, retry_policy=ONCE, auto_heartbeat=True)
def stops_when_asked(mark: str) -> str:
    Path(mark).touch()
    activity.wait_for_cancelled_sync(timedelta(seconds=30))
    details = activity.cancellation_details()
    return f"{activity.is_cancelled()}, {details is not None and details.cancel_requested}"


@activity.defn(start_to_close_timeout=MINUTE, heartbeat_timeout=MINUTE, retry_policy=ONCE, auto_heartbeat=True)
def sleeps(mark: str) -> None:
    Path(mark).write_text(str(os.getpid()), encoding="utf-8")
    time.sleep(50)


@activity.defn(start_to_close_timeout=MINUTE, heartbeat_timeout=MINUTE, retry_policy=ONCE, auto_heartbeat=True)
def ignores_everything(mark: str) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Path(mark).write_text(str(os.getpid()), encoding="utf-8")
    end = time.monotonic() + 50
    while time.monotonic() < end:
        with contextlib.suppress(CancelledError):
            time.sleep(50)


@activity.defn(start_to_close_timeout=timedelta(seconds=1), retry_policy=ONCE)
def outlives_its_timeout(mark: str) -> None:
    ignores_everything(mark)


@activity.defn(start_to_close_timeout=MINUTE, retry_policy=QUICKLY)
def dies_once(how: str) -> str:
    if activity.info().attempt > 1:
        return "alive"
    if how == "exit":
        os._exit(3)
    os.kill(os.getpid(), signal.Signals[how])
    return "not reached"


@activity.defn(start_to_close_timeout=MINUTE, retry_policy=ONCE)
def dies(how: str) -> str:
    return dies_once(how)


class Hopeless(Exception):
    def __init__(self, what: str, *, why: str) -> None:
        super().__init__(f"{what}, as {why}")


@activity.defn(start_to_close_timeout=MINUTE, retry_policy=ONCE)
def fails(how: str) -> Any:
    match how:
        case "chain":
            try:
                raise KeyError("inner")
            except KeyError as error:
                raise ApplicationError("outer", 1, type="Outer", non_retryable=True) from error
        case "unpicklable":
            raise Hopeless("it is hopeless", why="it cannot be read again")
        case "broken executor":
            raise BrokenProcessPool("not the worker's")
        case "unreadable result":
            return Unreadable(1)
        case "result":
            return lambda: "functions of functions cannot be pickled"
        case _:
            activity.raise_complete_async()


@activity.defn(start_to_close_timeout=MINUTE, retry_policy=ONCE)
def logs_and_counts() -> None:
    activity.logger.warning("seen in %s", "a process", extra={"page": 7})
    logging.getLogger("elsewhere").info("not interesting")
    meter = activity.metric_meter()
    meter.create_counter("pages", "Pages", "1").add(2, {"kind": "odd"})
    meter.create_histogram_timedelta("page_time").record(timedelta(seconds=2))
    meter.create_gauge_float("page_load").set(0.5)


@activity.defn(start_to_close_timeout=MINUTE, retry_policy=ONCE)
def logs_an_error_of_its_own() -> None:
    activity.logger.warning("something is wrong", extra={"error": Hopeless("it is hopeless", why="it is unreadable")})


class Unreadable(int):
    """A number that can be sent but not be received."""

    def __reduce__(self) -> tuple[Any, ...]:
        return lose, ()


def lose() -> None:
    raise LookupError("lost")


@activity.defn(start_to_close_timeout=MINUTE, heartbeat_timeout=MINUTE, retry_policy=ONCE)
def heartbeats_what_cannot_be_read() -> str:
    activity.heartbeat(Unreadable(1))
    return "went on"


@activity.defn(start_to_close_timeout=MINUTE, heartbeat_timeout=MINUTE, retry_policy=ONCE, auto_heartbeat=True)
def waits_on_own_loop(mark: str) -> str:
    Path(mark).touch()

    async def waits() -> str:
        await asyncio.wait_for(activity.wait_for_cancelled(), 40)
        return "asked to stop"

    return asyncio.run(waits())


class Printer:
    def __init__(self, name: str) -> None:
        self.name = name

    @activity.defn(start_to_close_timeout=MINUTE, retry_policy=ONCE)
    def print(self, text: str, *, copies: int = 1) -> str:
        return f"{self.name}: {text * copies} {os.getpid()}"


class Stamp:
    @activity.defn(name="stamp", start_to_close_timeout=MINUTE, retry_policy=ONCE)
    def __call__(self, text: str) -> str:
        return f"[{text}] {os.getpid()}"


@activity.defn(dynamic=True)
def anything(arguments: Any) -> str:
    values = [activity.payload_converter().from_payload(argument.payload) for argument in arguments]
    return f"{activity.info().activity_type}{values} {os.getpid()}"


def no_initializer() -> None:
    raise LookupError("nothing to begin with")
