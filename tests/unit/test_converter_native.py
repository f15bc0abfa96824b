"""The native ways of writing and reading JSON do what the encoder and the decoders in Python do."""

from __future__ import annotations

import enum
import gc
import json
import math
import weakref
from collections import OrderedDict, UserDict, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from invincible._native import JsonPlan, Payload
from invincible.converter import AdvancedJSONEncoder, ConversionError, DefaultPayloadConverter, PayloadConverter
from invincible.converter._decode import DEFAULT_DECODERS, Decoders
from invincible.converter._json import decode_json, encode_json_with, json_payload, payload_json

T = TypeVar("T")


class Number(int):
    def __repr__(self) -> str:
        return "not this"


class Share(float):
    def __repr__(self) -> str:
        return "not this"


class Text(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "not this"


class Level(enum.IntEnum):
    LOW = 1


class Size(str, enum.Enum):
    SMALL = "small"


class Color(enum.Enum):
    RED = "red"


class Pair(NamedTuple):
    left: Any
    right: Any


class Listed(list[Any]):
    pass


@dataclass
class Node:
    zulu: Any = None
    alpha: Any = None
    _private: Any = None


@dataclass(frozen=True)
class Slotted:
    __slots__ = ("one", "two")
    two: Any
    one: Any


@dataclass
class NodeList(list[Any]):
    never: int = 1

    @classmethod
    def of(cls, items: list[Any]) -> NodeList:
        made = cls()
        made.extend(items)
        return made


def texts() -> st.SearchStrategy[str]:
    # Halves of surrogate pairs too.
    return st.text(st.characters(), max_size=40)


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    texts(),
    st.integers(-5, 5).map(Number),
    st.floats().map(Share),
    texts().map(Text),
    st.sampled_from([Level.LOW, Size.SMALL, Color.RED]),
    st.uuids(),
    st.datetimes(),
    st.timedeltas(),
    st.decimals(),
    st.binary(max_size=5),
)
KEYS = st.one_of(texts(), texts().map(Text), st.integers(), st.floats(allow_nan=False), st.booleans(), st.none())


def _holders(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.lists(parts, max_size=4),
        st.lists(parts, max_size=3).map(tuple),
        st.lists(parts, max_size=3).map(Listed),
        st.lists(parts, max_size=3).map(NodeList.of),
        st.dictionaries(texts(), parts, max_size=5),
        st.dictionaries(KEYS, parts, max_size=3),
        st.dictionaries(texts(), parts, max_size=3).map(OrderedDict),
        st.dictionaries(texts(), parts, max_size=3).map(UserDict),
        st.dictionaries(texts(), parts, max_size=3).map(lambda items: defaultdict(int, items)),
        st.builds(Pair, parts, parts),
        st.builds(Node, parts, parts, parts),
        st.builds(Slotted, parts, parts),
    )


VALUES = st.recursive(LEAVES, _holders, max_leaves=25)


@settings(max_examples=400, deadline=None)
@given(VALUES)
def test_writes_what_the_encoder_writes(value: Any) -> None:
    try:
        expected = encode_json_with(AdvancedJSONEncoder, value)
    except (TypeError, ValueError):
        # Keys of several types: another way, which the tests of the wire look at.
        return
    assert json_payload(value, "json/plain").data == expected


@given(st.floats())
def test_writes_floats_as_python_does(value: float) -> None:
    assert json_payload(value, "json/plain").data == json.dumps(value).encode()


@given(st.floats(1e-6, 1e-2) | st.floats(1e14, 1e18))
def test_writes_floats_about_the_exponents_as_python_does(value: float) -> None:
    assert json_payload(value, "json/plain").data == json.dumps(value).encode()


@pytest.mark.parametrize("number", [1e-4, 9.999999999999999e-5, 1e16, 9999999999999998.0, -0.0, 5e-324])
def test_writes_edges_of_floats_as_python_does(number: float) -> None:
    assert (
        json_payload([number, -number], "json/plain").data
        == json.dumps([number, -number], separators=(",", ":")).encode()
    )


def test_writes_long_text_as_python_does() -> None:
    for text in ("x" * 10_000, "é😀" * 5_000, "x" * 10_000 + "\ud800", "é" * 10_000 + "\udc00"):
        assert json_payload({text: text}, "json/plain").data == json.dumps({text: text}, separators=(",", ":")).encode()


def test_writes_deep_values_as_python_does() -> None:
    value: Any = "leaf"
    for _ in range(70):
        value = {"b": [value], "a": Node(zulu=(value,) if value == "leaf" else 1)}
    assert json_payload(value, "json/plain").data == encode_json_with(AdvancedJSONEncoder, value)


