"""Generated type hints, values of them, and payload data that fits them well, badly or not at all."""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import types
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, Literal, NewType, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import pydantic
from hypothesis import strategies as st
from typing_extensions import is_typeddict

from tests.parity import zoo

_DEPTH = 3

text = st.text(st.characters(codec="utf-8"), max_size=8)
floats = st.floats(allow_nan=False)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | floats | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)
# Offsets instead of names of zones, which the wire does not keep, and whole minutes: pydantic reads no others.
datetimes = st.datetimes(
    timezones=st.none() | st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
)
_HASHABLE = (int, float, str, bool, UUID, datetime, zoo.Level, zoo.Size, zoo.Quantity, zoo.Frozen)

_SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    int: st.integers(),
    float: floats,
    str: text,
    bool: st.booleans(),
    bytes: st.binary(max_size=6),
    bytearray: st.binary(max_size=6).map(bytearray),
    type(None): st.none(),
    UUID: st.uuids(),
    datetime: datetimes,
    date: st.dates(),
    time: st.times(),
    timedelta: st.timedeltas(),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False),
    Any: json_values,
}


def hints(*, beyond: bool = False) -> st.SearchStrategy[Any]:
    """Type hints, those that temporalio refuses too if `beyond` is set."""
    singles = st.sampled_from((*zoo.SCALARS, *zoo.RECORDS, *(zoo.BEYOND if beyond else ())))
    keys = st.sampled_from(zoo.KEYS)

    def holding(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.one_of(
            st.builds(_subscripted, st.sampled_from((list, collections.deque, collections.abc.Sequence)), inner),
            st.builds(_subscripted, st.sampled_from(zoo.GENERIC_CONTAINERS), st.sampled_from(_HASHABLE)),
            st.builds(lambda kind, key, value: kind[key, value], st.sampled_from(zoo.MAPPINGS), keys, inner),
            st.builds(lambda item: tuple[item, ...], inner),  # type: ignore[valid-type]
            st.builds(lambda first, second: tuple[first, second], inner, inner),  # type: ignore[valid-type]
            st.builds(_union, inner, st.none()),
            st.builds(_union, inner, inner),
            st.builds(_union, singles, inner, inner),
            st.sampled_from(zoo.BARE),
        )

    return st.recursive(singles, holding, max_leaves=4)


def values_of(hint: Any, depth: int = _DEPTH) -> st.SearchStrategy[Any]:
    """Values that the hint describes, as a decoder returns them: lists for sequences and the like."""
    if hint in _SCALARS:
        return _SCALARS[hint]
    origin, args = get_origin(hint), get_args(hint)
    if origin is Union or origin is types.UnionType:
        return st.one_of([values_of(each, depth) for each in args])
    if origin is Literal:
        return st.sampled_from(args)
    if isinstance(hint, NewType):
        return values_of(hint.__supertype__, depth)
    kind = origin or hint
    if dataclasses.is_dataclass(kind) or issubclass(kind, pydantic.BaseModel) or hasattr(kind, "_fields"):
        return _records(kind, args, depth)
    if is_typeddict(kind):
        return _typed_dicts(kind, depth)
    if issubclass(kind, enum.Enum):
        # Not combinations of flags: temporalio makes one of `false` that is equal to 0 and written as false.
        return st.sampled_from(list(kind))
    return _containers(kind, args, depth)


def is_clear(hint: Any) -> bool:
    """Whether JSON tells which type each value was of: in unions only null and one other."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Union or origin is types.UnionType:
        return len(args) == 2 and type(None) in args and all(map(is_clear, args)) and Any not in args
    return hint is not zoo.Bits and (origin is Literal or all(is_clear(each) for each in args if each is not ...))


def _containers(kind: Any, args: tuple[Any, ...], depth: int) -> st.SearchStrategy[Any]:
    size = 2 if depth > 0 else 0
    if issubclass(kind, collections.abc.Mapping):
        key, value = args or (str, Any)
        keys = text if key is Any else values_of(key)
        return st.dictionaries(keys, values_of(value, depth - 1), max_size=size)
    if kind is tuple and args and args[-1] is not ...:
        return st.tuples(*(values_of(each, depth - 1) for each in args))
    build: Callable[[Any], Any] = {
        set: set,
        frozenset: frozenset,
        collections.deque: collections.deque,
        tuple: tuple,
    }.get(kind, list)
    item = args[0] if args else (int if kind is set else Any)
    return st.lists(values_of(item, depth - 1), max_size=size).map(build)


def _records(kind: Any, args: tuple[Any, ...], depth: int) -> st.SearchStrategy[Any]:
    field_hints = get_type_hints(kind)
    if args and dataclasses.is_dataclass(kind):
        field_hints = {name: _substituted(hint, args[0]) for name, hint in field_hints.items()}
    required: list[str] = []
    optional: list[str] = []
    if dataclasses.is_dataclass(kind):
        for each in dataclasses.fields(kind):
            if each.init:
                bare = each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING
                (required if bare else optional).append(each.name)
    elif issubclass(kind, pydantic.BaseModel):
        field_hints = {name: info.annotation for name, info in kind.model_fields.items()}
        for name, info in kind.model_fields.items():
            (required if info.is_required() else optional).append(name)
    else:
        required, optional = (
            [name for name in kind._fields if name not in kind._field_defaults],
            [*kind._field_defaults],
        )
    given = {name: values_of(field_hints[name], depth - 1) for name in required}
    if depth > 0:
        given |= {name: values_of(field_hints[name], depth - 1) for name in optional}
    if kind is zoo.Strict:
        given["value"] = st.integers(min_value=0)
    made: Any = kind
    return st.builds(made, **given)


def _typed_dicts(kind: Any, depth: int) -> st.SearchStrategy[Any]:
    field_hints = get_type_hints(kind)
    required = {name: values_of(field_hints[name], depth - 1) for name in kind.__required_keys__}
    optional = {name: values_of(field_hints[name], depth - 1) for name in kind.__optional_keys__}
    return st.fixed_dictionaries(required, optional=optional if depth > 0 else {})


@st.composite
def damaged(draw: st.DrawFn, value: Any) -> Any:
    """The JSON value with one thing in it changed: a field lost, one more, a value of another type."""
    if isinstance(value, dict) and value and draw(st.booleans()):
        key = draw(st.sampled_from(sorted(value)))
        return {**value, key: draw(damaged(value[key]))}
    if isinstance(value, list) and value and draw(st.booleans()):
        index = draw(st.integers(0, len(value) - 1))
        return [*value[:index], draw(damaged(value[index])), *value[index + 1 :]]
    if isinstance(value, dict) and value and draw(st.booleans()):
        lost = draw(st.sampled_from(sorted(value)))
        return {key: each for key, each in value.items() if key != lost}
    if isinstance(value, dict) and draw(st.booleans()):
        return {**value, draw(text): draw(json_values)}
    if isinstance(value, list) and draw(st.booleans()):
        return [*value, draw(json_values)]
    return draw(json_values)


def _subscripted(kind: Any, item: Any) -> Any:
    return kind[item]


def _union(*members: Any) -> Any:
    return Union[members]  # noqa: UP007 - made of a tuple


def _substituted(hint: Any, argument: Any) -> Any:
    if hint is zoo.T:
        return argument
    return hint[argument] if getattr(hint, "__parameters__", ()) else hint
