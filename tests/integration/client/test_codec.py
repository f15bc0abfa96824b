"""Encryption over the real server: what the server has tells nothing, what comes back is whole."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from invincible import activity, workflow
from invincible._native import Payload
from invincible.api.enums.v1 import EventType
from invincible.client import Client, WorkflowFailureError, WorkflowHistory, WorkflowUpdateFailedError
from invincible.contrib.encryption import EncryptionCodec
from invincible.converter import (
    DataConverter,
    DefaultFailureConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from invincible.exceptions import ActivityError, ApplicationError
from invincible.worker import Worker

SECRET = "canary"
OLD, NEW = bytes(32), bytes(range(32))


@activity.defn(start_to_close_timeout=timedelta(seconds=10))
async def sealed(value: str) -> str:
    if value.endswith("fail"):
        raise ApplicationError(f"{SECRET} message", f"{SECRET} detail", non_retryable=True)
    activity.heartbeat(f"{SECRET} heartbeat")
    return value + "!"


@workflow.defn
class Sealed:
    """Sends a secret through every place of a workflow that takes values."""

    def __init__(self) -> None:
        self.signals: list[str] = []

    @workflow.run
    async def run(self, value: str, more: int = 0) -> str:
        if value.endswith("fail"):
            await sealed.execute(value)
        workflow.upsert_memo({"later": f"{SECRET} upserted"})
        result = await sealed.execute(value)
        await workflow.wait_condition(lambda: len(self.signals) == 2)
        return f"{result} {self.signals} {workflow.memo()}"

    @workflow.signal
    def tell(self, value: str) -> None:
        self.signals.append(value)

    @workflow.query
    def told(self, prefix: str) -> list[str]:
        return [prefix + each for each in self.signals]

    @workflow.update
    async def change(self, value: str) -> str:
        if value.endswith("fail"):
            raise ApplicationError(f"{SECRET} refusal", f"{SECRET} detail")
        return await sealed.execute(value)


def converter(*, key_id: str = "old", **keys: bytes) -> DataConverter:
    return DataConverter(
        payload_codec=EncryptionCodec(keys or {"old": OLD}, key_id=key_id),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


async def connect(address: str, data_converter: DataConverter) -> Client:
    client = await Client.connect(address, data_converter=data_converter)
    client._raise_task_failures = True
    return client


async def kept(client: Client, workflow_id: str) -> str:
    """All that the server has of a workflow, as text."""
    history: WorkflowHistory = await client.get_workflow_handle(workflow_id).fetch_history()
    description = await client.get_workflow_handle(workflow_id).describe()
    parts = [event.SerializeToString() for event in history.events]
    parts.append(description.raw_description.SerializeToString())
    return b"\n".join(parts).decode(errors="replace")


async def test_the_server_never_sees_a_value(address: str, task_queue: str) -> None:
    client = await connect(address, converter())
    async with Worker(client, task_queue=task_queue, workflows=[Sealed], activities=[sealed]):
        handle = await client.start_workflow(
            Sealed.run,
            args=[f"{SECRET} argument", 1],
            id=task_queue,
            task_queue=task_queue,
            memo={"first": f"{SECRET} memo"},
            static_summary=f"{SECRET} summary",
            static_details=f"{SECRET} details",
            start_signal="tell",
            start_signal_args=[f"{SECRET} first"],
        )
        assert await handle.execute_update(Sealed.change, f"{SECRET} update") == f"{SECRET} update!"
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await handle.execute_update(Sealed.change, f"{SECRET} fail")
        await handle.signal(Sealed.tell, f"{SECRET} second")
        result = await handle.result()
        assert await handle.query(Sealed.told, f"{SECRET} ") == [
            f"{SECRET} {SECRET} first",
            f"{SECRET} {SECRET} second",
        ]
        description = await handle.describe()
        assert (await description.static_summary(), await description.static_details()) == (
            f"{SECRET} summary",
            f"{SECRET} details",
        )
        assert await description.memo() == {"first": f"{SECRET} memo", "later": f"{SECRET} upserted"}
    assert result == (
        f"{SECRET} argument! ['{SECRET} first', '{SECRET} second'] "
        f"{{'first': '{SECRET} memo', 'later': '{SECRET} upserted'}}"
    )
    cause = refused.value.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.message, cause.details) == (f"{SECRET} refusal", (f"{SECRET} detail",))
    found = await kept(client, task_queue)
    assert "encryption-key-id" in found
    assert SECRET not in found


async def test_failures_are_sealed_with_message_and_stack(address: str, task_queue: str) -> None:
    client = await connect(address, converter())
    async with Worker(client, task_queue=task_queue, workflows=[Sealed], activities=[sealed]):
        with pytest.raises(WorkflowFailureError) as failed:
            await client.execute_workflow(Sealed.run, f"{SECRET} fail", id=task_queue, task_queue=task_queue)
    assert isinstance(failed.value.cause, ActivityError)
    cause = failed.value.cause.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.message, cause.details) == (f"{SECRET} message", (f"{SECRET} detail",))
    assert SECRET not in await kept(client, task_queue)


async def test_keys_change_while_workflows_run(address: str, task_queue: str) -> None:
    before = await connect(address, converter())
    rotated = await connect(address, converter(key_id="new", old=OLD, new=NEW))
    handle = await before.start_workflow(Sealed.run, "started with the old key", id=task_queue, task_queue=task_queue)
    async with Worker(rotated, task_queue=task_queue, workflows=[Sealed], activities=[sealed]):
        await handle.signal(Sealed.tell, "old")
        await rotated.get_workflow_handle(task_queue).signal("tell", "new")
        result = await rotated.get_workflow_handle(task_queue, result_type=str).result()
    assert result.startswith("started with the old key! ['old', 'new']")


async def test_a_client_without_the_key_is_told_so(address: str, task_queue: str) -> None:
    with_key = await connect(address, converter())
    await with_key.start_workflow("Sealed", SECRET, id=task_queue, task_queue=task_queue, memo={"m": SECRET})
    without_key = await connect(address, converter(key_id="new", new=NEW))
    description = await without_key.get_workflow_handle(task_queue).describe()
    with pytest.raises(TypeError, match="encrypted with key 'old', which is not known: known are 'new'") as unknown:
        await description.memo()
    without_codec = await connect(address, DataConverter.default)
    description = await without_codec.get_workflow_handle(task_queue).describe()
    with pytest.raises(TypeError, match="needs the payload_codec it was written with") as no_codec:
        await description.memo()
    assert SECRET not in f"{unknown.value!r} {no_codec.value!r}"


async def failed_task(client: Client, workflow_id: str) -> str:
    """The message of the first workflow task that fails."""
    handle = client.get_workflow_handle(workflow_id)
    async for event in handle.fetch_history_events(wait_new_event=True):
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
            return event.workflow_task_failed_event_attributes.failure.message
    raise AssertionError("no workflow task failed")


async def test_a_workflow_waits_for_a_worker_with_the_key(address: str, task_queue: str) -> None:
    client = await Client.connect(address, data_converter=converter())
    handle = await client.start_workflow(
        Sealed.run, SECRET, id=task_queue, task_queue=task_queue, start_signal="tell", start_signal_args=["1"]
    )
    await handle.signal(Sealed.tell, "2")
    # Failures of tasks are to be read here, so their messages are not encrypted.
    other = dataclasses.replace(converter(key_id="new", new=NEW), failure_converter_class=DefaultFailureConverter)
    without_key = await Client.connect(address, data_converter=other)
    async with Worker(without_key, task_queue=task_queue, workflows=[Sealed], activities=[sealed]):
        message = await failed_task(client, task_queue)
    assert "encrypted with key 'old', which is not known: known are 'new'" in message
    assert SECRET not in message
    async with Worker(client, task_queue=task_queue, workflows=[Sealed], activities=[sealed]):
        assert (await handle.result()).startswith(f"{SECRET}! ['1', '2']")


async def test_errors_do_not_quote_what_is_encrypted(address: str, task_queue: str) -> None:
    client = await connect(address, converter())
    async with Worker(client, task_queue=task_queue, workflows=[Sealed], activities=[sealed]):
        handle = await client.start_workflow(Sealed.run, SECRET, id=task_queue, task_queue=task_queue)
        with pytest.raises(TypeError) as caught:
            await handle.query("told", SECRET, result_type=int)
        await handle.terminate()
    assert str(caught.value) == "query 'told', result: expected int, got list"


class ContextCodec(PayloadCodec, WithSerializationContext):
    """Notes the context of everything it encodes and decodes."""

    def __init__(self, seen: list[Any], context: SerializationContext | None = None) -> None:
        self.seen = seen
        self.context = context

    def with_context(self, context: SerializationContext) -> ContextCodec:
        return ContextCodec(self.seen, context)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        self.seen.append(("encode", self.context))
        return list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        self.seen.append(("decode", self.context))
        return list(payloads)


async def test_codecs_of_clients_are_told_the_workflow(address: str, task_queue: str) -> None:
    seen: list[Any] = []
    client = await connect(address, dataclasses.replace(DataConverter.default, payload_codec=ContextCodec(seen)))
    handle = await client.start_workflow("Sealed", "x", id=task_queue, task_queue=task_queue, memo={"m": 1})
    await handle.signal("tell", "x")
    await (await handle.describe()).memo()
    context = WorkflowSerializationContext("default", task_queue)
    assert seen == [("encode", context)] * 3 + [("decode", context)]
