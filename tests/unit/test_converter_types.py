"""JSON values into hinted types: what is taken, what comes out, what is refused."""

# Hints are spelt in every way that users may.
# ruff: noqa: UP006, UP007, UP045

from __future__ import annotations

import collections
import collections.abc
import enum
import sys
import typing
from collections.abc import Callable, Iterator
from dataclasses import KW_ONLY, InitVar, dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Generic, Literal, NamedTuple, NewType, Optional, TypeVar, Union
from uuid import UUID

import pydantic
import pytest
from typing_extensions import NotRequired, Required, TypeAliasType, TypedDict

from invincible.converter import ConversionError, JSONTypeConverter, value_to_type
from invincible.exceptions import ApplicationError

T = TypeVar("T")
Bound = TypeVar("Bound", bound=int)
Constrained = TypeVar("Constrained", int, str)


@dataclass
class Item:
    sku: str
    quantity: int = 1


@dataclass(frozen=True)
class Frozen:
    a: int
    b: int = field(init=False, default=1)


@dataclass
class Order:
    items: list[Item]
    by_name: Optional[dict[str, Item]] = None


@dataclass
class Node:
    value: int
    next: Optional[Node] = None
    children: list[Node] = field(default_factory=list)


@dataclass
class Box(Generic[T]):
    content: T
    more: list[T] = field(default_factory=list)


@dataclass
class NamedBox(Box[Item]):
    name: str = ""


@dataclass
class Counted:
    a: int
    initial: InitVar[int] = 7
    total: int = field(init=False)
    kind: ClassVar[int] = 3

    def __post_init__(self, initial: int) -> None:
        self.total = self.a + initial


@dataclass
class ByKeyword:
    a: int
    _: KW_ONLY
    b: int = 2


@dataclass
class Choice:
    either: Union[Item, Frozen]
    number: Union[int, str] = 0


@dataclass
class Refusing:
    a: int

    def __post_init__(self) -> None:
        raise ValueError("never")


@dataclass
class Failing:
    a: int

    def __post_init__(self) -> None:
        raise ApplicationError("no such order", non_retryable=True)


@dataclass
class Unresolvable:
    a: Missing  # type: ignore[name-defined]  # noqa: F821


class Plain(enum.Enum):
    A = "a"
    B = 2
    C = (1, 2)


class Color(enum.IntEnum):
    RED = 1
    BLUE = 2


class Size(str, enum.Enum):
    SMALL = "small"


class Bits(enum.IntFlag):
    A = 1
    B = 2


class Pair(NamedTuple):
    item: Item
    name: str = "none"


UntypedPair = collections.namedtuple("UntypedPair", "a b")


class Movie(TypedDict):
    title: str
    item: Item


class Partial(TypedDict, total=False):
    title: Required[str]
    item: Item


class Optionally(TypedDict):
    item: NotRequired[Item]


class Text(str): ...


class Integer(int): ...


class Number(float): ...


class Unknown: ...


class ModelOfVersion2:
    def __init__(self, value: Any) -> None:
        self.value = value

    @classmethod
    def model_validate(cls, value: Any) -> ModelOfVersion2:
        if not isinstance(value, dict):
            raise ValueError("secret")
        return cls(value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ModelOfVersion2) and other.value == self.value

    def __repr__(self) -> str:
        return f"ModelOfVersion2({self.value!r})"


class ModelOfVersion1:
    def __init__(self, value: Any) -> None:
        self.value = value

    @classmethod
    def parse_obj(cls, value: Any) -> ModelOfVersion1:
        return cls(value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ModelOfVersion1) and other.value == self.value

    def __repr__(self) -> str:
        return f"ModelOfVersion1({self.value!r})"


class Aliased(pydantic.BaseModel):
    number: int = pydantic.Field(alias="theNumber")


class Nested(pydantic.BaseModel):
    inner: Aliased


Quantity = NewType("Quantity", int)
Wrapped = NewType("Wrapped", Item)

ID = "00000000-0000-0000-0000-000000000005"
JSON_ITEM = {"sku": "a", "quantity": 2}
ITEM = Item("a", 2)

