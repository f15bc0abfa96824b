"""Values that skip the payload converter."""

from __future__ import annotations

from dataclasses import dataclass

from invincible._native import Payload


@dataclass(frozen=True)
class RawValue:
    """A payload that is passed through as it is.

    As an argument or result it is sent without conversion; as a type hint it receives the payload undecoded. Payload
    codecs still apply.

    Args:
        payload: The payload, or any object with ``metadata`` and ``data``.
    """

    payload: Payload
