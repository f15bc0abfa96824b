"""What type checkers make of activities. Nothing here is run; ``test_checkers`` has the checkers read it."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from typing_extensions import assert_type

from invincible import activity, workflow
from invincible.common import RetryPolicy
from invincible.workflow import ActivityHandle

SOON = timedelta(seconds=1)


@dataclass
class Order:
    id: str


@activity.defn
async def greet(name: str, *, greeting: str = "Hello") -> str:
    return f"{greeting}, {name}"


@activity.defn(name="add-up", start_to_close_timeout=SOON)
def add(a: int, b: int = 0) -> int:
    return a + b


@activity.defn
async def tick() -> None: ...


@activity.defn
def count() -> int:
    return 1


class Shop:
    @activity.defn
    async def ship(self, order: Order, gift: bool = False) -> str:
        return order.id

    @activity.defn(start_to_close_timeout=SOON)
    def price(self, order: Order) -> float:
        return 1.0

    @activity.defn
    async def close(self) -> None: ...


class Greeter:
    @activity.defn
    async def __call__(self, name: str) -> str:
        return name


class Counter:
    @activity.defn
    def __call__(self) -> int:
        return 1


@activity.defn
class Decorated:
    async def __call__(self, name: str) -> str:
        return name


async def functions_stay_functions() -> None:
    assert_type(await greet("Ada", greeting="Hi"), str)
    assert_type(add(1), int)
    assert_type(await Shop().ship(Order("1"), gift=True), str)
    assert_type(Shop.price(Shop(), Order("1")), float)
    assert_type(await Greeter()("Ada"), str)
    assert_type(Decorated(), Decorated)

    await greet(1)  # type: ignore[arg-type]
    add("1")  # type: ignore[arg-type]
    await Shop().ship("1")  # type: ignore[arg-type]


async def typed_calls() -> None:
    assert_type(greet.start("Ada", greeting="Hi"), ActivityHandle[str])
    assert_type(await greet.start("Ada"), str)
    assert_type(await greet.execute("Ada"), str)
    assert_type(await add.execute(1, b=2), int)
    assert_type(await tick.execute(), None)
    assert_type(add.start_local(1), ActivityHandle[int])
    assert_type(await greet.execute_local("Ada", greeting="Hi"), str)
    hurried = greet.with_options(start_to_close_timeout=SOON, retry_policy=RetryPolicy(maximum_attempts=2))
    assert_type(await hurried.execute("Ada", greeting="Hi"), str)
    assert_type(await hurried.with_options(summary="hurry").execute_local("Ada"), str)

    greet.start(1)  # type: ignore[arg-type]
    greet.start()  # type: ignore[call-arg]
    greet.start("Ada", gretting="Hi")  # type: ignore[call-arg]
    greet.start_local("Ada", "Hi")  # type: ignore[call-arg]
    await add.execute("1")  # type: ignore[arg-type]
    await tick.execute_local(1)  # type: ignore[call-arg]
    await hurried.execute(b"Ada")  # type: ignore[arg-type]
    greet.with_options(start_to_close_timeout=1)  # type: ignore[arg-type]
    greet.with_options(start_to_close=SOON)  # type: ignore[call-arg]


async def typed_calls_of_methods() -> None:
    assert_type(await Shop.ship.execute(Order("1"), gift=True), str)
    assert_type(Shop.price.start_local(Order("1")), ActivityHandle[float])
    assert_type(await Shop().ship.execute(Order("1")), str)
    assert_type(await Shop.close.with_options(summary="night").execute(), None)

    Shop.ship.start("1")  # type: ignore[arg-type]
    Shop.ship.start(Shop(), Order("1"))  # type: ignore[arg-type]
    Shop.price.start()  # type: ignore[call-arg]


async def options_of_any_type(options: dict[str, Any]) -> None:
    # What a checker learns from one call must not be held against the next ones.
    workflow.start_activity(tick, **options)
    assert_type(await workflow.execute_activity(greet, "Ada"), str)
    assert_type(await workflow.execute_activity(add, 1), int)


async def calls_by_function() -> None:
    assert_type(await workflow.execute_activity(greet, "Ada", start_to_close_timeout=SOON), str)
    assert_type(await workflow.execute_activity(greet, args=["Ada", "Hi"], start_to_close_timeout=SOON), str)
    assert_type(await workflow.execute_activity(add, 1), int)
    assert_type(await workflow.execute_activity(add, args=[1, 2], summary="sum"), int)
    assert_type(await workflow.execute_activity(tick, heartbeat_timeout=SOON), None)
    assert_type(await workflow.execute_activity(count), int)
    assert_type(workflow.start_activity(greet, "Ada", task_queue="elsewhere"), ActivityHandle[str])
    assert_type(workflow.start_activity(count), ActivityHandle[int])
    assert_type(await workflow.execute_activity(Shop().ship, Order("1")), str)
    assert_type(await workflow.execute_activity(Greeter(), "Ada"), str)
    assert_type(workflow.start_activity(Counter()), ActivityHandle[int])

    await workflow.execute_activity(greet)  # type: ignore[arg-type]
    await workflow.execute_activity(greet, 1)  # type: ignore[arg-type]
    await workflow.execute_activity(tick, 1)  # type: ignore[arg-type]
    await workflow.execute_activity(add, "1")  # type: ignore[arg-type]
    await workflow.execute_activity(greet, "Ada", start_to_close_timeout=1)  # type: ignore[call-overload]
    await workflow.execute_activity(greet, "Ada", start_to_close=SOON)  # type: ignore[call-overload]
    await workflow.execute_activity(greet, "Ada", local_retry_threshold=SOON)  # type: ignore[call-overload]
    workflow.start_activity(count, 1)  # type: ignore[arg-type]
    workflow.start_activity(Counter(), 1)  # type: ignore[arg-type]


async def calls_by_name() -> None:
    assert_type(await workflow.execute_activity("greet", "Ada", start_to_close_timeout=SOON), Any)
    assert_type(await workflow.execute_activity("greet", "Ada", result_type=str), str)
    assert_type(await workflow.execute_activity("list", args=[1, 2], result_type=list[int]), list[int])
    assert_type(workflow.start_activity("greet", "Ada", result_type=str), ActivityHandle[str])
    assert_type(workflow.start_local_activity("greet", "Ada"), ActivityHandle[Any])
    assert_type(await workflow.execute_local_activity("greet", "Ada", result_type=str), str)

    workflow.start_activity("greet", "Ada", result_type="str")  # type: ignore[call-overload]
    workflow.start_activity("greet", "Ada", "Hi")  # type: ignore[call-overload]


async def calls_by_method() -> None:
    assert_type(await workflow.execute_activity_method(Shop.ship, Order("1")), str)
    assert_type(await workflow.execute_activity_method(Shop.ship, args=[Order("1"), True]), str)
    assert_type(await workflow.execute_activity_method(Shop.price, Order("1"), summary="price"), float)
    assert_type(await workflow.execute_activity_method(Shop.price, args=[Order("1")]), float)
    assert_type(workflow.start_activity_method(Shop.close), ActivityHandle[None])
    assert_type(workflow.start_local_activity_method(Shop.price, Order("1")), ActivityHandle[float])
    assert_type(await workflow.execute_local_activity_method(Shop.ship, Order("1")), str)

    await workflow.execute_activity_method(Shop.ship, "1")  # type: ignore[misc]
    await workflow.execute_activity_method(Shop.ship)  # type: ignore[arg-type]
    workflow.start_local_activity_method(Shop.close, 1)  # type: ignore[arg-type]


async def calls_by_class() -> None:
    assert_type(await workflow.execute_activity_class(Greeter, "Ada", start_to_close_timeout=SOON), str)
    assert_type(await workflow.execute_activity_class(Greeter, args=["Ada"]), str)
    assert_type(await workflow.execute_activity_class(Decorated, "Ada"), str)
    assert_type(await workflow.execute_activity_class(Decorated, args=["Ada"]), str)
    assert_type(workflow.start_activity_class(Counter), ActivityHandle[int])
    assert_type(workflow.start_activity_class(Counter, args=[]), ActivityHandle[int])
    assert_type(workflow.start_local_activity_class(Greeter, "Ada"), ActivityHandle[str])
    assert_type(await workflow.execute_local_activity_class(Counter), int)

    await workflow.execute_activity_class(Greeter, 1)  # type: ignore[misc]
    await workflow.execute_activity_class(Greeter)  # type: ignore[arg-type]
    workflow.start_local_activity_class(Counter, 1)  # type: ignore[arg-type]


async def local_calls() -> None:
    assert_type(await workflow.execute_local_activity(greet, "Ada", local_retry_threshold=SOON), str)
    assert_type(await workflow.execute_local_activity(add, args=[1, 2]), int)
    assert_type(await workflow.execute_local_activity(tick), None)
    assert_type(workflow.start_local_activity(count), ActivityHandle[int])
    assert_type(workflow.start_local_activity(greet, "Ada"), ActivityHandle[str])

    await workflow.execute_local_activity(greet, 1)  # type: ignore[arg-type]
    workflow.start_local_activity(greet, "Ada", task_queue="elsewhere")  # type: ignore[call-overload]
    workflow.start_local_activity(greet, "Ada", heartbeat_timeout=SOON)  # type: ignore[call-overload]


@activity.defn(auto_heartbeat=True, heartbeat_timeout=SOON)
def long(order: Order) -> str:
    assert_type(activity.heartbeat_details(Order), Order | None)
    assert_type(activity.heartbeat_details(int, index=1), int | None)
    with activity.shield_thread_cancel_exception():
        return order.id