def test_reads_an_iterator_once() -> None:
    def numbers() -> Iterator[int]:
        yield from (1, 2)

    assert json_payload({"it": numbers()}, "json/plain").data == b'{"it":[1,2]}'


def test_values_that_hold_themselves_are_refused() -> None:
    items: list[Any] = []
    items.append(items)
    node = Node()
    node.alpha = [node]
    for value in (items, node):
        with pytest.raises(ConversionError, match="holds itself"):
            json_payload(value, "json/plain")


def test_errors_of_a_property_are_its_own() -> None:
    @dataclass
    class Broken:
        one: int

        def __getattribute__(self, name: str) -> Any:
            if name == "one":
                raise LookupError("not there")
            return super().__getattribute__(name)

    with pytest.raises(LookupError, match="not there"):
        json_payload([Broken(1)], "json/plain")


def test_another_encoding_is_named() -> None:
    assert json_payload(1, "json/other").metadata == {"encoding": b"json/other"}
    assert json_payload({1: 1, "1": 2}, "json/other").metadata == {"encoding": b"json/other"}


def test_more_types_than_are_remembered() -> None:
    kinds: list[Any] = [dataclass(type(f"Kind{index}", (), {"__annotations__": {"at": int}})) for index in range(1100)]
    for _ in range(2):
        for index, kind in enumerate(kinds):
            assert json_payload(kind(index), "json/plain").data == b'{"at":%d}' % index


@dataclass
class Leaf:
    name: str
    count: int
    share: float
    flag: bool = False
    note: str | None = None


@dataclass
class Tree(Generic[T]):
    leaves: list[Leaf]
    by_name: dict[str, Leaf] = field(default_factory=dict)
    own: T | None = None
    children: list[Tree[T]] = field(default_factory=list)
    at: datetime | None = None
    day: date | None = None
    wait: timedelta = timedelta()
    color: Color = Color.RED
    either: int | str | None = None
    numbers: list[float] = field(default_factory=list)
    anything: Any = None
    id: UUID | None = None
    amount: Decimal = Decimal(1)


@dataclass
class Checked:
    size: int

    def __post_init__(self) -> None:
        if self.size < 0:
            raise ValueError("too small")


@dataclass
class WithRest:
    size: int
    made: int = field(init=False, default=0)


HINTS: list[Any] = [
    Any,
    None,
    str,
    int,
    float,
    bool,
    list[int],
    list[Any],
    list[list[float]],
    dict[str, int],
    dict[int, int],
    dict[str, Any],
    int | None,
    float | None,
    list[Leaf | None],
    Leaf,
    Tree[int],
    Tree[Leaf] | None,
    Checked | None,
    WithRest,
    Leaf | Checked,
    int | str,
    float | int,
    tuple[int, ...],
    set[str],
    Color,
    datetime,
]

SCALARS = ["null", "true", "false", "0", "-0", "-0.0", "5", "-7", "1.5", "1e3", "1e400", "-1e400", "NaN", "Infinity"]
SCALARS += ["9223372036854775807", "9223372036854775808", "-9223372036854775809", "18446744073709551616", "1" * 30]
SCALARS += ["1e16", "9.3e18", '"red"', '"2026-01-02"', '"2026-01-02T03:04:05Z"', '"é"', r'"\ud800"', r'"\ud83d\ude00"']
SCALARS += [r'"\u0000"', '"\x00"', '"a\tb"', '"12"', "01", "1.", "-", "[", "nul", "", " 1 ", "1 2", "1,", '"\x7f"']
NAMES = [
    "name",
    "count",
    "share",
    "flag",
    "note",
    "leaves",
    "by_name",
    "own",
    "children",
    "at",
    "size",
    "made",
    "other",
]


