"""Activities to be started by clients, and a worker that has them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from invincible import activity
from invincible.client import (
    ActivityFailureError,
    ActivityHandle,
    Client,
    PendingActivityState,
)
from invincible.common import (
    RetryPolicy,
)
from invincible.exceptions import (
    ApplicationError,
)
from invincible.worker import Worker
from tests.support.conditions import eventually

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
SOON = timedelta(milliseconds=10)


@dataclass
class Order:
    item: str
    count: int = 1


@activity.defn(start_to_close_timeout=MINUTE)
async def describe_order(order: Order, shout: bool = False) -> str:
    text = f"{order.count} {order.item}"
    return text.upper() if shout else text


@activity.defn(start_to_close_timeout=MINUTE)
def double(number: int) -> int:
    return 2 * number


@activity.defn(start_to_close_timeout=MINUTE)
async def nothing() -> None: ...


class Till:
    def __init__(self, currency: str) -> None:
        self.currency = currency

    @activity.defn(start_to_close_timeout=MINUTE)
    async def price(self, order: Order) -> str:
        return f"{order.count} {self.currency}"


@activity.defn(start_to_close_timeout=MINUTE)
class Greeter:
    async def __call__(self, name: str) -> str:
        return f"Hello, {name}"


@activity.defn(start_to_close_timeout=MINUTE, heartbeat_timeout=10 * SECOND, retry_policy=RetryPolicy(SOON))
async def show_info() -> dict[str, Any]:
    info = activity.info()
    return {
        "activity_id": info.activity_id,
        "activity_run_id": info.activity_run_id,
        "activity_type": info.activity_type,
        "attempt": info.attempt,
        "heartbeat_details": info.heartbeat_details,
        "heartbeat_timeout": info.heartbeat_timeout and info.heartbeat_timeout.total_seconds(),
        "in_workflow": info.in_workflow,
        "is_local": info.is_local,
        "namespace": info.namespace,
        "priority_key": info.priority.priority_key,
        "retry_interval": info.retry_policy and info.retry_policy.initial_interval.total_seconds(),
        "schedule_to_close_timeout": info.schedule_to_close_timeout,
        "start_to_close_timeout": info.start_to_close_timeout and info.start_to_close_timeout.total_seconds(),
        "task_queue": info.task_queue,
        "workflow_id": info.workflow_id,
        "workflow_namespace": info.workflow_namespace,
        "workflow_run_id": info.workflow_run_id,
        "workflow_type": info.workflow_type,
        "age": (info.started_time - info.scheduled_time).total_seconds(),
    }


@activity.defn(start_to_close_timeout=MINUTE, retry_policy=RetryPolicy(SOON))
async def third_time_lucky() -> list[Any]:
    attempt = activity.info().attempt
    if attempt < 3:
        activity.heartbeat(f"attempt {attempt}")
        raise ValueError(f"attempt {attempt} failed")
    return [attempt, *activity.info().heartbeat_details]


@activity.defn(start_to_close_timeout=MINUTE)
async def refuse(reason: str) -> None:
    activity.logger.info("about to refuse")
    raise ApplicationError(reason, "detail", type="Refused", non_retryable=True)


# What activities that wait have been told, by activity id.
reports: dict[str, list[activity.ActivityCancellationDetails | None]] = {}


@activity.defn(start_to_close_timeout=MINUTE, heartbeat_timeout=10 * SECOND, retry_policy=RetryPolicy(SOON))
async def wait_to_be_stopped(finish_on_attempt: int = 0) -> int:
    info = activity.info()
    told = reports.setdefault(info.activity_id, [])
    if info.attempt == finish_on_attempt:
        return info.attempt
    try:
        while True:
            activity.heartbeat(f"attempt {info.attempt}")
            await asyncio.sleep(0.02)
    except asyncio.CancelledError:
        told.append(activity.cancellation_details())
        raise


@activity.defn(start_to_close_timeout=MINUTE, heartbeat_timeout=10 * SECOND, no_thread_cancel_exception=True)
def wait_on_a_thread() -> str:
    while not activity.is_cancelled():
        activity.heartbeat()
        activity.wait_for_cancelled_sync(0.02)
    return str(activity.cancellation_details())


ACTIVITIES: list[Callable[..., Any]] = [
    describe_order,
    double,
    nothing,
    Till("EUR").price,
    Greeter(),
    show_info,
    third_time_lucky,
    refuse,
    wait_to_be_stopped,
    wait_on_a_thread,
]


@asynccontextmanager
async def worker(client: Client, task_queue: str) -> AsyncIterator[None]:
    async with Worker(
        client,
        task_queue=task_queue,
        activities=ACTIVITIES,
        max_heartbeat_throttle_interval=2 * SOON,
        default_heartbeat_throttle_interval=2 * SOON,
    ):
        yield


async def started(handle: ActivityHandle[Any]) -> None:
    """Wait until a worker runs it, and a heartbeat has come."""

    async def is_started() -> bool:
        description = await handle.describe()
        return description.run_state is PendingActivityState.STARTED and description.total_heartbeat_count > 0

    await eventually(is_started, what="the activity runs")


async def failure(handle: ActivityHandle[Any]) -> BaseException:
    with pytest.raises(ActivityFailureError) as error:
        await asyncio.wait_for(handle.result(), 30)
    return error.value.cause
