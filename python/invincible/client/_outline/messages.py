"""Reading protobuf messages."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any


def time_of(message: Any, field: str) -> datetime | None:
    """A time of a message; ``None`` if it has none."""
    if not message.HasField(field):
        return None
    stamp = getattr(message, field)
    try:
        return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(
            seconds=stamp.seconds, microseconds=stamp.nanos // 1000
        )
    except OverflowError:
        return None


def duration_of(message: Any, field: str) -> timedelta | None:
    """A duration of a message; ``None`` if it has none, or none that matters."""
    if not message.HasField(field):
        return None
    duration = getattr(message, field)
    try:
        return timedelta(seconds=duration.seconds, microseconds=duration.nanos // 1000) or None
    except OverflowError:
        return None


def enum_text(message: Any, field: str) -> str:
    """The value of an enumeration in words; empty if it is unspecified."""
    number = getattr(message, field)
    values = message.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number
    if not number:
        return ""
    if number not in values:
        return str(number)
    prefix = values[0].name.removesuffix("UNSPECIFIED")
    words: str = values[number].name.removeprefix(prefix).lower().replace("_", " ")
    return words
