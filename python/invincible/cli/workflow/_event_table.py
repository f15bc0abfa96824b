"""Events one by one, as the history has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from .._output import print_table

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from invincible.api.history.v1 import HistoryEvent

_VALUE = 80


def print_events(events: Iterable[HistoryEvent], *, full: bool) -> None:
    """Print events with what they say, a line for each."""
    print_table(("EVENT", "TIME", "TYPE", "ATTRIBUTES"), (_row(event, full) for event in events))


def _row(event: HistoryEvent, full: bool) -> list[str]:
    from invincible.client._outline.messages import enum_text, time_of

    moment = time_of(event, "event_time")
    kind = event.WhichOneof("attributes")
    attributes = "" if kind is None else ", ".join(_attributes(getattr(event, kind), None if full else _VALUE))
    when = "" if moment is None else moment.astimezone().strftime("%H:%M:%S.%f")[:-3]
    return [str(event.event_id), when, enum_text(event, "event_type"), attributes]


def _attributes(message: Message, limit: int | None) -> Iterator[str]:
    from invincible.client._outline.failures import told
    from invincible.client._outline.messages import duration_of, enum_text
    from invincible.client._outline.text import duration_text, shortened
    from invincible.client._outline.values import values_text

    for field, value in message.ListFields():
        text: Any = None
        if field.enum_type is not None:
            text = enum_text(message, field.name)
        elif field.message_type is None:
            text = None if isinstance(value, bytes) or not isinstance(value, (str, int, float)) else str(value)
        elif field.message_type.full_name == "google.protobuf.Duration":
            duration = duration_of(message, field.name)
            text = None if duration is None else duration_text(duration)
        elif field.message_type.full_name == "temporal.api.failure.v1.Failure":
            text = told(value).title
        elif hasattr(value, "payloads"):
            text = f"[{values_text(value.payloads, limit)}]"
        elif isinstance(getattr(value, "name", None), str):
            text = value.name
        elif hasattr(value, "workflow_id"):
            text = value.workflow_id
        if text:
            yield f"{field.name}={text if field.message_type is not None else shortened(text, limit)}"
