"""Values of every supported type survive the wire, whatever they hold."""

from __future__ import annotations

import enum
import json
import math
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import TypedDict

from invincible.api.common.v1 import Payload as PayloadMessage
from invincible.converter import ConversionError, PayloadConverter

converter = PayloadConverter.default


class Color(enum.Enum):
    RED = "red"
    BLUE = 2


class Pair(NamedTuple):
    left: int
    right: str | None


class Movie(TypedDict):
    title: str
    released: date


@dataclass
class Leaf:
    id: UUID
    at: datetime
    amount: Decimal
    color: Color
    data: bytes
    wait: timedelta
    share: float


@dataclass
class Tree:
    name: str
    leaves: list[Leaf] = field(default_factory=list)
    by_day: dict[date, Pair] = field(default_factory=dict)
    by_number: dict[int, frozenset[str]] = field(default_factory=dict)
    either: Leaf | list[int] | str | None = None
    hours: tuple[time, ...] = ()
    movie: Movie | None = None
    children: list[Tree] = field(default_factory=list)


text = st.text(st.characters(codec="utf-8"))
leaves = st.builds(
    Leaf,
    id=st.uuids(),
    at=st.datetimes(timezones=st.none() | st.timezones()).map(datetime.isoformat).map(datetime.fromisoformat),
    amount=st.decimals(allow_nan=False, allow_infinity=False),
    color=st.sampled_from(Color),
    data=st.binary(max_size=20),
    wait=st.timedeltas(),
    share=st.floats(allow_nan=False),
)
trees = st.recursive(
    st.builds(
        Tree,
        name=text,
        leaves=st.lists(leaves, max_size=2),
        by_day=st.dictionaries(st.dates(), st.builds(Pair, st.integers(), st.none() | text), max_size=2),
        by_number=st.dictionaries(st.integers(), st.frozensets(text, max_size=2), max_size=2),
        either=st.none() | leaves | st.lists(st.integers(), max_size=2) | text,
        hours=st.lists(st.times(), max_size=2).map(tuple),
        movie=st.none() | st.fixed_dictionaries({"title": text, "released": st.dates()}).map(lambda each: each),
    ),
    lambda children: st.builds(Tree, name=text, children=st.lists(children, max_size=2)),
    max_leaves=3,
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=40)
@given(trees)
def test_typed_values(tree: Tree) -> None:
    assert converter.from_payload(converter.to_payload(tree), Tree) == tree


@given(json_values)
def test_untyped_values(value: Any) -> None:
    payload = converter.to_payload(value)
    assert converter.from_payload(payload) == value
    if value is not None:
        expected = json.dumps(value, separators=(",", ":"), sort_keys=True)
        assert payload.data == expected.encode()


@given(json_values)
def test_any_hint_changes_nothing(value: Any) -> None:
    assert converter.from_payload(converter.to_payload([value]), list[Any]) == [value]


@given(st.floats())
def test_floats(value: float) -> None:
    decoded = converter.from_payload(converter.to_payload(value), float)
    assert decoded == value or (math.isnan(decoded) and math.isnan(value))


@given(st.binary())
def test_bytes(value: bytes) -> None:
    payload = converter.to_payload(value)
    assert PayloadMessage.FromString(payload.SerializeToString()).data == value
    assert converter.from_payload(payload, bytes) == value


@given(st.timedeltas())
def test_durations(value: timedelta) -> None:
    assert converter.from_payload(converter.to_payload(value), timedelta) == value


@given(json_values, st.sampled_from([int, str, bool, float, Leaf, Tree, Color, Pair, list[int], dict[int, Leaf], UUID]))
def test_values_of_another_type_are_refused_with_a_short_message(value: Any, hint: Any) -> None:
    problem = ""
    try:
        converter.from_payload(converter.to_payload(value), hint)
    except ConversionError as error:
        problem = str(error)
    assert len(problem) < 400
