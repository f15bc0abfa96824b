"""What type checkers make of activities in tests. Nothing here is run; ``test_checkers`` has the checkers read it."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from typing_extensions import assert_type

from invincible import activity
from invincible.client import Client
from invincible.testing import ActivityEnvironment, ActivityMock, ActivityMockCall, mock_activity
from invincible.worker import Worker


@dataclass
class Receipt:
    id: str


@activity.defn
async def charge(order_id: str, *, amount: int = 1) -> Receipt:
    return Receipt(order_id)


@activity.defn
def count(word: str) -> int:
    return len(word)


@activity.defn
async def tick() -> None: ...


class Shop:
    @activity.defn
    async def ship(self, order_id: str) -> str:
        return order_id

    @activity.defn
    def price(self, order_id: str) -> float:
        return 1.0


def plain(word: str) -> int:
    return len(word)


async def environments(client: Client) -> None:
    env = ActivityEnvironment(client)
    assert_type(await env.run(charge, "o-1", amount=2), Receipt)
    assert_type(env.run(count, "word"), int)
    assert_type(env.run(plain, word="word"), int)
    assert_type(await env.run(Shop().ship, "o-1"), str)
    assert_type(env.run(Shop().price, "o-1"), float)
    assert_type(env.heartbeats, list[tuple[Any, ...]])
    assert_type(env.info, activity.Info)
    env.run(count, 1)  # type: ignore[arg-type]
    env.run(count)  # type: ignore[call-arg]
    await env.run(charge, "o-1", price=2)  # type: ignore[call-arg]
    env.cancel(activity.ActivityCancellationDetails(paused=True))
    env.cancel("because")  # type: ignore[arg-type]


async def mocks(client: Client) -> None:
    charges = mock_activity(charge, returns=Receipt("r-1"))
    counts = mock_activity(count, side_effect=[1, OSError("down"), OSError])
    shipped = mock_activity(Shop.ship, returns="shipped")
    priced = mock_activity(Shop().price, side_effect=lambda order_id: 1.0)
    foreign = mock_activity("foreign", returns=1)
    assert_type(await shipped("o-1"), str)
    assert_type(await priced(order_id="o-1"), float)
    assert_type(foreign, ActivityMock[..., Any])
    assert_type(await charges("o-1", amount=1), Receipt)
    assert_type(await counts("word"), int)
    assert_type(charges.calls, list[ActivityMockCall])
    mock_activity(tick)
    mock_activity(tick, returns=None)
    mock_activity(count, raises=OSError)
    mock_activity(charge, side_effect=charge)
    charges.assert_called_once_with("o-1", amount=2)
    charges.assert_called_with(order_id="o-1")
    foreign.assert_any_call(1, "two", three=3)
    Worker(client, task_queue="test", activities=[charges, counts, shipped, priced, foreign, charge, count])

    mock_activity(charge, returns="r-1")  # type: ignore[misc]
    mock_activity(count, side_effect=["1"])  # type: ignore[list-item]
    mock_activity(count, raises="down")  # type: ignore[call-overload]
    mock_activity(plain, returns=1)  # type: ignore[call-overload]
    charges.assert_called_once_with(1)  # type: ignore[arg-type]
    shipped.assert_any_call()  # type: ignore[call-arg]
