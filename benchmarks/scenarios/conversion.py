"""Prints, as JSON, how many microseconds of CPU conversion needs, per case: the median of many rounds.

Typed values of the default converter, models of the pydantic converter, and the small values that most arguments are.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from time import process_time_ns
from typing import Any

import pydantic

from invincible.contrib.pydantic import pydantic_data_converter
from invincible.converter import DataConverter

ROUNDS = 31
LEAST_SECONDS = 0.004


@dataclass
class Item:
    sku: str
    quantity: int
    price: float = 1.0
    tags: list[str] | None = None


@dataclass
class Order:
    id: str
    placed: datetime
    items: list[Item] = field(default_factory=list)


@dataclass
class Refund:
    order: Order
    reason: str


class ItemModel(pydantic.BaseModel):
    sku: str
    quantity: int
    price: float = 1.0
    tags: list[str] | None = None


class OrderModel(pydantic.BaseModel):
    id: str
    placed: datetime
    items: list[ItemModel] = []


PLACED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
ORDER = Order("order-1", PLACED, [Item(f"sku-{number}", number, 9.5, ["new"]) for number in range(20)])
MODEL = OrderModel(
    id="order-1",
    placed=PLACED,
    items=[ItemModel(sku=f"sku-{number}", quantity=number, price=9.5, tags=["new"]) for number in range(20)],
)

DEFAULT = DataConverter.default
CASES: dict[str, tuple[DataConverter, list[Any], list[Any] | None]] = {
    "dataclass with 20 nested": (DEFAULT, [ORDER], [Order]),
    "union of dataclasses, last": (DEFAULT, [ORDER], [Refund | Item | Order]),
    "pydantic model with 20 nested": (pydantic_data_converter, [MODEL], [OrderModel]),
    "the same, default converter": (DEFAULT, [MODEL], [OrderModel]),
    "list of 1,000 numbers": (DEFAULT, [list(range(1000))], [list[int]]),
    "untyped object, 20 nested": (DEFAULT, [{"items": [vars(item) for item in ORDER.items]}], None),
    "small dataclass": (DEFAULT, [ORDER.items[0]], [Item]),
    "small object": (DEFAULT, [{"id": "order-1", "count": 3}], [dict[str, Any]]),
    "text": (DEFAULT, ["hello"], [str]),
    "number": (DEFAULT, [5], [int]),
    "nothing": (DEFAULT, [None], [type(None)]),
    "bytes": (DEFAULT, [b"hello"], [bytes]),
    "three arguments": (DEFAULT, ["hello", 5, True], [str, int, bool]),
}


def microseconds(function: Callable[[], Any]) -> float:
    """CPU time of one call."""
    number, spent = 1, 0.0
    while spent < LEAST_SECONDS:
        number *= 2
        spent = _spent(function, number)
    return statistics.median(_spent(function, number) for _ in range(ROUNDS)) / number * 1e6


def _spent(function: Callable[[], Any], number: int) -> float:
    begin = process_time_ns()
    for _ in range(number):
        function()
    return (process_time_ns() - begin) / 1e9


def main() -> None:
    figures: dict[str, float] = {}
    for name, (data_converter, values, hints) in CASES.items():
        converter = data_converter.payload_converter
        payloads = converter.to_payloads(values)
        decoded = converter.from_payloads(payloads, hints)
        if decoded != values:
            raise AssertionError(f"{name}: {decoded} is not {values}")
        figures[f"encode {name}"] = microseconds(partial(converter.to_payloads, values))
        figures[f"decode {name}"] = microseconds(partial(converter.from_payloads, payloads, hints))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
