"""Decoders of single values: numbers, text, times, enums, literals.

A decoder takes a value as JSON gives it and returns it as the type hint wants it, or raises ``ConversionError``.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import Any

from invincible._native import JsonPlan

from ._durations import parse_datetime, parse_duration
from ._errors import ConversionError
from ._plans import set_plan

Decoder = Callable[[Any], Any]


def decode_any(value: Any) -> Any:
    """Takes everything."""
    return value


def decode_none(value: Any) -> None:
    """Takes null."""
    if value is not None:
        raise ConversionError.mismatch("None", value)


def decode_str(value: Any) -> str:
    """Takes text."""
    if isinstance(value, str):
        return value
    raise ConversionError.mismatch("str", value)


def decode_int(value: Any) -> int:
    """Takes numbers and booleans; decimals are cut off."""
    if type(value) is int:
        return value
    if isinstance(value, (int, float)):
        try:
            return int(value)
        except (ValueError, OverflowError):
            pass
    raise ConversionError.mismatch("int", value)


def decode_float(value: Any) -> float:
    """Takes numbers and booleans."""
    if isinstance(value, (int, float)):
        try:
            return float(value)
        except OverflowError:
            pass
    raise ConversionError.mismatch("float", value)


def decode_bool(value: Any) -> bool:
    """Takes booleans."""
    if isinstance(value, bool):
        return value
    raise ConversionError.mismatch("bool", value)


def decode_bytes(value: Any) -> bytes:
    """Takes lists of integers from 0 to 255, which is how bytes inside of other values are written."""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if isinstance(value, list):
        try:
            return bytes(value)
        except (TypeError, ValueError):
            pass
    raise ConversionError.mismatch("bytes (a list of integers from 0 to 255)", value)


def decode_bytearray(value: Any) -> bytearray:
    """Takes what :func:`decode_bytes` takes."""
    return bytearray(decode_bytes(value))


def decode_uuid(value: Any) -> uuid.UUID:
    """Takes text."""
    if isinstance(value, uuid.UUID):
        return value
    if isinstance(value, str):
        try:
            return uuid.UUID(value)
        except ValueError:
            pass
    raise ConversionError.mismatch("UUID", value)


def decode_datetime(value: Any) -> datetime:
    """Takes ISO 8601 text."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, str):
        try:
            return parse_datetime(value)
        except ValueError:
            pass
    raise ConversionError.mismatch("datetime (ISO 8601 text)", value)


def decode_date(value: Any) -> date:
    """Takes ISO 8601 text."""
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise ConversionError.mismatch("date (ISO 8601 text)", value)


def decode_time(value: Any) -> time:
    """Takes ISO 8601 text."""
    if isinstance(value, time):
        return value
    if isinstance(value, str):
        try:
            # A date is added so that one parser reads the same forms on every version of Python.
            return parse_datetime(f"2000-01-01T{value.removeprefix('T')}").timetz()
        except ValueError:
            pass
    raise ConversionError.mismatch("time (ISO 8601 text)", value)


def decode_timedelta(value: Any) -> timedelta:
    """Takes ISO 8601 text, and numbers as seconds."""
    if isinstance(value, timedelta):
        return value
    try:
        if isinstance(value, str):
            return parse_duration(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return timedelta(seconds=value)
    except (ValueError, OverflowError):
        pass
    raise ConversionError.mismatch("timedelta (ISO 8601 text or a number of seconds)", value)


def decode_decimal(value: Any) -> Any:
    """Takes text and numbers."""
    from decimal import Decimal, InvalidOperation

    if isinstance(value, Decimal):
        return value
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        try:
            return Decimal(str(value))
        except InvalidOperation:
            pass
    raise ConversionError.mismatch("Decimal", value)


def enum_decoder(enum: type[Enum]) -> Decoder:
    """Takes the values of an enum."""
    kind: type | None = str if issubclass(enum, str) else int if issubclass(enum, int) else None
    members: dict[Any, Enum] = {}
    for member in enum:
        try:
            members.setdefault(member.value, member)
        except TypeError:
            continue  # An unhashable value: the enum itself compares.
    name = f"{enum.__name__} (one of {', '.join(repr(member.value) for member in enum)})" if members else enum.__name__

    def decode(value: Any) -> Any:
        if kind is not None and not isinstance(value, kind):
            raise ConversionError.mismatch(name, value)
        if kind is int:
            # A flag made of False would be kept by its class and be False wherever 0 is looked up.
            value = int(value)
        try:
            # JSON has lists where a member's value may be a tuple.
            return members[tuple(value) if isinstance(value, list) else value]
        except (KeyError, TypeError):
            pass
        try:
            return enum(value)
        except (ValueError, TypeError, KeyError):
            raise ConversionError.mismatch(name, value) from None

    return decode


def literal_decoder(choices: tuple[Any, ...]) -> Decoder:
    """Takes the given values; an enum's member is chosen by its value."""
    name = f"Literal[{', '.join(map(repr, choices))}]"
    members = {choice.value: choice for choice in choices if isinstance(choice, Enum)}

    def decode(value: Any) -> Any:
        if not isinstance(value, (list, dict)):
            if value in members:
                return members[value]
            if value in choices:
                return value
        raise ConversionError.mismatch(name, value)

    return decode


LEAVES: dict[Any, Decoder] = {
    Any: decode_any,
    object: decode_any,
    None: decode_none,
    type(None): decode_none,
    str: decode_str,
    int: decode_int,
    float: decode_float,
    bool: decode_bool,
    bytes: decode_bytes,
    bytearray: decode_bytearray,
    uuid.UUID: decode_uuid,
    datetime: decode_datetime,
    date: decode_date,
    time: decode_time,
    timedelta: decode_timedelta,
}

# What a decoder returns unchanged, so that whoever holds many values need not call it for each.
PASSED_THROUGH: dict[Decoder, type] = {
    decode_none: type(None),
    decode_str: str,
    decode_int: int,
    decode_float: float,
    decode_bool: bool,
}

set_plan(decode_any, JsonPlan.ANY)
set_plan(decode_none, JsonPlan.NULL)
set_plan(decode_str, JsonPlan.TEXT)
set_plan(decode_int, JsonPlan.INT)
set_plan(decode_float, JsonPlan.FLOAT)
set_plan(decode_bool, JsonPlan.BOOL)
