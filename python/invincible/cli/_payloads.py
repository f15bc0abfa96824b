"""Payloads to and from the codec."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ._output import failure

if TYPE_CHECKING:
    from invincible._native import Payload
    from invincible.api.common.v1 import Payload as PayloadMessage
    from invincible.client import SyncClient
    from invincible.converter import DataConverter


def decoded(client: SyncClient, payloads: Iterable[Any], converter: DataConverter | None = None) -> list[Payload]:
    """The payloads as they were before the codec; as they are if there is none.

    Args:
        client: Its event loop is the one that the codec is used on.
        payloads: Native ones or messages.
        converter: That of a context, instead of the client's.

    Raises:
        ClickException: The codec fails.
    """
    from invincible.converter._payloads import as_payload

    stored = [as_payload(each) for each in payloads]
    chosen = client.data_converter if converter is None else converter
    try:
        found: list[Payload] = client._calls.run(lambda _: chosen._from_wire(stored)).get()
    except Exception as error:  # the codec may be anybody's
        raise failure(f"cannot decode payloads: {error}") from None
    return found


def encoded(client: SyncClient, values: Sequence[Any]) -> list[PayloadMessage]:
    """Values as payloads for a request that is made here, the codec applied.

    Raises:
        ClickException: The codec fails.
    """
    from invincible.client._proto import payload_message

    try:
        payloads = client._calls.run(lambda _: client.data_converter.encode(values)).get()
    except Exception as error:  # the codec may be anybody's
        raise failure(f"cannot encode payloads: {error}") from None
    return [payload_message(each) for each in payloads]


def decoded_values(
    client: SyncClient, fields: Mapping[str, Any], converter: DataConverter | None = None
) -> dict[str, Payload]:
    """The payloads of named values, as they were before the codec."""
    return dict(zip(fields, decoded(client, fields.values(), converter), strict=True))