# Hint, JSON value, and what temporalio 1.35 makes of it.
AS_OFFICIAL: list[tuple[Any, Any, Any]] = [
    (Any, {"a": [1]}, {"a": [1]}),
    (int, 1, 1),
    (int, 10**30, 10**30),
    (int, 1.5, 1),
    (int, True, 1),
    (float, 1, 1.0),
    (float, 1.5, 1.5),
    (float, True, 1.0),
    (str, "a", "a"),
    (bool, True, True),
    (bytes, [1, 2], b"\x01\x02"),
    (bytes, [], b""),
    (type(None), None, None),
    (list, [1, "a"], [1, "a"]),
    (list, "ab", ["a", "b"]),
    (list, {"a": 1}, ["a"]),
    (list[str], "ab", ["a", "b"]),
    (list[int], [1, 2.0, True], [1, 2, 1]),
    (list[Item], [JSON_ITEM], [ITEM]),
    (list[list[int]], [[1], []], [[1], []]),
    (list[Optional[int]], [1, None], [1, None]),
    (list[Any], [1, "a"], [1, "a"]),
    (typing.List, [1], [1]),
    (typing.List[int], [1], [1]),
    (tuple, [1, 2], (1, 2)),
    (tuple[()], [1], (1,)),
    (tuple[int, str], [1, "a"], (1, "a")),
    (tuple[int, str], [1], (1,)),
    (tuple[int, ...], [1, 2, 3], (1, 2, 3)),
    (tuple[Item], [JSON_ITEM], (ITEM,)),
    (set[int], [1, 2], {1, 2}),
    (frozenset[str], ["a"], frozenset("a")),
    (collections.deque[int], [1], collections.deque([1])),
    (collections.abc.Sequence[int], [1], [1]),
    (collections.abc.MutableSequence[int], [1], [1]),
    (collections.abc.Iterable[Item], [JSON_ITEM], [ITEM]),
    (collections.abc.Collection[int], [1], [1]),
    (collections.abc.Set[int], [1], [1]),
    (collections.abc.Iterator[int], [1], [1]),
    (dict, {"a": 1}, {"a": 1}),
    (dict[str, Any], {"a": [1]}, {"a": [1]}),
    (dict[str, int], {"a": 1}, {"a": 1}),
    (dict[str, Item], {"a": JSON_ITEM}, {"a": ITEM}),
    (dict[str, Optional[Item]], {"a": None}, {"a": None}),
    (dict[int, int], {"1": 2}, {1: 2}),
    (dict[float, int], {"1.5": 2}, {1.5: 2}),
    (dict[bool, int], {"true": 1, "false": 0}, {True: 1, False: 0}),
    (dict[None, int], {"null": 2}, {None: 2}),
    (dict[Color, int], {"1": 2}, {Color.RED: 2}),
    (dict[Size, int], {"small": 2}, {Size.SMALL: 2}),
    (dict[UUID, int], {ID: 1}, {UUID(ID): 1}),
    (dict[datetime, int], {"2020-01-02T00:00:00": 1}, {datetime(2020, 1, 2): 1}),
    (dict[Union[int, str], int], {"1": 1, "a": 2}, {"1": 1, "a": 2}),
    (collections.abc.Mapping[str, Item], {"a": JSON_ITEM}, {"a": ITEM}),
    (collections.abc.MutableMapping[int, int], {"1": 2}, {1: 2}),
    (typing.Dict[str, int], {"a": 1}, {"a": 1}),
    (Item, {"sku": "a"}, Item("a", 1)),
    (Item, {"sku": "a", "quantity": 2, "unknown": 3}, ITEM),
    (Order, {"items": [JSON_ITEM], "by_name": {"x": JSON_ITEM}}, Order([ITEM], {"x": ITEM})),
    (Node, {"value": 1, "next": {"value": 2}, "children": [{"value": 3}]}, Node(1, Node(2), [Node(3)])),
    (ByKeyword, {"a": 1, "b": 5}, ByKeyword(1, b=5)),
    (Choice, {"either": {"a": 1}, "number": "x"}, Choice(Frozen(1), "x")),
    (Color, 1, Color.RED),
    (Color, True, Color.RED),
    (Size, "small", Size.SMALL),
    (Bits, 3, Bits.A | Bits.B),
    (Movie, {"title": "t", "item": JSON_ITEM}, {"title": "t", "item": ITEM}),
    (Movie, {"title": "t", "more": 1}, {"title": "t", "more": 1}),
    (Partial, {"item": JSON_ITEM}, {"item": ITEM}),
    (Optionally, {}, {}),
    (Quantity, 1, 1),
    (Wrapped, JSON_ITEM, ITEM),
    (ModelOfVersion1, {"a": 1}, ModelOfVersion1({"a": 1})),
    (Optional[int], None, None),
    (Optional[int], 1, 1),
    (int | None, 1.5, 1),
    (Item | None, JSON_ITEM, ITEM),
    (Union[int, str], "1", "1"),
    (Union[Item, Frozen], {"a": 1}, Frozen(1)),
    (Union[Item, dict], {"a": 1}, {"a": 1}),
    (Union[dict, Item], JSON_ITEM, JSON_ITEM),
    (Union[datetime, str], "2020-01-02T03:04:05", datetime(2020, 1, 2, 3, 4, 5)),
    (Union[datetime, str], "no date", "no date"),
    (Union[str, datetime], "2020-01-02T03:04:05", "2020-01-02T03:04:05"),
    (Union[UUID, str], ID, UUID(ID)),
    (Union[list[int], list[str]], ["a"], ["a"]),
    (Union[int, list[Item]], [JSON_ITEM], [ITEM]),
    (Union[bytes, list[int]], [97], b"a"),
    (Union[Any, int], "a", "a"),
    (Union[Color, int], 1, Color.RED),
    (Union[Color, int], 3, 3),
    (Union[int, Color], 1, 1),
    (Union[Literal[1], int], 2, 2),
    (Literal["a", 1, None], "a", "a"),
    (Literal["a", 1, None], None, None),
    (Literal["a", 1, None], 1, 1),
    (UUID, ID, UUID(ID)),
    (UUID, "urn:uuid:" + ID, UUID(ID)),
    (datetime, "2020-01-02", datetime(2020, 1, 2)),
    (datetime, "2020-01-02T03:04:05Z", datetime(2020, 1, 2, 3, 4, 5, tzinfo=timezone.utc)),
    (datetime, "20200102T030405", datetime(2020, 1, 2, 3, 4, 5)),
    (
        datetime,
        "1900-01-01T00:00:00+00:53:28",
        datetime(1900, 1, 1, tzinfo=timezone(timedelta(minutes=53, seconds=28))),
    ),
    (
        datetime,
        "2020-01-02T03:04:05.5+02:00",
        datetime(2020, 1, 2, 3, 4, 5, 500_000, tzinfo=timezone(timedelta(hours=2))),
    ),
    (list[T], [1, "a"], [1, "a"]),  # type: ignore[valid-type]
]

