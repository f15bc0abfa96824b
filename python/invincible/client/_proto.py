"""Values in protobuf messages. Imports protobuf: to be imported where a message is at hand anyway."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from google.protobuf.duration_pb2 import Duration

from invincible._native import Payload
from invincible.api.common.v1 import Payload as PayloadMessage
from invincible.api.sdk.v1 import UserMetadata

if TYPE_CHECKING:
    from google.protobuf.message import Message


def duration(value: timedelta | None) -> Duration | None:
    """A duration as its message."""
    if value is None:
        return None
    message = Duration()
    message.FromTimedelta(value)
    return message


def payload_message(payload: Payload) -> PayloadMessage:
    """A payload as its message."""
    return PayloadMessage.FromString(payload.SerializeToString())


def user_metadata(summary: Payload | None, details: Payload | None = None) -> UserMetadata | None:
    """Texts for the Web UI as their message; none for none."""
    if summary is None and details is None:
        return None
    return UserMetadata(
        summary=None if summary is None else payload_message(summary),
        details=None if details is None else payload_message(details),
    )


def field(message: Message, name: str) -> Any:
    """A field that is a message; ``None`` if it is not set."""
    return getattr(message, name) if message.HasField(name) else None


def time_of(message: Message, name: str) -> datetime | None:
    """A time in UTC; ``None`` if the field is not set."""
    timestamp = field(message, name)
    return None if timestamp is None else timestamp.ToDatetime(timezone.utc)


def timedelta_of(message: Message, name: str) -> timedelta | None:
    """A duration; ``None`` if the field is not set."""
    value = field(message, name)
    return None if value is None else value.ToTimedelta()
