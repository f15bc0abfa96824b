"""Failures through a payload codec: every payload of every cause, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from invincible._native import (
    ApplicationFailureInfo,
    CanceledFailureInfo,
    Failure,
    Payload,
    ResetWorkflowFailureInfo,
    TerminatedFailureInfo,
    TimeoutFailureInfo,
)
from invincible.api.failure.v1 import Failure as FailureMessage
from invincible.converter import (
    ConversionError,
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadCodec,
    PayloadConverter,
)
from invincible.exceptions import ApplicationError, CancelledError, TimeoutError

ENCODED = b"test/sealed"


class Sealing(PayloadCodec):
    """Seals each payload; remembers which payloads came together."""

    def __init__(self) -> None:
        self.groups: list[list[bytes]] = []

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        self.groups.append([payload.data for payload in payloads])
        return [Payload({"encoding": ENCODED}, payload.SerializeToString()[::-1]) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        for payload in payloads:
            assert payload.metadata["encoding"] == ENCODED
        return [Payload.FromString(payload.data[::-1]) for payload in payloads]


def error() -> ApplicationError:
    outer = ApplicationError("outer", 1, 2, type="T")
    outer.__cause__ = TimeoutError("middle", type=None, last_heartbeat_details=[7])
    outer.__cause__.__cause__ = CancelledError("inner", 9)
    return outer


async def test_every_payload_of_every_cause() -> None:
    codec = Sealing()
    converter = DataConverter(payload_codec=codec)
    failure = await converter.encode_failure(error())
    assert codec.groups == [[b"1", b"2"], [b"7"], [b"9"]]
    assert b"json/plain" not in failure.SerializeToString()
    received = await converter.decode_failure(failure)
    assert isinstance(received, ApplicationError)
    assert (received.message, received.details) == ("outer", (1, 2))
    assert isinstance(received.cause, TimeoutError)
    assert received.cause.last_heartbeat_details == [7]
    assert isinstance(received.cause.cause, CancelledError)
    assert received.cause.cause.details == (9,)


async def test_encoded_attributes_are_sealed() -> None:
    codec = Sealing()
    converter = DataConverter(payload_codec=codec, failure_converter_class=DefaultFailureConverterWithEncodedAttributes)
    failure = await converter.encode_failure(error())
    assert codec.groups[0] == [b'{"message":"outer","stack_trace":""}']
    for word in (b"outer", b"middle", b"inner"):
        assert word not in failure.SerializeToString()
    received = await converter.decode_failure(failure)
    assert str(received) == "T: outer"
    # A received failure that is raised again leaves sealed again.
    again = await converter.encode_failure(received)
    assert again == failure


async def test_every_kind_with_details() -> None:
    details = [PayloadConverter.default.to_payload(1)]
    codec = Sealing()
    for info in (
        ApplicationFailureInfo(type="T", non_retryable=True, details=details, next_retry_delay=2.5, category=1),
        TimeoutFailureInfo(timeout_type=2, last_heartbeat_details=details),
        CanceledFailureInfo(details=details, identity="i"),
        ResetWorkflowFailureInfo(last_heartbeat_details=details),
        TerminatedFailureInfo(identity="i"),
        ApplicationFailureInfo(),
        None,
    ):
        failure = Failure("m", source="s", stack_trace="t", info=info)
        encoded = await codec.encode_failure(failure)
        assert b"json/plain" not in encoded.SerializeToString()
        assert await codec.decode_failure(encoded) == failure
    assert codec.groups == [[b"1"]] * 4


async def test_messages_are_changed_in_place() -> None:
    converter = DataConverter(payload_codec=Sealing())
    message = FailureMessage()
    failure = await converter.encode_failure(error(), message)
    assert message.SerializeToString(deterministic=True) == FailureMessage.FromString(
        failure.SerializeToString()
    ).SerializeToString(deterministic=True)
    received = await converter.decode_failure(message)
    assert isinstance(received, ApplicationError)
    assert received.details == (1, 2)

    codec = Sealing()
    await codec.decode_failure(message)  # type: ignore[arg-type]
    assert message.application_failure_info.details.payloads[0].data == b"1"
    await codec.encode_failure(message)  # type: ignore[arg-type]
    assert message.application_failure_info.details.payloads[0].metadata["encoding"] == ENCODED


async def test_codec_that_drops_details() -> None:
    class Dropping(Sealing):
        async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
            return []

    with pytest.raises(ConversionError, match=r"Dropping\.encode returned 0 payloads for 2"):
        await DataConverter(payload_codec=Dropping()).encode_failure(error())
