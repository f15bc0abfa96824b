"""Decoders of values that hold others: lists, tuples, sets, mappings, unions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from weakref import WeakSet

from invincible._native import JsonPlan

from ._decode_leaves import (
    PASSED_THROUGH,
    Decoder,
    decode_any,
    decode_bool,
    decode_decimal,
    decode_float,
    decode_int,
    decode_none,
    decode_str,
    decode_timedelta,
)
from ._errors import ConversionError
from ._plans import own_plan, plan_of, set_plan

# Decoders that take text and mappings for want of a list.
SEQUENCE_DECODERS: WeakSet[Decoder] = WeakSet()

_NUMBER_DECODERS = frozenset((decode_int, decode_float, decode_bool, decode_none))
_NUMBER_TAKERS = _NUMBER_DECODERS | {decode_decimal, decode_timedelta}


def sequence_decoder(name: str, build: Callable[[Iterable[Any]], Any], item: Decoder) -> Decoder:
    """Takes lists; text and mappings too, as the sequence of their characters or keys."""
    unchanged = PASSED_THROUGH.get(item)

    def decode(value: Any) -> Any:
        if type(value) is not list:
            if not isinstance(value, Iterable):
                raise ConversionError.mismatch(name, value)
            value = list(value)
        if item is decode_any or {*map(type, value)} == {unchanged}:
            return _built(name, build, value)
        items: list[Any] = []
        try:
            for each in value:
                items.append(item(each))
        except ConversionError as error:
            error.within(f"[{len(items)}]")
            raise
        return items if build is list else _built(name, build, items)

    SEQUENCE_DECODERS.add(decode)
    if build is list:
        set_plan(decode, JsonPlan.list(plan_of(item)))
    return decode


def tuple_decoder(name: str, items: tuple[Decoder, ...]) -> Decoder:
    """Takes lists of at most as many items as the tuple has."""

    def decode(value: Any) -> Any:
        if not isinstance(value, Iterable):
            raise ConversionError.mismatch(name, value)
        value = list(value)
        if len(value) > len(items):
            raise ConversionError(f"expected {name}, got {len(value)} items")
        decoded: list[Any] = []
        try:
            for each, item in zip(value, items, strict=False):
                decoded.append(item(each))
        except ConversionError as error:
            error.within(f"[{len(decoded)}]")
            raise
        return tuple(decoded)

    SEQUENCE_DECODERS.add(decode)
    return decode


def mapping_decoder(name: str, build: Callable[[Mapping[Any, Any]], Any], key: Decoder, value: Decoder) -> Decoder:
    """Takes JSON objects."""
    decode_key, decode_value = _key_decoder(key), value
    unchanged = PASSED_THROUGH.get(value)
    keep_keys = key is decode_any or key is decode_str

    def decode(value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise ConversionError.mismatch(name, value)
        if (
            keep_keys
            and (decode_value is decode_any or {*map(type, value.values())} == {unchanged})
            and (key is decode_any or {*map(type, value)} == {str})
        ):
            return build(value)
        decoded: dict[Any, Any] = {}
        for each_key, each in value.items():
            try:
                decoded[decode_key(each_key)] = decode_value(each)
            except ConversionError as error:
                error.within_key(each_key)
                raise
        return decoded if build is dict else build(decoded)

    if build is dict and keep_keys:
        set_plan(decode, JsonPlan.dict(plan_of(decode_value)))
    return decode


def union_decoder(name: str, members: tuple[Decoder, ...]) -> Decoder:
    """Takes what any member takes; the first that does decides.

    If a number, boolean or null has a member of exactly its type, then members that would change it are not asked:
    ``int | float`` keeps the decimals. Text and mappings go to sequences only if no other member takes them:
    ``list[str] | str`` keeps the text in one piece.
    """
    patient = tuple(sorted(members, key=SEQUENCE_DECODERS.__contains__))
    first_sequence = next((member for member in patient if member in SEQUENCE_DECODERS), None)
    exact = {PASSED_THROUGH[each]: _not_changing(members, each) for each in members if each in _NUMBER_DECODERS}
    passed_through = frozenset(kind for kind, candidates in exact.items() if PASSED_THROUGH.get(candidates[0]) is kind)

    def decode(value: Any) -> Any:
        kind = type(value)
        if kind in passed_through:
            return value
        closest: ConversionError | None = None
        is_list = kind is list
        for member in exact.get(kind) or (members if is_list else patient):
            if member is first_sequence and closest is not None and not is_list:
                # A mapping that another member nearly takes is no sequence of its keys.
                break
            try:
                return member(value)
            except ConversionError as error:
                # An error inside of the value, or of a type that knows its fields, says more than "no match".
                if error.path or not error.is_mismatch:
                    closest = error if closest is None else ConversionError.mismatch(name, value)
        raise closest or ConversionError.mismatch(name, value)

    if len(members) == 2 and decode_none in members:
        other = members[members[0] is decode_none]
        plan = None if other is decode_any else own_plan(other)
        if plan is not None:
            set_plan(decode, JsonPlan.optional(plan))
    return decode


def _not_changing(members: tuple[Decoder, ...], exact: Decoder) -> tuple[Decoder, ...]:
    """The members to ask about values that one of them returns unchanged: without those that make other numbers."""
    return tuple(each for each in members if each is exact or each not in _NUMBER_TAKERS)


def _built(name: str, build: Callable[[Iterable[Any]], Any], items: list[Any]) -> Any:
    try:
        return build(items)
    except TypeError:
        raise ConversionError(f"expected {name}, got an item that cannot be hashed") from None


def _key_decoder(decoder: Decoder) -> Decoder:
    """Takes the keys of a JSON object, which are text whatever they were."""
    if decoder is decode_str or decoder is decode_any:
        return decoder
    parse = _KEY_PARSERS.get(decoder, _parsed_scalar)

    def decode(key: Any) -> Any:
        try:
            return decoder(key)
        except ConversionError:
            if not isinstance(key, str):
                raise
            try:
                parsed = parse(key)
            except (ValueError, KeyError):
                pass
            else:
                return decoder(parsed)
            raise

    return decode


def _parsed_scalar(key: str) -> Any:
    parsed = json.loads(key)
    if isinstance(parsed, (list, dict, str)):
        raise ValueError("not a key")
    return parsed


_KEY_PARSERS: dict[Decoder, Callable[[str], Any]] = {
    decode_int: int,
    decode_float: float,
    decode_bool: {"true": True, "false": False}.__getitem__,
    decode_none: {"null": None}.__getitem__,
}
