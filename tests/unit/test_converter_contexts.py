"""Serialization contexts: who is told what the values belong to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from invincible._native import Payload
from invincible.converter import (
    ActivitySerializationContext,
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverter,
    DefaultPayloadConverter,
    EncodingPayloadConverter,
    NexusSerializationContext,
    PayloadCodec,
    PayloadConverter,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)

WORKFLOW = WorkflowSerializationContext("default", "order-1")
CONTEXTS = [
    WORKFLOW,
    ActivitySerializationContext("default", "1", "ship", "orders", "order-1", "order", False),
    NexusSerializationContext("endpoint", "service", "operation"),
]


class Secret(str): ...


class SecretConverter(EncodingPayloadConverter, WithSerializationContext):
    """One of several in a composite: it writes the context beside the value."""

    def __init__(self, context: SerializationContext | None = None) -> None:
        self.context = context

    @property
    def encoding(self) -> str:
        return "test/secret"

    def with_context(self, context: SerializationContext) -> SecretConverter:
        return SecretConverter(context)

    def to_payload(self, value: Any) -> Payload | None:
        if not isinstance(value, Secret):
            return None
        return Payload({"encoding": b"test/secret", "context": repr(self.context).encode()}, value.encode())

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        assert payload.metadata["context"] == repr(self.context).encode()
        return Secret(payload.data.decode())


class Secrets(CompositePayloadConverter):
    def __init__(self) -> None:
        super().__init__(SecretConverter(), *DefaultPayloadConverter.default_encoding_payload_converters)
        self.own = "kept"


class Told(PayloadConverter, WithSerializationContext):
    """A payload converter that is no composite."""

    context: SerializationContext | None = None

    def with_context(self, context: SerializationContext) -> Told:
        told = Told()
        told.context = context
        return told

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        return [Payload({"encoding": b"test/told"}, repr(self.context).encode()) for _ in values]

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        return [(payload.data.decode(), self.context) for payload in payloads]


class ToldFailures(DefaultFailureConverter, WithSerializationContext):
    context: SerializationContext | None = None

    def with_context(self, context: SerializationContext) -> ToldFailures:
        told = ToldFailures()
        told.context = context
        return told

    def to_native(self, exception: BaseException, payload_converter: PayloadConverter) -> Any:
        return super().to_native(RuntimeError(repr(self.context)), payload_converter)


class ToldCodec(PayloadCodec, WithSerializationContext):
    def __init__(self, context: SerializationContext | None = None) -> None:
        self.context = context

    def with_context(self, context: SerializationContext) -> ToldCodec:
        return ToldCodec(context)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload({**each.metadata, "codec": repr(self.context).encode()}, each.data) for each in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        assert all(each.metadata["codec"] == repr(self.context).encode() for each in payloads)
        return [*payloads]


@pytest.mark.parametrize("context", CONTEXTS, ids=lambda context: type(context).__name__)
async def test_converters_inside_of_composites(context: SerializationContext) -> None:
    converter = DataConverter(payload_converter_class=Secrets, payload_codec=ToldCodec()).with_context(context)
    payloads = await converter.encode([Secret("s"), 1])
    assert payloads[0].metadata["context"] == repr(context).encode()
    assert [payload.metadata["codec"] for payload in payloads] == [repr(context).encode()] * 2
    assert await converter.decode(payloads) == ["s", 1]


def test_a_composite_is_copied_with_all_that_is_its_own() -> None:
    plain = Secrets()
    told = plain.with_context(WORKFLOW)
    assert type(told) is Secrets
    assert told.own == "kept"
    assert list(told.converters) == list(plain.converters)
    assert plain.to_payload(Secret("s")).metadata["context"] == b"None"
    converters = plain.get_converters_with_context(WORKFLOW)
    assert converters is not None
    assert [converter.encoding for converter in converters] == [key.decode() for key in plain.converters]


def test_nothing_is_made_where_nobody_wants_to_know() -> None:
    converter = DefaultPayloadConverter()
    assert converter.with_context(WORKFLOW) is converter
    assert converter.get_converters_with_context(WORKFLOW) is None
    assert DataConverter.default.with_context(WORKFLOW) is DataConverter.default


async def test_other_payload_converters_and_failure_converters() -> None:
    converter = DataConverter(payload_converter_class=Told, failure_converter_class=ToldFailures).with_context(WORKFLOW)
    payloads = await converter.encode([1])
    assert payloads[0].data == repr(WORKFLOW).encode()
    assert await converter.decode(payloads) == [(repr(WORKFLOW), WORKFLOW)]
    assert (await converter.encode_failure(ValueError("x"))).message == repr(WORKFLOW)


def test_parts_that_do_not_want_to_know_stay() -> None:
    converter = DataConverter(payload_converter_class=Secrets)
    told = converter.with_context(WORKFLOW)
    assert told.payload_converter is not converter.payload_converter
    assert told.failure_converter is converter.failure_converter
