"""Histories with their payloads as they were before the codec."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from google.protobuf.message import Message

from invincible.api.common.v1 import Payload as PayloadMessage
from invincible.api.common.v1 import SearchAttributes
from invincible.api.history.v1 import MarkerRecordedEventAttributes
from invincible.converter._payloads import as_payload

if TYPE_CHECKING:
    from invincible.client import SyncClient
    from invincible.converter import DataConverter

# Groups of payloads that are decoded side by side.
_AT_ONCE = 8


def decode_in_place(client: SyncClient, messages: Sequence[Message], workflow_id: str) -> Exception | None:
    """Decodes all payloads of messages, if the client has a codec or external storage.

    Args:
        client: Its event loop is the one that the codec is used on.
        messages: Events, or other messages about a workflow.
        workflow_id: The workflow.

    Returns:
        Why some payloads were left as they are; ``None`` if all were decoded.
    """
    converter = client.data_converter
    if not converter._transforms:
        return None
    from invincible.converter import WorkflowSerializationContext

    told = converter.with_context(WorkflowSerializationContext(client.namespace, workflow_id))
    groups = [group for message in messages for group in _groups(message)]
    problem: Exception | None = client._calls.run(lambda _: _decode_all(told, groups)).get()
    return problem


async def _decode_all(converter: DataConverter, groups: Sequence[Any]) -> Exception | None:
    few = asyncio.Semaphore(_AT_ONCE)
    problems: list[Exception] = []

    async def one(group: Any) -> None:
        async with few:
            try:
                await _decode(converter, group)
            except Exception as error:  # the codec may be anybody's
                problems.append(error)

    tasks: list[Awaitable[None]] = [one(group) for group in groups]
    await asyncio.gather(*tasks)
    return problems[0] if problems else None


async def _decode(converter: DataConverter, group: Any) -> None:
    single = isinstance(group, Message)
    given: list[Any] = [group] if single else list(group)
    decoded = await converter._from_wire([as_payload(each) for each in given])
    found = [PayloadMessage.FromString(each.SerializeToString()) for each in decoded]
    if single:
        [message] = found
        group.CopyFrom(message)
    else:
        del group[:]
        group.extend(found)


def _groups(message: Message) -> Iterator[Any]:
    """Payloads that belong together: lists of them, and single ones. Search attributes never have a codec."""
    if isinstance(message, SearchAttributes):
        return
    if isinstance(message, MarkerRecordedEventAttributes) and message.marker_name.startswith("core_"):
        # Of these markers, Core writes all but the result and the failure.
        yield from ([message.details["result"].payloads] if "result" in message.details else [])
        yield from _groups(message.failure)
        return
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            for each in value.values():
                if isinstance(each, Message):
                    yield from _groups_of_value(each)
        elif isinstance(value, Message):
            yield from _groups_of_value(value)
        elif field.message_type.full_name == PayloadMessage.DESCRIPTOR.full_name:
            yield value
        else:
            for each in value:
                yield from _groups(each)


def _groups_of_value(value: Message) -> Iterator[Any]:
    if isinstance(value, PayloadMessage):
        yield value
    else:
        yield from _groups(value)
