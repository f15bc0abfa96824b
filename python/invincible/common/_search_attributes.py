"""Search attributes: typed keys, pairs, updates and collections."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from itertools import pairwise
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar, cast, get_origin, overload

# A NamedTuple can be generic from Python 3.11 on.
if sys.version_info >= (3, 11):
    from typing import NamedTuple
else:
    from typing_extensions import NamedTuple

SearchAttributeValues: TypeAlias = list[str] | list[int] | list[float] | list[bool] | list[datetime]
"""Values of an untyped search attribute: all of one type."""
SearchAttributes: TypeAlias = Mapping[str, SearchAttributeValues]
"""Untyped search attributes by name; :class:`TypedSearchAttributes` are better."""
SearchAttributeValue: TypeAlias = str | int | float | bool | datetime | Sequence[str]
"""The value of a typed search attribute."""

SearchAttributeValueType = TypeVar("SearchAttributeValueType", str, int, float, bool, datetime, Sequence[str])
_T = TypeVar("_T")


class SearchAttributeIndexedValueType(IntEnum):
    """How the server indexes a search attribute."""

    TEXT = 1
    KEYWORD = 2
    INT = 3
    DOUBLE = 4
    BOOL = 5
    DATETIME = 6
    KEYWORD_LIST = 7

    @property
    def _metadata_type(self) -> str:
        """The name of this type in a payload's metadata, ``KeywordList`` say."""
        return "".join(word.capitalize() for word in self.name.split("_"))


class SearchAttributeKey(ABC, Generic[SearchAttributeValueType]):
    """Name and type of a search attribute. Made with one of the ``for_*`` methods."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Name of the attribute."""

    @property
    @abstractmethod
    def indexed_value_type(self) -> SearchAttributeIndexedValueType:
        """How the server indexes it."""

    @property
    @abstractmethod
    def value_type(self) -> type[SearchAttributeValueType]:
        """The Python type of its values."""

    @property
    def origin_value_type(self) -> type:
        """The Python type of its values without type arguments, fit for ``isinstance``."""
        return get_origin(self.value_type) or self.value_type

    def value_set(self, value: SearchAttributeValueType) -> SearchAttributeUpdate[SearchAttributeValueType]:
        """An update that sets the attribute."""
        return _Update(self, value)

    def value_unset(self) -> SearchAttributeUpdate[SearchAttributeValueType]:
        """An update that removes the attribute."""
        return _Update(self, None)

    @staticmethod
    def for_text(name: str) -> SearchAttributeKey[str]:
        """A key of full-text values."""
        return _Key(name, SearchAttributeIndexedValueType.TEXT, str)

    @staticmethod
    def for_keyword(name: str) -> SearchAttributeKey[str]:
        """A key of strings that match as a whole."""
        return _Key(name, SearchAttributeIndexedValueType.KEYWORD, str)

    @staticmethod
    def for_int(name: str) -> SearchAttributeKey[int]:
        """A key of integers."""
        return _Key(name, SearchAttributeIndexedValueType.INT, int)

    @staticmethod
    def for_float(name: str) -> SearchAttributeKey[float]:
        """A key of floating point numbers."""
        return _Key(name, SearchAttributeIndexedValueType.DOUBLE, float)

    @staticmethod
    def for_bool(name: str) -> SearchAttributeKey[bool]:
        """A key of booleans."""
        return _Key(name, SearchAttributeIndexedValueType.BOOL, bool)

    @staticmethod
    def for_datetime(name: str) -> SearchAttributeKey[datetime]:
        """A key of points in time; values need a time zone."""
        return _Key(name, SearchAttributeIndexedValueType.DATETIME, datetime)

    @staticmethod
    def for_keyword_list(name: str) -> SearchAttributeKey[Sequence[str]]:
        """A key of lists of keywords."""
        value_type: Any = Sequence[str]
        return _Key(name, SearchAttributeIndexedValueType.KEYWORD_LIST, value_type)

    @staticmethod
    def _from_metadata_type(name: str, metadata_type: str) -> SearchAttributeKey[Any] | None:
        for indexed_type in SearchAttributeIndexedValueType:
            if indexed_type._metadata_type == metadata_type:
                return _Key(name, indexed_type, _VALUE_TYPES[indexed_type])
        return None