def documents() -> st.SearchStrategy[str]:
    def holders(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        members = st.tuples(st.sampled_from(NAMES), parts).map(lambda member: f'"{member[0]}": {member[1]}')
        return st.one_of(
            st.lists(parts, max_size=4).map(lambda items: f"[{', '.join(items)}]"),
            st.lists(members, max_size=6).map(lambda items: f"{{{', '.join(items)}}}"),
            st.tuples(parts, parts, parts).map(
                lambda it: f'{{"name":"n","count":{it[0]},"share":{it[1]},"note":{it[2]}}}'
            ),
            parts.map(lambda it: f'{{"leaves":[{it}],"children":[{{"leaves":[]}}],"own":{it}}}'),
        )

    return st.recursive(st.sampled_from(SCALARS), holders, max_leaves=8)


def outcome(read: Any) -> tuple[str, str]:
    try:
        value = read()
    except ConversionError as error:
        return "error", str(error)
    # Types and signs count too.
    return type(value).__name__, repr(value)


@settings(max_examples=1500, deadline=None)
@given(documents(), st.sampled_from(HINTS))
def test_reads_what_the_decoders_read(document: str, hint: Any) -> None:
    payload = Payload({"encoding": b"json/plain"}, document.encode())
    expected = outcome(lambda: DEFAULT_DECODERS.decode(hint, decode_json(document.encode())))
    assert outcome(lambda: DEFAULT_DECODERS.read(hint, payload)) == expected


@settings(deadline=None)
@given(VALUES)
def test_reads_what_was_written(value: Any) -> None:
    try:
        payload = json_payload(value, "json/plain")
    except ConversionError:
        return
    expected = decode_json(payload.data)
    assert repr(payload_json(payload)) == repr(expected)


@given(st.binary(max_size=30))
def test_bytes_that_may_be_no_json(data: bytes) -> None:
    payload = Payload({"encoding": b"json/plain"}, data)
    assert outcome(lambda: payload_json(payload)) == outcome(lambda: decode_json(data))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_reads_floats_exactly(number: float) -> None:
    read = payload_json(Payload({"encoding": b"json/plain"}, repr(number).encode()))
    assert read == number
    assert math.copysign(1, read) == math.copysign(1, number)


def test_reads_typed_values_without_python() -> None:
    # Otherwise the comparisons above would compare Python with itself.
    leaf = b'{"name":"n","count":1,"share":2,"extra":[1,{}]}'
    data = b'{"leaves":[%b],"by_name":{"a":{"name":"","count":0,"share":0.5}}}' % leaf
    payload = Payload({"encoding": b"json/plain"}, data)
    plan = DEFAULT_DECODERS._look_at(Tree[int])[2]
    expected = Tree[int]([Leaf("n", 1, 2.0)], {"a": Leaf("", 0, 0.5)})
    assert plan.read(payload) == expected


def test_what_the_reader_cannot_decide_is_left_to_python() -> None:
    for data in (b"NaN", b"-0", b"1" * 30, b"\xff", b'"\\ud800"', b"[" * 200 + b"]" * 200, b""):
        assert JsonPlan.ANY.read(Payload({}, data)) is NotImplemented


def test_interruptions_pass_through_the_reader() -> None:
    class Interrupted(BaseException):
        pass

    calls = []

    def decoder(value: Any) -> Any:
        calls.append(value)
        raise Interrupted

    with pytest.raises(Interrupted):
        JsonPlan.decoded(decoder).read(Payload({}, b"1"))
    assert calls == [1]


def test_plans_of_types_are_let_go() -> None:
    decoders = Decoders()

    def used_once() -> weakref.ref[Any]:
        class Temporary:
            mine: list[Temporary]

        Temporary.__annotations__ = {"mine": list}
        kind = dataclass(Temporary)
        payload = Payload({"encoding": b"json/plain"}, b'{"mine":[]}')
        assert decoders.read(kind, payload).mine == []
        return weakref.ref(kind)

    reference = used_once()
    decoders._known.clear()
    gc.collect()
    assert reference() is None


def test_a_replaced_converter_is_used() -> None:
    converter = DefaultPayloadConverter()
    assert converter.to_payload("a").encoding == "json/plain"
    converter.converters = {key: each for key, each in converter.converters.items() if key != b"json/plain"}
    with pytest.raises(ConversionError, match="no payload converter takes a value of type str"):
        converter.to_payload("a")


def test_a_payload_keeps_the_bytes_it_was_given() -> None:
    data = b"x" * 1000
    payload = PayloadConverter.default.to_payload(data)
    assert payload.data is data
    mutable = bytearray(data)
    payload = Payload({}, bytes(mutable))
    mutable[0] = 0
    assert payload.data == data


def test_bytes_of_a_derived_class_come_back_as_bytes() -> None:
    class Named(bytes):
        name = "mine"

    payload = PayloadConverter.default.to_payload(Named(b"x"))
    assert type(payload.data) is bytes
    assert payload.encoding == "binary/plain"


def test_timestamps_are_read_with_their_zone() -> None:
    payload = json_payload(datetime(2026, 1, 2, tzinfo=timezone.utc), "json/plain")
    assert DEFAULT_DECODERS.read(datetime | None, payload) == datetime(2026, 1, 2, tzinfo=timezone.utc)
