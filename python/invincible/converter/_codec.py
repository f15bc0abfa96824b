"""Payload codecs: encryption, compression and the like, between the payload converter and the wire."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, Any

from invincible._native import Failure, Payload

from ._errors import ConversionError
from ._failure_payloads import Convert, with_payloads
from ._payloads import as_payload

if TYPE_CHECKING:
    from invincible.api.common.v1 import Payloads


class PayloadCodec(ABC):
    """Turns payloads into other payloads before they are sent, and back after they are received.

    Runs outside of workflows and may do I/O.
    """

    @abstractmethod
    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encodes payloads.

        Args:
            payloads: At least one payload. Not to be changed.

        Returns:
            At least one payload and no more than were given.
        """

    @abstractmethod
    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decodes payloads.

        Args:
            payloads: At least one payload. Not to be changed.

        Returns:
            As many payloads as were encoded together.
        """

    async def encode_wrapper(self, payloads: Payloads) -> None:
        """Encodes the payloads of a protobuf message in place."""
        await _replace(payloads, encoded(self, [as_payload(payload) for payload in payloads.payloads]))

    async def decode_wrapper(self, payloads: Payloads) -> None:
        """Decodes the payloads of a protobuf message in place."""
        await _replace(payloads, decoded(self, [as_payload(payload) for payload in payloads.payloads]))

    async def encode_failure(self, failure: Failure) -> Failure:
        """Encodes every payload of a failure and of its causes.

        Args:
            failure: The failure. A protobuf message of one is changed in place too.

        Returns:
            The encoded failure.
        """
        return await _replaced(failure, lambda payloads: encoded(self, payloads))

    async def decode_failure(self, failure: Failure) -> Failure:
        """Decodes every payload of a failure and of its causes.

        Args:
            failure: The failure. A protobuf message of one is changed in place too.

        Returns:
            The decoded failure.
        """
        return await _replaced(failure, lambda payloads: decoded(self, payloads))


async def encoded(codec: PayloadCodec, payloads: Sequence[Payload]) -> list[Payload]:
    """The payloads as the codec encodes them, if there are any.

    Raises:
        ConversionError: The codec returned none, or more than it was given.
    """
    if not payloads:
        return []
    result = [as_payload(payload) for payload in await codec.encode(payloads)]
    if not 0 < len(result) <= len(payloads):
        raise ConversionError(f"{type(codec).__name__}.encode returned {len(result)} payloads for {len(payloads)}")
    return result


async def decoded(codec: PayloadCodec, payloads: Sequence[Payload]) -> list[Payload]:
    """The payloads as the codec decodes them, if there are any."""
    if not payloads:
        return []
    return [as_payload(payload) for payload in await codec.decode(payloads)]


async def _replace(message: Payloads, payloads: Awaitable[list[Payload]]) -> None:
    from ._messages import payloads_message

    message.CopyFrom(payloads_message(await payloads))


async def _replaced(failure: Any, convert: Convert) -> Failure:
    if isinstance(failure, Failure):
        return await with_payloads(failure, convert)
    from ._messages import as_failure, fill

    result = await with_payloads(as_failure(failure), convert)
    fill(failure, result)
    return result
