"""What type checkers make of standalone activities. Nothing here is run; ``test_checkers`` has the checkers read it."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from typing_extensions import assert_type

from invincible import activity
from invincible.client import (
    ActivityExecution,
    ActivityExecutionOptions,
    ActivityHandle,
    ActivityOptionsKeys,
    ActivityOptionsUpdate,
    AsyncActivityHandle,
    Client,
)

MINUTE = timedelta(minutes=1)


@dataclass
class Order:
    id: str


@dataclass
class Receipt:
    total: int


@activity.defn
async def charge(order: Order) -> Receipt:
    return Receipt(1)


@activity.defn
def count(order: Order) -> int:
    return 1


@activity.defn
async def ping() -> str:
    return ""


@activity.defn
def tick() -> float:
    return 1.0


@activity.defn
async def add(a: int, b: int) -> int:
    return a + b


@activity.defn
async def notify(text: str) -> None:
    assert_type(activity.client(), Client)


@activity.defn
async def hand_over() -> str:
    activity.raise_complete_async()


class Till:
    @activity.defn
    async def price(self, order: Order) -> Receipt:
        return Receipt(1)

    @activity.defn
    def balance(self) -> int:
        return 1

    @activity.defn
    async def move(self, a: int, b: int) -> bool:
        return True


@activity.defn
class Greeter:
    async def __call__(self, name: str) -> str:
        return name


@activity.defn
class Clock:
    def __call__(self) -> float:
        return 1.0


async def starts(client: Client) -> None:
    handle = await client.start_activity(charge, Order("1"), id="1", task_queue="q", start_to_close_timeout=MINUTE)
    assert_type(handle, ActivityHandle[Receipt])
    assert_type(await handle.result(), Receipt)
    assert_type(await client.start_activity(ping, id="1", task_queue="q"), ActivityHandle[str])
    assert_type(await client.start_activity(tick, id="1", task_queue="q"), ActivityHandle[float])
    assert_type(await client.start_activity(count, Order("1"), id="1", task_queue="q"), ActivityHandle[int])
    assert_type(await client.start_activity(add, args=[1, 2], id="1", task_queue="q"), ActivityHandle[int])
    assert_type(await client.start_activity("charge", Order("1"), id="1", task_queue="q"), ActivityHandle[Any])
    assert_type(
        await client.start_activity("charge", Order("1"), id="1", task_queue="q", result_type=Receipt),
        ActivityHandle[Receipt],
    )
    assert_type(await client.start_activity(Till().price, Order("1"), id="1", task_queue="q"), ActivityHandle[Receipt])
    assert_type(
        await client.start_activity_method(Till.price, Order("1"), id="1", task_queue="q"), ActivityHandle[Receipt]
    )
    assert_type(await client.start_activity_method(Till.balance, id="1", task_queue="q"), ActivityHandle[int])
    assert_type(
        await client.start_activity_method(Till.move, args=[1, 2], id="1", task_queue="q"), ActivityHandle[bool]
    )
    assert_type(await client.start_activity_class(Greeter, "Ada", id="1", task_queue="q"), ActivityHandle[str])
    assert_type(await client.start_activity_class(Clock, id="1", task_queue="q"), ActivityHandle[float])

    await client.start_activity(charge, "1", id="1", task_queue="q")  # type: ignore[arg-type]
    await client.start_activity(ping, task_queue="q")  # type: ignore[call-overload]
    await client.start_activity(ping, id="1")  # type: ignore[call-overload]
    await client.start_activity(ping, id="1", task_queue="q", heartbeat_timeout=5)  # type: ignore[call-overload]
    await client.start_activity(ping, id="1", task_queue="q", cancellation_type=0)  # type: ignore[call-overload]
    await client.start_activity_method(Till.price, 1, id="1", task_queue="q")  # type: ignore[misc]
    await client.start_activity_class(Greeter, 1, id="1", task_queue="q")  # type: ignore[misc]


async def executes(client: Client) -> None:
    assert_type(await client.execute_activity(charge, Order("1"), id="1", task_queue="q"), Receipt)
    assert_type(await client.execute_activity(notify, "hello", id="1", task_queue="q"), None)
    assert_type(await client.execute_activity(hand_over, id="1", task_queue="q"), str)
    assert_type(await client.execute_activity(count, Order("1"), id="1", task_queue="q"), int)
    assert_type(await client.execute_activity("charge", id="1", task_queue="q"), Any)
    assert_type(await client.execute_activity("charge", id="1", task_queue="q", result_type=Receipt), Receipt)
    assert_type(await client.execute_activity_method(Till.price, Order("1"), id="1", task_queue="q"), Receipt)
    assert_type(await client.execute_activity_class(Greeter, "Ada", id="1", task_queue="q"), str)

    await client.execute_activity(count, 1, id="1", task_queue="q")  # type: ignore[arg-type]


async def handles(client: Client) -> None:
    handle = client.get_activity_handle("1", result_type=Receipt)
    assert_type(handle, ActivityHandle[Any])
    assert_type(
        ActivityOptionsKeys.heartbeat_timeout.value_set(MINUTE),
        ActivityOptionsUpdate[timedelta],
    )
    assert_type(
        await handle.update_options(
            [ActivityOptionsKeys.heartbeat_timeout.value_unset(), ActivityOptionsKeys.task_queue.value_set("q")]
        ),
        ActivityExecutionOptions,
    )
    ActivityOptionsKeys.heartbeat_timeout.value_set("5")  # type: ignore[arg-type]
    async for each in client.list_activities(""):
        assert_type(each, ActivityExecution)


def outside(client: Client) -> None:
    assert_type(client.get_async_activity_handle(activity_id="a"), AsyncActivityHandle)
    assert_type(client.get_async_activity_handle(task_token=b"t"), AsyncActivityHandle)
    client.get_async_activity_handle(workflow_id="w", run_id=None, activity_id="a")

    client.get_async_activity_handle()  # type: ignore[call-overload]
    client.get_async_activity_handle(task_token="t")  # type: ignore[call-overload]
    client.get_async_activity_handle(workflow_id="w", activity_id="a")  # type: ignore[call-overload]
    client.get_async_activity_handle(activity_id="a", task_token=b"t")  # type: ignore[call-overload]
