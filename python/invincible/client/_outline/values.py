"""Payloads as text and as JSON, whoever made them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from .text import clean, shortened, size_text

_PARSED = 64 * 1024  # bytes of JSON that are parsed although only a part of them is shown


class AnyPayload(Protocol):
    """A payload, native or a protobuf message."""

    @property
    def metadata(self) -> Mapping[str, bytes]: ...
    @property
    def data(self) -> bytes: ...


def values_text(payloads: Iterable[AnyPayload], limit: int | None = None) -> str:
    """Values, separated by commas.

    Args:
        payloads: The values.
        limit: Most characters of each; all of them if ``None``.
    """
    return ", ".join(value_text(payload, limit) for payload in payloads)


def value_text(payload: AnyPayload, limit: int | None = None) -> str:
    """A value on one line: JSON as it is, or what there is instead.

    Args:
        payload: The value.
        limit: Most characters; all of them if ``None``.
    """
    encoding, size = encoding_of(payload), size_text(len(payload.data))
    if encoding == "binary/null":
        return "null"
    if not encoding.startswith("json/"):
        return clean(_described(encoding, payload, size))
    data = payload.data
    if limit is not None and len(data) > max(limit * 4, _PARSED):
        # Of a large value only so much is read as can be shown: a character has four bytes at most.
        return shortened(clean(data[: limit * 4].decode(errors="replace")), limit, len(data))
    try:
        text = json.dumps(json.loads(data), ensure_ascii=False)
    except (ValueError, RecursionError):
        text = data.decode(errors="replace")
    return shortened(clean(text), limit, len(data))


def value_json(payload: AnyPayload) -> Any:
    """A value for JSON output: itself if it is JSON, else an object with metadata and data in Base64."""
    encoding = encoding_of(payload)
    if encoding == "binary/null":
        return None
    if encoding.startswith("json/"):
        try:
            return json.loads(payload.data)
        except (ValueError, RecursionError):
            pass
    metadata = {key: base64.b64encode(value).decode() for key, value in payload.metadata.items()}
    return {"metadata": metadata, "data": base64.b64encode(payload.data).decode()}


def encoding_of(payload: AnyPayload) -> str:
    """The encoding that the payload names; empty if none."""
    return payload.metadata.get("encoding", b"").decode(errors="replace") if "encoding" in payload.metadata else ""


def parsed(payload: AnyPayload | None) -> Any:
    """What a JSON payload says; ``None`` if it is none."""
    if payload is None or not encoding_of(payload).startswith("json/"):
        return None
    try:
        return json.loads(payload.data)
    except (ValueError, RecursionError):
        return None


def _described(encoding: str, payload: AnyPayload, size: str) -> str:
    if encoding == "binary/plain":
        return f"<{size} of bytes>"
    if encoding == "binary/protobuf":
        return f"<message {payload.metadata.get('messageType', b'').decode(errors='replace')}, {size}>"
    if encoding == "binary/encrypted":
        return f"<encrypted, {size}>"
    return f"<{encoding or 'without encoding'}, {size}>"
