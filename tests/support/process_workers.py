"""Workflows and activities for workers in processes of their own, which import them from here."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from invincible import activity, workflow
from invincible.client import Client
from invincible.worker import Worker
from tests.support.conditions import eventually

logger = logging.getLogger("tests.processes")
_MINUTE = timedelta(seconds=60)
_kept: list[bytes] = []


def _append(path: str) -> None:
    with open(path, "a") as file:
        file.write("x")


@activity.defn(start_to_close_timeout=_MINUTE)
async def process_id() -> int:
    return os.getpid()


# A process that is killed says nothing of its activities: the server learns of it by the timeout.
@activity.defn(start_to_close_timeout=timedelta(seconds=3))
async def count_in_file(path: str) -> None:
    """Leave a mark for each time that this ran to its end."""
    await asyncio.sleep(0.05)
    await asyncio.to_thread(_append, path)


@activity.defn(start_to_close_timeout=_MINUTE)
async def until_file_exists(started: str, path: str) -> str:
    await asyncio.to_thread(Path(started).touch)
    await eventually(lambda: asyncio.to_thread(os.path.exists, path), what=f"{path} exists", timeout=50)
    return f"{path} exists"


@activity.defn(start_to_close_timeout=_MINUTE)
async def ignore_the_end(started: str) -> None:
    await asyncio.to_thread(Path(started).touch)
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)


@activity.defn(start_to_close_timeout=_MINUTE)
def grow(size: int) -> int:
    _kept.append(bytes([1]) * size)
    return os.getpid()


@activity.defn(start_to_close_timeout=_MINUTE)
def log_something() -> int:
    logger.info("hello from %s", "there", extra={"order": 17, "odd": sys.stdin})
    logger.debug("this is not wanted")
    try:
        raise ValueError("logged")
    except ValueError:
        logger.exception("it failed")
    return os.getpid()


@activity.defn(start_to_close_timeout=_MINUTE)
def end_this_process(how: str) -> None:
    if how == "exit":
        os._exit(7)
    os.kill(os.getpid(), getattr(signal, how))


@activity.defn(start_to_close_timeout=_MINUTE)
def count_something() -> None:
    activity.metric_meter().create_counter("things_counted").add(1)


@workflow.defn
async def process_ids(number: int) -> list[int]:
    # What the server has given to a process that is killed comes again after the timeout.
    quickly = process_id.with_options(start_to_close_timeout=timedelta(seconds=3))
    return list(await asyncio.gather(*(quickly.execute() for _ in range(number))))


@workflow.defn
async def steps(number: int) -> int:
    for _ in range(number):
        await process_id.execute()
    return number


@workflow.defn
async def wait_for_file(started: str, path: str) -> str:
    return await until_file_exists.execute(started, path)


@workflow.defn
async def stubbornness(started: str) -> None:
    await ignore_the_end.execute(started)


@workflow.defn
async def growth(size: int) -> int:
    return await grow.execute(size)


@workflow.defn
async def logging_workflow() -> int:
    return await log_something.execute()


@workflow.defn
async def counting_workflow(number: int) -> None:
    await asyncio.gather(*(count_something.execute() for _ in range(number)))


@workflow.defn
async def failing_task() -> None:
    raise KeyError("a bug in a workflow")


@workflow.defn
async def numbered_steps(number: int, path: str) -> int:
    for _ in range(number):
        await count_in_file.execute(path)
    return number


WORKFLOWS = [
    process_ids,
    steps,
    wait_for_file,
    stubbornness,
    growth,
    logging_workflow,
    counting_workflow,
    failing_task,
    numbered_steps,
]
ACTIVITIES: list[Callable[..., Any]] = [
    process_id,
    count_in_file,
    until_file_exists,
    ignore_the_end,
    grow,
    log_something,
    end_this_process,
    count_something,
]


def make_worker(client: Client, task_queue: str = "processes") -> Worker:
    return Worker(client, task_queue=task_queue, workflows=WORKFLOWS, activities=ACTIVITIES)
