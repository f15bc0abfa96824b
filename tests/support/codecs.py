"""A codec that tells sealed payloads from plain ones, and what it takes to find those that it never saw."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message
from typing_extensions import Self

from invincible._native import Payload
from invincible.api.common.v1 import Payload as PayloadMessage
from invincible.api.workflowservice.v1 import SignalWithStartWorkflowExecutionRequest
from invincible.client import Client
from invincible.converter import DataConverter, PayloadCodec, SerializationContext, WithSerializationContext

SEALED = b"binary/sealed"

# What the server reads and writes, and what Core notes of local activities and patches.
_NOT_OF_USER = (
    "search_attributes",
    "marker_recorded_event_attributes.details[data]",
    "marker_recorded_event_attributes.details[patch",
    "nexus_operation_completed_event_attributes.result",
)


@dataclass(frozen=True)
class Call:
    """One call of a codec: ``encode`` or ``decode``, the plain data, and what it belongs to."""

    operation: str
    data: tuple[bytes, ...]
    context: SerializationContext | None


@dataclass
class SealingCodec(PayloadCodec, WithSerializationContext):
    """Refuses to seal what is sealed, and to open what is not.

    Args:
        before: Awaited before each call.
        calls: The calls so far, of all contexts.
        context: What the payloads belong to.
    """

    before: Callable[[Call], Awaitable[object]] | None = None
    calls: list[Call] = field(default_factory=list)
    context: SerializationContext | None = None

    def with_context(self, context: SerializationContext) -> Self:
        return type(self)(self.before, self.calls, context)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        for payload in payloads:
            assert payload.metadata.get("encoding") != SEALED, "sealed twice"
        await self._call("encode", payloads)
        return [Payload({"encoding": SEALED}, _hidden(payload.SerializeToString())) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        for payload in payloads:
            assert payload.metadata.get("encoding") == SEALED, "not sealed"
        plain = [opened(payload.data) for payload in payloads]
        await self._call("decode", plain)
        return plain

    async def _call(self, operation: str, payloads: Sequence[Payload]) -> None:
        call = Call(operation, tuple(payload.data for payload in payloads), self.context)
        self.calls.append(call)
        if self.before is not None:
            await self.before(call)

    def contexts(self, data: str) -> set[SerializationContext | None]:
        """Everything that a value, as JSON, was said to belong to."""
        return {call.context for call in self.calls if data.encode() in call.data}


_HIDING = bytes(each ^ 0xFF for each in range(256))


def _hidden(data: bytes) -> bytes:
    return data.translate(_HIDING)


def opened(data: bytes) -> Payload:
    """What is in a sealed payload, by its data."""
    return Payload.FromString(_hidden(data))


def sealing(codec: PayloadCodec | None = None, **options: Any) -> DataConverter:
    """A data converter with a codec."""
    return DataConverter(payload_codec=codec or SealingCodec(), **options)


def with_config(client: Client, **changes: Any) -> Client:
    """The same client with another configuration."""
    other = Client(**{**client.config(), **changes})
    other._raise_task_failures = client._raise_task_failures
    return other


def payloads_in(message: Message, path: str = "") -> Iterator[tuple[str, PayloadMessage]]:
    """Every payload in a message, with where it is."""
    if isinstance(message, PayloadMessage):
        yield path, message
        return
    for descriptor, value in message.ListFields():
        if descriptor.message_type is None:
            continue
        where = f"{path}.{descriptor.name}"
        if descriptor.message_type.GetOptions().map_entry:
            for key in value:
                if isinstance(value[key], Message):
                    yield from payloads_in(value[key], f"{where}[{key}]")
        elif isinstance(value, Message):
            yield from payloads_in(value, where)
        else:
            for each in value:
                yield from payloads_in(each, where)


def unsealed(messages: Sequence[Message]) -> list[str]:
    """Where payloads are that the codec has not sealed, but for those that are not the user's."""
    places: list[str] = []
    for message in messages:
        for path, payload in payloads_in(message):
            if payload.metadata.get("encoding") == SEALED or any(part in path for part in _NOT_OF_USER):
                continue
            if "nexus_operation_scheduled" in path:
                # A request to the server itself, with payloads of the user's in it.
                places += unsealed([SignalWithStartWorkflowExecutionRequest.FromString(payload.data)])
            elif "upserted_memo" not in path or payload.data:  # what removes an entry is empty
                places.append(f"{type(message).__name__}{path}")
    return places
