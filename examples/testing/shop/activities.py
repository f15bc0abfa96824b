"""What the workflows have done for them: calls of other systems, of which print() stands for all here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from invincible import activity
from invincible.common import RetryPolicy


@dataclass
class Order:
    id: str
    customer: str
    items: list[str]


@activity.defn(start_to_close_timeout=timedelta(seconds=30))
async def price(items: Sequence[str]) -> int:
    """What the items cost, in cents."""
    return 1000 * len(items)


@activity.defn(start_to_close_timeout=timedelta(seconds=30), retry_policy=RetryPolicy(maximum_attempts=3))
async def charge(customer: str, cents: int) -> str:
    """Take the money; returns the receipt."""
    print(f"{customer} pays {cents / 100:.2f}")
    return f"receipt-{customer}-{cents}"


@activity.defn(start_to_close_timeout=timedelta(seconds=30))
async def remind(customer: str, order_id: str) -> None:
    """Ask for the money once more."""
    print(f"Dear {customer}, please pay for {order_id}")


@activity.defn(start_to_close_timeout=timedelta(hours=1), heartbeat_timeout=timedelta(minutes=1))
def pack(items: Sequence[str]) -> int:
    """Put the items into a box; begins where an earlier attempt has stopped. Returns how many there are."""
    packed = activity.heartbeat_details(int) or 0
    for item in items[packed:]:
        print(f"packing {item}")
        packed += 1
        activity.heartbeat(packed)
    return packed
