"""Payloads as values: the native type, and what users hand in for it."""

from __future__ import annotations

from typing import Any

from invincible._native import Payload

from ._errors import ConversionError


def as_payload(payload: Any) -> Payload:
    """A native payload made of any object with ``metadata`` and ``data``, a protobuf message say.

    Raises:
        ConversionError: It is no such object.
    """
    if type(payload) is Payload:
        return payload
    try:
        return Payload(dict(payload.metadata), bytes(payload.data))
    except (AttributeError, TypeError, ValueError):
        raise ConversionError(
            f"expected a Payload (an object with metadata and data), got {type(payload).__name__}"
        ) from None