# What temporalio 1.35 refuses, or turns into something that is not of the hinted type.
BEYOND: list[tuple[Any, Any, Any]] = [
    (object, [1], [1]),
    (None, None, None),
    (bytearray, [97], bytearray(b"a")),
    (Plain, "a", Plain.A),
    (Plain, 2, Plain.B),
    (Plain, [1, 2], Plain.C),
    (date, "2020-01-02", date(2020, 1, 2)),
    (time, "03:04:05.5", time(3, 4, 5, 500_000)),
    (time, "03:04Z", time(3, 4, tzinfo=timezone.utc)),
    (timedelta, "P1DT2H3M4.5S", timedelta(days=1, hours=2, minutes=3, seconds=4.5)),
    (timedelta, "-PT1.5S", timedelta(seconds=-1.5)),
    (timedelta, "P2W", timedelta(weeks=2)),
    (timedelta, 1.5, timedelta(seconds=1.5)),
    (Decimal, "1.10", Decimal("1.10")),
    (Decimal, 1.1, Decimal("1.1")),
    (Decimal, 3, Decimal(3)),
    (dict[date, int], {"2020-01-02": 1}, {date(2020, 1, 2): 1}),
    (dict[Quantity, int], {"1": 1}, {1: 1}),
    (dict[Literal[1, "a"], int], {"1": 1, "a": 2}, {1: 1, "a": 2}),
    (dict[Optional[int], int], {"1": 1, "null": 2}, {1: 1, None: 2}),
    (collections.OrderedDict[str, int], {"b": 1, "a": 2}, collections.OrderedDict(b=1, a=2)),
    (collections.Counter[str], {"a": 2}, collections.Counter("aa")),
    (collections.defaultdict[str, int], {"a": 2}, collections.defaultdict(None, a=2)),
    (collections.UserDict, {"a": 1}, collections.UserDict(a=1)),
    (MappingProxyType, {"a": 1}, MappingProxyType({"a": 1})),
    (Box[int], {"content": 1, "more": [2]}, Box(1, [2])),
    (Box[Item], {"content": JSON_ITEM, "more": [JSON_ITEM]}, Box(ITEM, [ITEM])),
    (Box[Box[Item]], {"content": {"content": JSON_ITEM}}, Box(Box(ITEM))),
    (Box, {"content": [1]}, Box([1])),
    (NamedBox, {"content": JSON_ITEM, "name": "n"}, NamedBox(ITEM, name="n")),
    (Pair, [JSON_ITEM, "n"], Pair(ITEM, "n")),
    (Pair, [JSON_ITEM], Pair(ITEM)),
    (Pair, {"item": JSON_ITEM}, Pair(ITEM)),
    (UntypedPair, [1, "a"], UntypedPair(1, "a")),
    (ModelOfVersion2, {"a": 1}, ModelOfVersion2({"a": 1})),
    (Text, "a", Text("a")),
    (Integer, 1, Integer(1)),
    (Number, 1.5, Number(1.5)),
    (Annotated[Item, "metadata"], JSON_ITEM, ITEM),
    (list[Annotated[Item, ["unhashable"]]], [JSON_ITEM], [ITEM]),
    (Bound, 1, 1),
    (Constrained, "a", "a"),
    (T, {"a": 1}, {"a": 1}),
    (Union[int, float], 1.5, 1.5),
    (Union[list[str], str], "ab", "ab"),
    (Union[list[str], dict[str, int], Item], {"a": 1}, {"a": 1}),
    (Union[tuple[str, str], Item], JSON_ITEM, ITEM),
    (Union[list[str], int], "ab", ["a", "b"]),
    (Union[int, bool], True, True),
    (Union[float, int], 1, 1),
    (Union[timedelta, float], 1.5, 1.5),
    (Union[Decimal, int], 3, 3),
    (Union[Decimal, int], "3", Decimal(3)),
    (Aliased, {"number": 1}, Aliased(theNumber=1)),
    (Nested, {"inner": {"number": 1}}, Nested(inner=Aliased(theNumber=1))),
    (Nested, {"inner": {"theNumber": 1}}, Nested(inner=Aliased(theNumber=1))),
    (Literal[Size.SMALL], "small", Size.SMALL),
    (Literal[Plain.A, "b"], "a", Plain.A),
]


