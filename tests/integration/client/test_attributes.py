"""What goes along with a workflow and is read again: search attributes, memo, headers, priority, summary."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import pytest

from invincible._native import Payload
from invincible.client import (
    Client,
    Interceptor,
    OutboundInterceptor,
    QueryWorkflowInput,
    SignalWorkflowInput,
    StartWorkflowInput,
    StartWorkflowUpdateInput,
)
from invincible.common import (
    HeaderCodecBehavior,
    Priority,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
)
from invincible.converter import (
    DataConverter,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from tests.support.history import fetch_events
from tests.support.server import server_process

ATTRIBUTES: list[SearchAttributePair[Any]] = [
    SearchAttributePair(SearchAttributeKey.for_text("ATextAttribute"), "some words"),
    SearchAttributePair(SearchAttributeKey.for_keyword("AKeyword"), "key"),
    SearchAttributePair(SearchAttributeKey.for_int("AnInt"), 7),
    SearchAttributePair(SearchAttributeKey.for_float("ADouble"), 1.5),
    SearchAttributePair(SearchAttributeKey.for_bool("ABool"), True),
    SearchAttributePair(
        SearchAttributeKey.for_datetime("ADatetime"), datetime(2020, 1, 2, 3, 4, 5, 600000, timezone.utc)
    ),
    SearchAttributePair(SearchAttributeKey.for_keyword_list("AKeywordList"), ["one", "two"]),
]
TYPES = ["Text", "Keyword", "Int", "Double", "Bool", "Datetime", "KeywordList"]


@dataclass
class Customer:
    name: str
    since: datetime


@pytest.fixture
async def searchable() -> Any:
    """A client of a server that knows the attributes."""
    options = [f"{pair.key.name}={kind}" for pair, kind in zip(ATTRIBUTES, TYPES, strict=True)]
    async with server_process(search_attributes=options) as server:
        yield await Client.connect(server.address)


async def test_search_attributes_of_every_type_come_back(searchable: Client, task_queue: str) -> None:
    typed = TypedSearchAttributes(ATTRIBUTES)
    handle = await searchable.start_workflow("any", id=task_queue, task_queue=task_queue, search_attributes=typed)
    described = await handle.describe()
    found = {pair.key.name: pair.value for pair in described.typed_search_attributes}
    assert {name: found[name] for name in found if name.startswith("A")} == {
        pair.key.name: pair.value for pair in ATTRIBUTES
    }
    assert described.typed_search_attributes[SearchAttributeKey.for_int("AnInt")] == 7
    assert described.search_attributes["AKeywordList"] == ["one", "two"]


async def test_an_attribute_the_server_does_not_know_is_named(client: Client, task_queue: str) -> None:
    unknown = SearchAttributePair(SearchAttributeKey.for_int("NobodyKnowsMe"), 1)
    with pytest.raises(Exception, match="NobodyKnowsMe"):
        await client.start_workflow(
            "any", id=task_queue, task_queue=task_queue, search_attributes=TypedSearchAttributes([unknown])
        )


async def test_the_memo_is_read_with_its_types(client: Client, task_queue: str) -> None:
    ada = Customer("Ada", datetime(2020, 1, 2, tzinfo=timezone.utc))
    handle = await client.start_workflow(
        "any", id=task_queue, task_queue=task_queue, memo={"customer": ada, "number": 1}
    )
    described = await handle.describe()
    assert await described.memo() == {
        "customer": {"name": "Ada", "since": "2020-01-02T00:00:00+00:00"},
        "number": 1,
    }
    assert await described.memo_value("customer", type_hint=Customer) == ada
    assert await described.memo_value("missing", 5) == 5
    with pytest.raises(KeyError, match="missing"):
        await described.memo_value("missing")


async def test_priority_and_texts_come_back(client: Client, task_queue: str) -> None:
    handle = await client.start_workflow(
        "any",
        id=task_queue,
        task_queue=task_queue,
        priority=Priority(priority_key=2, fairness_key="tenant", fairness_weight=1.5),
        static_summary="in a *few* words",
        static_details="in\nmany\nwords",
    )
    described = await handle.describe()
    assert (await described.static_summary(), await described.static_details()) == (
        "in a *few* words",
        "in\nmany\nwords",
    )
    priority = described.raw_info.priority
    assert (priority.priority_key, priority.fairness_key, priority.fairness_weight) == (2, "tenant", 1.5)


class Tagging(Interceptor, OutboundInterceptor):
    """Puts a header into whatever has one."""

    def __init__(self) -> None:
        pass

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        OutboundInterceptor.__init__(self, next)
        return self

    async def start_workflow(self, input: StartWorkflowInput) -> Any:
        return await super().start_workflow(self.tagged(input))

    async def signal_workflow(self, input: SignalWorkflowInput) -> None:
        await super().signal_workflow(self.tagged(input))

    async def query_workflow(self, input: QueryWorkflowInput) -> Any:
        return await super().query_workflow(self.tagged(input))

    async def start_workflow_update(self, input: StartWorkflowUpdateInput) -> Any:
        return await super().start_workflow_update(self.tagged(input))

    def tagged(self, input: Any) -> Any:
        [payload] = DataConverter.default.payload_converter.to_payloads(["traced"])
        input.headers = {**input.headers, "trace": payload}
        return input


@dataclass
class Wrapping(PayloadCodec, WithSerializationContext):
    """Wraps payloads, and notes in which context."""

    contexts: list[SerializationContext | None]
    context: SerializationContext | None = None

    def with_context(self, context: SerializationContext) -> Wrapping:
        return dataclasses.replace(self, context=context)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        self.contexts.append(self.context)
        return [Payload({"encoding": b"test/wrapped"}, payload.SerializeToString()) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        self.contexts.append(self.context)
        return [Payload.FromString(payload.data) for payload in payloads]


@pytest.mark.parametrize(
    ("behavior", "encoding"),
    [
        (HeaderCodecBehavior.NO_CODEC, b"json/plain"),
        (HeaderCodecBehavior.CODEC, b"test/wrapped"),
        (HeaderCodecBehavior.WORKFLOW_ONLY_CODEC, b"json/plain"),
    ],
)
async def test_headers_are_encoded_as_the_client_is_told(
    address: str, task_queue: str, behavior: HeaderCodecBehavior, encoding: bytes
) -> None:
    client = await Client.connect(
        address,
        data_converter=DataConverter(payload_codec=Wrapping([])),
        interceptors=[Tagging()],
        header_codec_behavior=behavior,
    )
    handle = await client.start_workflow("any", "argument", id=task_queue, task_queue=task_queue)
    await handle.signal("signal", "argument")
    headers = [
        getattr(event, kind).header
        for event in await fetch_events(client, task_queue)
        for kind in ("workflow_execution_started_event_attributes", "workflow_execution_signaled_event_attributes")
        if event.WhichOneof("attributes") == kind
    ]
    assert [header.fields["trace"].metadata["encoding"] for header in headers] == [encoding, encoding]


async def test_everything_of_a_workflow_is_converted_in_its_context(address: str, task_queue: str) -> None:
    codec = Wrapping([])
    client = await Client.connect(address, data_converter=DataConverter(payload_codec=codec))

    async def contexts_of(call: Any) -> set[SerializationContext | None]:
        codec.contexts.clear()
        await call
        assert codec.contexts, "no payload went through the codec"
        return set(codec.contexts)

    ours = {WorkflowSerializationContext("default", task_queue)}
    start = client.start_workflow(
        "any", 1, id=task_queue, task_queue=task_queue, memo={"a": 1}, static_summary="s", static_details="d"
    )
    assert await contexts_of(start) == ours
    handle = client.get_workflow_handle(task_queue)
    assert await contexts_of(handle.signal("signal", 1)) == ours
    assert await contexts_of((await handle.describe()).memo()) == ours
    assert await contexts_of((await handle.describe()).static_summary()) == ours
    assert await contexts_of(handle.terminate("details", reason="enough")) == ours
    with pytest.raises(Exception, match="Workflow execution failed"):
        await handle.result()
    assert set(codec.contexts) == ours
