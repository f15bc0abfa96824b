"""Prints, as JSON, how many microseconds the default converter needs for typed values: the least of many rounds."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timezone
from timeit import repeat
from typing import Any

from invincible.converter import PayloadConverter

converter = PayloadConverter.default


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


ORDER = Order(
    "order-1",
    datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc),
    [Item(f"sku-{number}", number, 9.5, ["new"]) for number in range(20)],
)
CASES: dict[str, tuple[Any, Any]] = {
    "dataclass with 20 nested": (ORDER, Order),
    "union of dataclasses, last": (ORDER, Refund | Item | Order),
    "list of 1,000 numbers": (list(range(1000)), list[int]),
    "text": ("hello", str),
}


def microseconds(function: Any) -> float:
    function()
    number = 20
    return min(repeat(function, number=number, repeat=50)) / number * 1e6


def main() -> None:
    figures: dict[str, float] = {}
    for name, (value, hint) in CASES.items():
        payloads = converter.to_payloads([value])
        figures[f"encode {name}"] = microseconds(lambda value=value: converter.to_payloads([value]))
        figures[f"decode {name}"] = microseconds(lambda p=payloads, hint=hint: converter.from_payloads(p, [hint]))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