def label(row: Any) -> str:
    return str(row).replace("tests.unit.test_converter_types.", "")[:60]


@pytest.mark.parametrize(("hint", "value", "expected"), AS_OFFICIAL + BEYOND, ids=label)
def test_taken(hint: Any, value: Any, expected: Any) -> None:
    decoded = value_to_type(hint, value)
    assert decoded == expected
    assert type(decoded) is type(expected)


REFUSED: list[tuple[Any, Any, str]] = [
    (int, "1", "^expected int, got str '1'$"),
    (int, None, "^expected int, got None$"),
    (int, float("nan"), "^expected int, got float nan$"),
    (Integer, float("inf"), "^expected int, got float inf$"),
    (float, "1", "^expected float, got str '1'$"),
    (float, 10**400, "^expected float, got int 1000"),
    (str, 1, "^expected str, got int 1$"),
    (bool, 1, "^expected bool, got int 1$"),
    (type(None), 0, "^expected None, got int 0$"),
    (bytes, "a", r"^expected bytes \(a list of integers from 0 to 255\), got str 'a'$"),
    (bytes, [300], r"got list \[300\]$"),
    (list[int], 1, r"^expected list\[int\], got int 1$"),
    (list[int], [1, 2, "x"], r"^\[2\]: expected int, got str 'x'$"),
    (list[list[int]], [[1], ["x"]], r"^\[1\]\[0\]: expected int, got str 'x'$"),
    (set[list[int]], [[1]], r"^expected set\[list\[int\]\], got an item that cannot be hashed$"),
    (tuple[int, str], [1, 2], r"^\[1\]: expected str, got int 2$"),
    (tuple[int, str], [1, "a", 2], r"^expected tuple\[int, str\], got 3 items$"),
    (tuple[int, str], 1, r"^expected tuple\[int, str\], got int 1$"),
    (dict[str, int], [1], r"^expected dict\[str, int\], got list \[1\]$"),
    (dict[str, int], {"a": "x"}, r"^\['a'\]: expected int, got str 'x'$"),
    (dict[int, int], {"a": 1}, r"^\['a'\]: expected int, got str 'a'$"),
    (dict[bool, int], {"True": 1}, r"^\['True'\]: expected bool, got str 'True'$"),
    (Item, [1], r"^expected Item, got list \[1\]$"),
    (Item, {}, "^Item needs the field 'sku'$"),
    (Item, {"sku": "a", "quantity": "many"}, r"^\.quantity: expected int, got str 'many'$"),
    (Order, {"items": [JSON_ITEM, {"sku": 1}]}, r"^\.items\[1\]\.sku: expected str, got int 1$"),
    (Order, {"items": [JSON_ITEM, {}]}, r"^\.items\[1\]: Item needs the field 'sku'$"),
    (Order, {"items": [], "by_name": {"x": {"sku": 1}}}, r"^\.by_name\['x'\]\.sku: expected str, got int 1$"),
    (Box[int], {"content": "a"}, r"^\.content: expected int, got str 'a'$"),
    (Refusing, {"a": 1}, "^Refusing refused the value with ValueError: never$"),
    (Unresolvable, {"a": 1}, "the annotations of Unresolvable use 'Missing', which cannot be found at run time"),
    (Color, 3, r"^expected Color \(one of 1, 2\), got int 3$"),
    (Color, "1", r"^expected Color \(one of 1, 2\), got str '1'$"),
    (Size, 1, r"^expected Size \(one of 'small'\), got int 1$"),
    (Size, "large", "got str 'large'$"),
    (Plain, {}, r"^expected Plain \(one of 'a', 2, \(1, 2\)\), got dict {}$"),
    (Pair, "ab", "^expected Pair, got str 'ab'$"),
    (Pair, [JSON_ITEM, "n", 3], "^expected Pair of 2 fields, got 3 items$"),
    (Pair, [{"sku": 1}], r"^\.item\.sku: expected str, got int 1$"),
    (Pair, [], "^Pair needs the field 'item'$"),
    (Movie, {"item": {"sku": 1}}, r"^\['item'\]\.sku: expected str, got int 1$"),
    (Movie, [1], r"^expected Movie, got list \[1\]$"),
    (ModelOfVersion2, 1, "^ModelOfVersion2 refused the value with ValueError: secret$"),
    (Nested, {"inner": {}}, "^Nested refused the value with ValidationError: inner.theNumber: Field required$"),
    (Nested, {"inner": {"number": "x"}}, "inner.number: Input should be a valid integer, .*, got str 'x'$"),
    (ModelOfVersion1, 1, "^expected ModelOfVersion1, got int 1$"),
    (Optional[int], "a", r"^expected int \| None, got str 'a'$"),
    (Optional[Item], {"sku": 1}, r"^\.sku: expected str, got int 1$"),
    (Optional[Item], {}, "^Item needs the field 'sku'$"),
    (Union[Item, Frozen], {}, r"^expected Item \| Frozen, got dict {}$"),
    (Union[list[int], list[str]], [None], r"^expected list\[int\] \| list\[str\], got list \[None\]$"),
    (Union[dict[str, int], list[str]], {"a": "x"}, r"^\['a'\]: expected int, got str 'x'$"),
    (Literal["a", 1], "b", r"^expected Literal\['a', 1\], got str 'b'$"),
    (Literal["a"], ["a"], "got list"),
    (UUID, "x", "^expected UUID, got str 'x'$"),
    (UUID, 1, "^expected UUID, got int 1$"),
    (datetime, "yesterday", r"^expected datetime \(ISO 8601 text\), got str 'yesterday'$"),
    (datetime, 1, "got int 1$"),
    (date, "x", r"^expected date \(ISO 8601 text\)"),
    (time, "x", r"^expected time \(ISO 8601 text\)"),
    (timedelta, "P1Y", r"^expected timedelta \(ISO 8601 text or a number of seconds\), got str 'P1Y'$"),
    (timedelta, "P", "got str 'P'$"),
    (timedelta, "PT", "got str 'PT'$"),
    (timedelta, True, "got bool True$"),
    (timedelta, 1e300, "got float 1e"),
    (Decimal, "x", "^expected Decimal, got str 'x'$"),
    (Unknown, {"a": 1}, "^values cannot be decoded into Unknown: use a dataclass, or a JSONTypeConverter"),
    (Callable[[int], int], 1, r"^values cannot be decoded into Callable\["),
    ("Item", {}, "^the forward reference 'Item' cannot be resolved here"),
    (list["Item"], [{}], r"^\[0\]: the forward reference 'Item' cannot be resolved here"),
    (3, 1, "^values cannot be decoded into 3$"),
]


