"""Types of every kind the converters know. Both SDKs import this: it imports neither."""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import typing
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Dict, Generic, List, Literal, NamedTuple, NewType, Optional, TypeVar, Union  # noqa: UP035
from uuid import UUID

import pydantic
from typing_extensions import NotRequired, TypedDict

T = TypeVar("T")


class Color(enum.Enum):
    RED = "red"
    BLUE = 2


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Size(str, enum.Enum):
    SMALL = "small"
    LARGE = "large"


class Bits(enum.IntFlag):
    A = 1
    B = 2


Quantity = NewType("Quantity", int)


class Pair(NamedTuple):
    left: int
    right: str | None = None


class Movie(TypedDict):
    title: str
    released: NotRequired[datetime]


class Loose(TypedDict, total=False):
    level: Level
    movies: List[Movie]  # noqa: UP006


@dataclass
class Item:
    sku: str
    quantity: int = 1
    price: float | None = None


@dataclass(frozen=True)
class Frozen:
    id: UUID
    at: datetime
    size: Size = Size.SMALL


@dataclass
class Basic:
    """Fields that both SDKs write and read."""

    name: str
    level: Level
    data: bytes
    items: list[Item] = field(default_factory=list)
    by_name: dict[str, Item] = field(default_factory=dict)
    by_number: dict[int, str] = field(default_factory=dict)
    frozen: Frozen | None = None
    either: Union[Item, List[int], None] = None  # noqa: UP006, UP007
    words: tuple[str, ...] = ()
    numbers: set[int] = field(default_factory=set)
    movie: Movie | None = None
    anything: Any = None
    kind: Literal["a", "b", 3] = "a"
    quantity: Quantity = Quantity(0)
    optional: Optional[Level] = None  # noqa: UP045
    mapping: Dict[str, Sequence[float]] = field(default_factory=dict)  # noqa: UP006


@dataclass
class Wide:
    """Fields that temporalio cannot write or read."""

    color: Color
    day: date
    hour: time
    wait: timedelta
    amount: Decimal
    pair: Pair
    by_day: dict[date, Decimal]


@dataclass
class Node:
    value: int
    next: Node | None = None
    children: list[Node] = field(default_factory=list)


@dataclass
class Box(Generic[T]):
    content: T
    more: list[T] = field(default_factory=list)


@dataclass
class Derived(Item):
    extra: list[str] = field(default_factory=list)
    computed: int = field(init=False, default=7)

    def __post_init__(self) -> None:
        self.computed = self.quantity + 1


@dataclass
class Strict:
    value: int

    def __post_init__(self) -> None:
        if self.value < 0:
            raise ValueError("negative")


class Model(pydantic.BaseModel):
    number: int
    text: str | None = None
    when: datetime | None = None
    level: Level = Level.LOW
    items: list[Item] = []
    inner: dict[str, Model] = {}


class Aliased(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(populate_by_name=True)
    number: int = pydantic.Field(alias="theNumber")


class SerializedByAlias(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(serialize_by_alias=True, populate_by_name=True)
    number: int = pydantic.Field(alias="theNumber")


class Holder(pydantic.BaseModel):
    amount: Decimal
    wait: timedelta
    day: date
    choice: Union[int, str, None] = None  # noqa: UP007
    tags: set[str] = set()


class Generalized(pydantic.BaseModel, Generic[T]):
    content: T
    more: list[T] = []


@dataclass
class WithModels:
    model: Model
    validated: Validated | None = None
    either: Union[Model, Item, None] = None  # noqa: UP007
    aliased: dict[str, Aliased] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Slotted:
    text: str
    number: float = 1.5


class Series(TypedDict, total=False):
    points: List[float]  # noqa: UP006


class Named(Series):
    name: str


@pydantic.dataclasses.dataclass
class Validated:
    number: int
    texts: list[str] = dataclasses.field(default_factory=list)


SCALARS: tuple[Any, ...] = (
    int,
    float,
    str,
    bool,
    bytes,
    type(None),
    UUID,
    datetime,
    Level,
    Size,
    Bits,
    Quantity,
    Any,
    Literal["a", "b", 3],
    Literal[True, None, "x"],
)
RECORDS: tuple[Any, ...] = (
    Item,
    Frozen,
    Basic,
    Node,
    Derived,
    Strict,
    Slotted,
    Movie,
    Loose,
    Named,
    Model,
    Aliased,
    SerializedByAlias,
    Generalized[int],
    Generalized[Item],
    Validated,
    WithModels,
)
# What temporalio refuses to write or to read, or reads as something else than the hint.
BEYOND: tuple[Any, ...] = (Color, date, time, timedelta, Decimal, Pair, Wide, Holder, Box[int], Box[Item], bytearray)
KEYS: tuple[Any, ...] = (str, int, float, bool, type(None), Level, Size, UUID, datetime, Union[int, str], Any)  # noqa: UP007
GENERIC_CONTAINERS: tuple[Any, ...] = (
    list,
    List,  # noqa: UP006
    set,
    frozenset,
    typing.FrozenSet,  # noqa: UP006
    collections.deque,
    typing.Deque,  # noqa: UP006
    collections.abc.Sequence,
    collections.abc.Iterable,
    collections.abc.Collection,
    collections.abc.Set,
    typing.Iterable,
    collections.abc.MutableSequence,
)
MAPPINGS: tuple[Any, ...] = (dict, Dict, collections.abc.Mapping, collections.abc.MutableMapping)  # noqa: UP006
BARE: tuple[Any, ...] = (list, tuple, dict, set, List, Dict)  # noqa: UP006
