"""Values of calls as payloads and back. Nothing waits here unless there is a codec or external storage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from invincible._native import Payload
from invincible.converter import DataConverter, Signature, decode_result


async def encode_arguments(converter: DataConverter, args: Sequence[Any], signature: Signature | None) -> list[Payload]:
    """Arguments, by position on the wire.

    Raises:
        ConversionError: One cannot be converted; the error names it where the signature is known.
    """
    if signature is None:
        return await converter.encode(args)
    payloads = signature.encode(args, converter.payload_converter, show_values=converter.payload_codec is None)
    return await converter._to_wire(payloads) if converter._transforms else payloads


async def encode_map(converter: DataConverter, values: Mapping[str, Any] | None) -> dict[str, Payload]:
    """Values by name, a memo say."""
    return {name: (await converter.encode([value]))[0] for name, value in (values or {}).items()}


async def encode_text(converter: DataConverter, text: str | None) -> Payload | None:
    """A text for the Web UI."""
    return None if text is None else (await converter.encode([text]))[0]


async def decode_first(converter: DataConverter, payloads: Sequence[Payload], hint: Any, target: str) -> Any:
    """The result of a call; ``None`` if there is none.

    Args:
        converter: Converts it.
        payloads: The payloads of which it is the first.
        hint: Type wanted, if known.
        target: How errors name what was called.

    Raises:
        ArgumentError: It does not fit the hint.
    """
    if converter._transforms:
        payloads = await converter._from_wire(payloads)
    payload = payloads[0] if payloads else None
    return decode_result(
        payload, hint, converter.payload_converter, target, show_values=converter.payload_codec is None
    )


async def encode_headers(converter: DataConverter, headers: Mapping[str, Payload]) -> dict[str, Payload]:
    """Headers for workers that have the codec decode them. They have no context, as with every SDK."""
    if not converter._transforms:
        return dict(headers)
    return {name: (await converter._to_wire([payload]))[0] for name, payload in headers.items()}