@pytest.mark.parametrize(("hint", "value", "message"), REFUSED, ids=label)
def test_refused(hint: Any, value: Any, message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        value_to_type(hint, value)


def test_fields_that_are_no_parameters_are_set_even_if_frozen() -> None:
    decoded = value_to_type(Frozen, {"a": 1, "b": 5})
    assert decoded == value_to_type(Frozen, {"b": 5, "a": 1})
    assert (decoded.a, decoded.b) == (1, 5)


def test_flags_are_made_of_numbers() -> None:
    assert repr(value_to_type(Bits, False).value) == "0"


def test_init_only_parameters_keep_their_defaults() -> None:
    assert value_to_type(Counted, {"a": 1, "initial": 100}).total == 8


def test_own_errors_of_application_code_pass() -> None:
    with pytest.raises(ApplicationError, match="no such order"):
        value_to_type(list[Failing], [{"a": 1}])


def test_the_cause_of_a_refusal_is_kept() -> None:
    with pytest.raises(ConversionError) as raised:
        value_to_type(list[Refusing], [{"a": 1}])
    assert isinstance(raised.value.__cause__, ValueError)


def test_hints_that_cannot_be_decoded_are_no_matter_until_a_value_needs_them() -> None:
    @dataclass
    class Lazy:
        callback: Optional[typing.Callable[[], None]] = None
        unknown: Optional[Unknown] = None

    assert value_to_type(Lazy, {"callback": None}) == Lazy()


def test_equal_unions_keep_their_own_order() -> None:
    assert value_to_type(list[Union[str, UUID]], [ID]) == [ID]
    assert value_to_type(list[Union[UUID, str]], [ID]) == [UUID(ID)]


def test_hints_made_on_the_fly_do_not_mix_up() -> None:
    # More than the cache holds, each freed at once: an id that is used again must not find another hint's decoder.
    for number in range(3_000):
        if number % 2:
            assert value_to_type(list[Literal[number]], [number]) == [number]  # type: ignore[valid-type]
        else:
            assert value_to_type(dict[str, Literal[number]], {"a": number}) == {"a": number}  # type: ignore[valid-type]


def test_type_aliases() -> None:
    make: Any = TypeAliasType
    assert value_to_type(make("Items", list[Item]), [JSON_ITEM]) == [ITEM]
    items: Any = list[T]  # type: ignore[valid-type]  # pyright: ignore[reportGeneralTypeIssues]
    many = make("Many", items, type_params=(T,))
    assert value_to_type(many[Item], [JSON_ITEM]) == [ITEM]


if sys.version_info >= (3, 12):

    def test_type_statement_that_refers_to_itself() -> None:
        namespace: dict[str, Any] = {}
        exec("type Json = dict[str, Json] | list[Json] | str | None", namespace)
        value = {"a": [None, {"b": "c"}]}
        assert value_to_type(namespace["Json"], value) == value
        with pytest.raises(ConversionError, match=r"\['a'\]"):
            value_to_type(namespace["Json"], {"a": 1})

    def test_type_statement_that_takes_text_apart_for_ever() -> None:
        namespace: dict[str, Any] = {}
        exec("type Endless = list[Endless] | None", namespace)
        with pytest.raises(ConversionError, match="nested too deeply for Endless"):
            value_to_type(namespace["Endless"], "text")


class TestTypeConverters:
    class Unknowns(JSONTypeConverter):
        def to_typed_value(self, hint: Any, value: Any) -> Any:
            if hint is Unknown:
                return ("unknown", value)
            if hint is int and value == 0:
                return None
            return JSONTypeConverter.Unhandled

    def test_asked_first_at_every_depth(self) -> None:
        @dataclass
        class Holder:
            unknown: Unknown
            numbers: list[int]
            either: Union[int, str] = ""

        decoded = value_to_type(
            Holder, {"unknown": {"a": 1}, "numbers": [0, 1], "either": 0}, custom_converters=[self.Unknowns()]
        )
        assert decoded.unknown == ("unknown", {"a": 1})
        assert decoded.numbers == [None, 1]

    def test_the_first_that_handles_decides(self) -> None:
        class Others(JSONTypeConverter):
            def to_typed_value(self, hint: Any, value: Any) -> Any:
                return "other" if hint is Unknown else JSONTypeConverter.Unhandled

        assert value_to_type(Unknown, 1, [Others(), self.Unknowns()]) == "other"
        assert value_to_type(Unknown, 1, [self.Unknowns(), Others()]) == ("unknown", 1)


def test_iterators_are_lists() -> None:
    assert value_to_type(Iterator[int], [1]) == [1]