_VALUE_TYPES: dict[SearchAttributeIndexedValueType, Any] = {
    SearchAttributeIndexedValueType.TEXT: str,
    SearchAttributeIndexedValueType.KEYWORD: str,
    SearchAttributeIndexedValueType.INT: int,
    SearchAttributeIndexedValueType.DOUBLE: float,
    SearchAttributeIndexedValueType.BOOL: bool,
    SearchAttributeIndexedValueType.DATETIME: datetime,
    SearchAttributeIndexedValueType.KEYWORD_LIST: Sequence[str],
}


class SearchAttributePair(NamedTuple, Generic[SearchAttributeValueType]):
    """A key and its value."""

    key: SearchAttributeKey[SearchAttributeValueType]
    value: SearchAttributeValueType


class SearchAttributeUpdate(ABC, Generic[SearchAttributeValueType]):
    """A change of one search attribute. Made with ``value_set`` or ``value_unset`` of a key."""

    @property
    @abstractmethod
    def key(self) -> SearchAttributeKey[SearchAttributeValueType]:
        """The key to change."""

    @property
    @abstractmethod
    def value(self) -> SearchAttributeValueType | None:
        """The new value, or ``None`` to remove the attribute."""


@dataclass(frozen=True)
class TypedSearchAttributes(Collection[SearchAttributePair[Any]]):
    """An immutable collection of search attributes, sorted by name.

    Example:
        TypedSearchAttributes([SearchAttributePair(SearchAttributeKey.for_int("Retries"), 3)])

    Args:
        search_attributes: The pairs, each name once.

    Raises:
        ValueError: A name occurs twice.
    """

    search_attributes: Sequence[SearchAttributePair[Any]]

    empty: ClassVar[TypedSearchAttributes]

    def __post_init__(self) -> None:
        """Sorts the pairs and refuses a name that occurs twice."""
        pairs = sorted(self.search_attributes, key=lambda pair: pair.key.name)
        for pair, following in pairwise(pairs):
            if pair.key.name == following.key.name:
                raise ValueError(f"Duplicate search attribute entries found for key {pair.key.name}")
        object.__setattr__(self, "search_attributes", pairs)

    def __len__(self) -> int:
        """Number of attributes."""
        return len(self.search_attributes)

    def __getitem__(self, key: SearchAttributeKey[SearchAttributeValueType]) -> SearchAttributeValueType:
        """The value of a key; name and type must match.

        Raises:
            KeyError: There is no such attribute.
        """
        for pair in self.search_attributes:
            if pair.key == key:
                return cast("SearchAttributeValueType", pair.value)
        raise KeyError(key.name)

    def __iter__(self) -> Iterator[SearchAttributePair[Any]]:
        """The pairs, by name."""
        return iter(self.search_attributes)

    def __contains__(self, key: object) -> bool:
        """Whether there is an attribute of this key, type included."""
        return any(pair.key == key for pair in self.search_attributes)

    @overload
    def get(self, key: SearchAttributeKey[SearchAttributeValueType]) -> SearchAttributeValueType | None: ...

    @overload
    def get(self, key: SearchAttributeKey[SearchAttributeValueType], default: _T) -> SearchAttributeValueType | _T: ...

    def get(self, key: SearchAttributeKey[SearchAttributeValueType], default: Any | None = None) -> Any:
        """The value of a key, or the default."""
        try:
            return self[key]
        except KeyError:
            return default

    def updated(self, *search_attributes: SearchAttributePair[Any]) -> TypedSearchAttributes:
        """A copy in which the given pairs are added, or replace those of the same name."""
        pairs = {pair.key.name: pair for pair in (*self.search_attributes, *search_attributes)}
        return TypedSearchAttributes(list(pairs.values()))


TypedSearchAttributes.empty = TypedSearchAttributes([])


@dataclass(frozen=True, repr=False)
class _Key(SearchAttributeKey[SearchAttributeValueType]):
    _name: str
    _indexed_value_type: SearchAttributeIndexedValueType
    _value_type: type[SearchAttributeValueType]

    @property
    def name(self) -> str:
        return self._name

    @property
    def indexed_value_type(self) -> SearchAttributeIndexedValueType:
        return self._indexed_value_type

    @property
    def value_type(self) -> type[SearchAttributeValueType]:
        return self._value_type

    def __repr__(self) -> str:
        return f"SearchAttributeKey({self._name!r}, {self._indexed_value_type.name})"


@dataclass(frozen=True)
class _Update(SearchAttributeUpdate[SearchAttributeValueType]):
    _key: SearchAttributeKey[SearchAttributeValueType]
    _value: SearchAttributeValueType | None

    @property
    def key(self) -> SearchAttributeKey[SearchAttributeValueType]:
        return self._key

    @property
    def value(self) -> SearchAttributeValueType | None:
        return self._value
