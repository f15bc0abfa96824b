"""Equality that tells 1 from True and from 1.0."""

from __future__ import annotations

import dataclasses
from collections import deque
from typing import Any

import pydantic


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal and all that they hold is of the same types."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return len(one) == len(other) and all(
            map(_same_items, sorted(one.items(), key=_place), sorted(other.items(), key=_place))
        )
    if isinstance(one, (set, frozenset)):
        return same(sorted(one, key=repr), sorted(other, key=repr))
    if isinstance(one, (list, tuple, deque)):
        return len(one) == len(other) and all(map(same, one, other))
    if dataclasses.is_dataclass(one):
        return all(same(getattr(one, each.name), getattr(other, each.name)) for each in dataclasses.fields(one))
    if isinstance(one, pydantic.BaseModel):
        return same(vars(one), vars(other))
    return bool(one == other) or (one != one and other != other)


def _place(item: tuple[Any, Any]) -> str:
    return f"{type(item[0]).__name__} {item[0]!r}"


def _same_items(one: tuple[Any, Any], other: tuple[Any, Any]) -> bool:
    return same(one[0], other[0]) and same(one[1], other[1])


def loses(original: Any, again: Any) -> bool:
    """Whether JSON that was decoded and encoded again lost something: decimals, a mapping's values, a text's unity."""
    if isinstance(original, dict):
        if isinstance(again, dict):
            return any(loses(each, again[key]) for key, each in original.items() if key in again)
        return isinstance(again, list)
    if isinstance(original, list) and isinstance(again, list):
        return any(map(loses, original, again))
    if isinstance(original, str):
        return isinstance(again, list)
    return isinstance(again, (bool, int, float)) and not same(original, again)
