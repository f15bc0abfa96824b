"""Results of activities and Nexus operations on their way to the server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from invincible._native import Payload
from invincible.converter import DataConverter
from invincible.converter._errors import encoding_error


def payload_of(result: Any, converter: DataConverter, kind: str, name: str) -> Payload:
    """A result, converted; the codec has not had it yet.

    Args:
        result: The value.
        converter: Converts it.
        kind: Whose result it is, as errors say it: ``activity``, ``Nexus operation``.
        name: The name of that.

    Raises:
        TypeError: It cannot be converted.
    """
    try:
        return converter.payload_converter.to_payload(result)
    except Exception as error:
        shown = converter.payload_codec is None
        raise encoding_error(f"the result of {kind} {name!r}", error, show_values=shown) from (error if shown else None)


def only(encoded: Sequence[Payload]) -> Payload:
    """What a codec has made of a result.

    Raises:
        RuntimeError: It has made several payloads of it, or none.
    """
    if len(encoded) != 1:
        raise RuntimeError(f"the payload codec made {len(encoded)} payloads of one result")
    return encoded[0]
