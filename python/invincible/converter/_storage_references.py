"""References: the payloads that stand for those in external storage."""

from __future__ import annotations

import json
from typing import Any

from invincible._native import Payload

from ._errors import ConversionError
from ._storage import StorageDriverClaim

_ENCODING = "json/protobuf"
_MESSAGE_TYPE = b"temporal.api.sdk.v1.ExternalStorageReference"
# What SDKs wrote before there was a message for it.
_LEGACY_ENCODING = "json/external-storage-reference"


def is_reference(payload: Payload) -> bool:
    """Whether a payload stands for one in external storage."""
    encoding = payload.encoding
    if encoding == _ENCODING:
        return payload.metadata.get("messageType") == _MESSAGE_TYPE
    return encoding == _LEGACY_ENCODING


def reference(driver_name: str, claim: StorageDriverClaim, size: int) -> Payload:
    """The payload that stands for one of ``size`` bytes in external storage."""
    from invincible.api.common.v1 import Payload as PayloadMessage

    content = {"claimData": dict(claim.claim_data), "driverName": driver_name}
    message = PayloadMessage(
        metadata={"encoding": _ENCODING.encode(), "messageType": _MESSAGE_TYPE},
        data=json.dumps(content, separators=(",", ":"), sort_keys=True).encode(),
        external_payloads=[PayloadMessage.ExternalPayloadDetails(size_bytes=size)],
    )
    return Payload.FromString(message.SerializeToString())


def claim_of(payload: Payload) -> tuple[str, StorageDriverClaim]:
    """What a reference says: the name of the driver, and its claim.

    Raises:
        ConversionError: It is broken.
    """
    try:
        return _parsed_legacy(payload) if payload.encoding == _LEGACY_ENCODING else _parsed(payload)
    except (ValueError, KeyError, TypeError) as error:
        raise ConversionError.refused("a reference to external storage", error) from error


def not_configured(payload: Payload) -> ConversionError:
    """The error of a reference that meets a data converter without external storage."""
    name, _ = claim_of(payload)
    # The code is that of Temporal's documentation, the same in every SDK.
    return ConversionError(
        f"[TMPRL1105] the payload is in external storage (driver {name!r}), but the data converter has no "
        f"external_storage: give it the one that the payload was written with"
    )


def _parsed(payload: Payload) -> tuple[str, StorageDriverClaim]:
    from google.protobuf.json_format import Parse, ParseError

    from invincible.api.sdk.v1 import ExternalStorageReference

    try:
        message = Parse(payload.data, ExternalStorageReference(), ignore_unknown_fields=True)
    except ParseError as error:
        raise ValueError(str(error)) from error
    return message.driver_name, StorageDriverClaim(dict(message.claim_data))


def _parsed_legacy(payload: Payload) -> tuple[str, StorageDriverClaim]:
    content: Any = json.loads(payload.data)
    return content["driver_name"], StorageDriverClaim(dict(content["driver_claim"]["claim_data"]))
