"""Workers with payload codecs: each place that carries payloads, with a codec that refuses any other than its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from invincible import activity, workflow
from invincible._native import Payload
from invincible.api.history.v1 import HistoryEvent
from invincible.api.sdk.v1 import WorkflowMetadata
from invincible.client import (
    Client,
    Interceptor,
    OutboundInterceptor,
    StartWorkflowInput,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowHistory,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
)
from invincible.common import HeaderCodecBehavior, RetryPolicy
from invincible.converter import (
    ActivitySerializationContext,
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    DefaultPayloadConverter,
    PayloadConverter,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from invincible.exceptions import ActivityError, ApplicationError, ChildWorkflowError
from invincible.worker import Replayer, Worker
from tests.support.codecs import SEALED, SealingCodec, payloads_in, sealing, unsealed, with_config
from tests.support.conditions import eventually
from tests.support.history import fetch_events

ONCE = RetryPolicy(maximum_attempts=1)
OPTIONS: dict[str, Any] = {"start_to_close_timeout": timedelta(seconds=20), "retry_policy": ONCE}


@activity.defn(start_to_close_timeout=timedelta(seconds=20))
async def beating(first: str, second: str) -> str:
    """Fails once, and tells its next attempt how far it got."""
    if activity.info().attempt == 1:
        activity.heartbeat("beat one", "beat two")
        raise ApplicationError("once", "detail of the first attempt")
    assert list(activity.info().heartbeat_details) == ["beat one", "beat two"]
    return f"{first}+{second}"


@activity.defn(start_to_close_timeout=timedelta(seconds=20))
def on_a_thread(text: str) -> str:
    if activity.info().attempt == 1:
        activity.heartbeat("thread beat")
        raise ApplicationError("once", "detail from a thread")
    assert list(activity.info().heartbeat_details) == ["thread beat"]
    return text.upper()


@activity.defn(start_to_close_timeout=timedelta(seconds=20))
async def local(text: str) -> str:
    return text.upper()


@activity.defn(start_to_close_timeout=timedelta(seconds=20), retry_policy=ONCE)
async def failing(text: str) -> str:
    try:
        raise ApplicationError("inner", "inner detail")
    except ApplicationError as error:
        raise ApplicationError("outer", "outer detail") from error


@workflow.defn
class Child:
    def __init__(self) -> None:
        self.signals: list[str] = []

    @workflow.run
    async def run(self, text: str) -> str:
        assert workflow.memo() == {"child note": "child memo"}
        await workflow.wait_condition(lambda: len(self.signals) == 2)
        assert self.signals == ["from parent", "from outside"]
        if text == "fail":
            raise ApplicationError("child failed", "child detail")
        return f"child of {text}"

    @workflow.signal
    def signal(self, text: str) -> None:
        self.signals.append(text)


@workflow.defn
class Started:
    @workflow.run
    async def run(self, text: str) -> str:
        assert workflow.memo_value("started note") == "started memo"
        await workflow.wait_condition(lambda: self.signalled is not None)
        return f"{text} {self.signalled}"

    def __init__(self) -> None:
        self.signalled: str | None = None

    @workflow.signal
    def signal(self, text: str) -> None:
        self.signalled = text


@workflow.defn
class Everything:
    """Has payloads in every command and event there is."""

    def __init__(self) -> None:
        self.signals: list[str] = []
        self.finish = False

    @workflow.run
    async def run(self, text: str, count: int) -> str:
        if count == 0:
            assert workflow.memo() == {"continued note": "continued memo"}
            return f"continued with {text}"
        assert workflow.memo() == {"note": "memo of the start", "gone": "soon"}
        assert await beating.execute("one", "two") == "one+two"
        assert await on_a_thread.execute("thread") == "THREAD"
        assert await local.execute_local("local") == "LOCAL"
        with pytest.raises(ActivityError) as raised:
            await failing.execute("fail")
        cause = raised.value.cause
        assert isinstance(cause, ApplicationError)
        assert list(cause.details) == ["outer detail"]
        assert isinstance(cause.cause, ApplicationError)
        assert list(cause.cause.details) == ["inner detail"]
        await self.children()
        with workflow.create_event_group("group", label="group label").scope():
            await workflow.sleep(0.01, summary="timer summary")
        workflow.upsert_memo({"note": "memo of the run", "gone": None})
        await workflow.wait_condition(lambda: self.finish)
        workflow.continue_as_new(args=[", ".join(self.signals), 0], memo={"continued note": "continued memo"})

    async def children(self) -> None:
        own_id = workflow.info().workflow_id
        for text in ("work", "fail"):
            child: Any = await workflow.start_child_workflow(
                Child.run,
                text,
                id=f"{own_id}-{text}",
                memo={"child note": "child memo"},
                static_summary="child summary",
                static_details="child details",
            )
            await child.signal(Child.signal, "from parent")
            await workflow.get_external_workflow_handle(child.id).signal("signal", "from outside")
            if text == "work":
                assert await child == "child of work"
            else:
                with pytest.raises(ChildWorkflowError) as raised:
                    await child
                cause = raised.value.cause
                assert isinstance(cause, ApplicationError)
                assert list(cause.details) == ["child detail"]
        await workflow.signal_with_start_workflow(
            Started.run,
            "started",
            id=f"{own_id}-started",
            task_queue=workflow.info().task_queue,
            signal=Started.signal,
            signal_args="signalled",
            memo={"started note": "started memo"},
            static_summary="started summary",
        )

    @workflow.signal
    def signal(self, text: str) -> None:
        self.signals.append(text)

    @workflow.query
    def query(self, text: str) -> str:
        if text == "fail":
            raise ApplicationError("query failed", "query detail")
        return text.upper()

    @workflow.update
    async def update(self, text: str) -> str:
        if text == "fail":
            raise ApplicationError("update failed", "update detail")
        self.finish = text == "finish"
        return text.upper()

    @update.validator
    def validate(self, text: str) -> None:
        if text == "reject":
            raise ApplicationError("update rejected", "rejection detail")


ACTIVITIES: list[Any] = [beating, on_a_thread, local, failing]
WORKFLOWS = [Everything, Child, Started]


def fields_with_payloads(events: Sequence[HistoryEvent]) -> set[str]:
    """The names of the fields that carry payloads."""
    paths = [path for event in events for path, _ in payloads_in(event)]
    return {name for path in paths for name in path.replace("[", ".").split(".")}


async def histories(client: Client, *workflow_ids: str) -> list[WorkflowHistory]:
    """Histories of the first and last runs of workflows."""
    found = []
    for each in workflow_ids:
        last = await client.get_workflow_handle(each).fetch_history()
        first_run = last.events[0].workflow_execution_started_event_attributes.first_execution_run_id
        if first_run != last.run_id:
            found.append(await client.get_workflow_handle(each, run_id=first_run).fetch_history())
        found.append(last)
    return found


async def run_everything(client: Client, task_queue: str) -> None:
    handle = await client.start_workflow(
        Everything.run,
        args=["start", 1],
        id=task_queue,
        task_queue=task_queue,
        memo={"note": "memo of the start", "gone": "soon"},
        static_summary="workflow summary",
        static_details="workflow details",
    )
    await handle.signal(Everything.signal, "signal to the workflow")
    assert await handle.query(Everything.query, "query") == "QUERY"
    with pytest.raises(WorkflowQueryFailedError, match="query failed"):
        await handle.query(Everything.query, "fail")
    assert await handle.execute_update(Everything.update, "update") == "UPDATE"
    for text, detail in (("fail", "update detail"), ("reject", "rejection detail")):
        with pytest.raises(WorkflowUpdateFailedError) as raised:
            await handle.execute_update(Everything.update, text)
        cause = raised.value.cause
        assert isinstance(cause, ApplicationError)
        assert list(cause.details) == [detail]
    metadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    assert metadata.definition.type == "Everything"
    assert await handle.execute_update(Everything.update, "finish") == "FINISH"
    assert await handle.result() == "continued with signal to the workflow"
    started = client.get_workflow_handle(f"{task_queue}-started", result_type=str)
    assert await started.result() == "started signalled"


@pytest.mark.parametrize("cached", [1000, 0])
async def test_no_payload_leaves_a_worker_as_it_is(client: Client, task_queue: str, cached: int) -> None:
    codec = SealingCodec()
    client = with_config(client, data_converter=sealing(codec))
    worker = Worker(
        client, task_queue=task_queue, workflows=WORKFLOWS, activities=ACTIVITIES, max_cached_workflows=cached
    )
    async with worker:
        await asyncio.wait_for(run_everything(client, task_queue), 60)
    found = await histories(client, task_queue, *(f"{task_queue}-{each}" for each in ("work", "fail", "started")))
    events = [event for history in found for event in history.events]
    assert unsealed(events) == []
    assert fields_with_payloads(events) >= {
        "input",
        "result",
        "details",
        "memo",
        "upserted_memo",
        "user_metadata",
        "event_group_markers",
        "outcome",
        "failure",
    }
    first = client.get_workflow_handle(task_queue, run_id=found[0].run_id)
    assert dict(await (await first.describe()).memo()) == {"note": "memo of the run"}

    replayer = Replayer(workflows=WORKFLOWS, data_converter=sealing(SealingCodec()))
    for history in found:
        await replayer.replay_workflow(history)
    with pytest.raises(Exception, match="binary/sealed"):
        await Replayer(workflows=WORKFLOWS).replay_workflow(found[0])


async def test_values_are_decoded_in_the_context_they_were_encoded_in(client: Client, task_queue: str) -> None:
    codec = SealingCodec()
    sealed = with_config(client, data_converter=sealing(codec))
    async with Worker(sealed, task_queue=task_queue, workflows=WORKFLOWS, activities=ACTIVITIES):
        await asyncio.wait_for(run_everything(sealed, task_queue), 60)

    def workflow_context(suffix: str = "") -> WorkflowSerializationContext:
        return WorkflowSerializationContext(namespace=client.namespace, workflow_id=f"{task_queue}{suffix}")

    def activity_context(name: str, **changes: Any) -> ActivitySerializationContext:
        context = ActivitySerializationContext(
            namespace=client.namespace,
            activity_id=None,
            activity_type=name,
            activity_task_queue=task_queue,
            workflow_id=task_queue,
            workflow_type="Everything",
            is_local=False,
        )
        return replace(context, **changes)

    def activity_contexts(text: str) -> set[ActivitySerializationContext]:
        contexts = codec.contexts(json.dumps(text))
        found = {each for each in contexts if isinstance(each, ActivitySerializationContext)}
        assert len(found) == len(contexts)
        return found

    own = workflow_context()
    for text in ("memo of the start", "signal to the workflow", "query detail", "update detail", "FINISH"):
        assert codec.contexts(json.dumps(text)) == {own}, text
    for text in ("group label", "timer summary", "child summary", "child details", "continued memo"):
        assert codec.contexts(json.dumps(text)) == {own}, text
    for text in ("from parent", "from outside", "child memo"):
        assert codec.contexts(json.dumps(text)) == {workflow_context("-work"), workflow_context("-fail")}, text
    assert codec.contexts('"child of work"') == {workflow_context("-work")}
    assert codec.contexts('"child detail"') == {workflow_context("-fail")}
    for text in ("started", "signalled", "started memo", "started summary", "started signalled"):
        assert codec.contexts(json.dumps(text)) == {workflow_context("-started")}, text
    # The workflow knows only ids that it has given.
    for text, name in (
        ("two", "beating"),
        ("one+two", "beating"),
        ("THREAD", "on_a_thread"),
        ("outer detail", "failing"),
    ):
        known, unknown = activity_contexts(text), activity_context(name)
        assert unknown in known, text
        assert {replace(each, activity_id=None) for each in known} == {unknown}, text
    for text, name in (
        ("beat two", "beating"),
        ("thread beat", "on_a_thread"),
        ("detail of the first attempt", "beating"),
    ):
        contexts = activity_contexts(text)
        assert {each.activity_id for each in contexts} != {None}, text
        assert {replace(each, activity_id=None) for each in contexts} == {activity_context(name)}, text
    assert activity_context("local", is_local=True) in codec.contexts('"LOCAL"')


async def test_encoded_attributes_of_failures_are_sealed_too(client: Client, task_queue: str) -> None:
    @workflow.defn
    async def fails() -> None:
        raise ApplicationError("secret message", "secret detail") from ApplicationError("secret cause")

    converter = sealing(failure_converter_class=DefaultFailureConverterWithEncodedAttributes)
    client = with_config(client, data_converter=converter)
    async with Worker(client, task_queue=task_queue, workflows=[fails]):
        with pytest.raises(WorkflowFailureError) as raised:
            await client.execute_workflow(fails, id=task_queue, task_queue=task_queue)
    assert isinstance(raised.value.cause, ApplicationError)
    assert (raised.value.cause.message, list(raised.value.cause.details)) == ("secret message", ["secret detail"])
    events = await fetch_events(client, task_queue)
    assert unsealed(events) == []
    assert not any(b"secret" in event.SerializeToString() for event in events if _is_failure(event))


async def test_the_next_run_gets_result_and_failure_of_the_last(client: Client, task_queue: str) -> None:
    @workflow.defn
    async def counting(limit: int) -> int:
        failure = workflow.get_last_failure()
        if workflow.info().attempt == 1:
            raise ApplicationError("once", "detail of the first run")
        assert isinstance(failure, ApplicationError)
        assert list(failure.details) == ["detail of the first run"]
        count: int = (workflow.get_last_completion_result(int) or 0) + 1
        if count == limit:
            raise ApplicationError("enough", count, non_retryable=True)
        return count

    client = with_config(client, data_converter=sealing())
    async with Worker(client, task_queue=task_queue, workflows=[counting]):
        handle = await client.start_workflow(
            counting,
            2,
            id=task_queue,
            task_queue=task_queue,
            cron_schedule="@every 1s",
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=10), non_retryable_error_types=["none"]),
        )

        async def second() -> bool:
            events = await fetch_events(client, task_queue)
            return bool(events[0].workflow_execution_started_event_attributes.last_completion_result.payloads)

        await eventually(second, what="a run that knows the result of the one before")
        await handle.terminate()
    assert unsealed(await fetch_events(client, task_queue)) == []


async def test_many_activities_at_once(client: Client, task_queue: str) -> None:
    @workflow.defn
    async def fan_out(count: int) -> int:
        return len(set(await asyncio.gather(*(local.execute(f"number {each}") for each in range(count)))))

    client = with_config(client, data_converter=sealing())
    async with Worker(client, task_queue=task_queue, workflows=[fan_out], activities=[local]):
        results = await asyncio.wait_for(
            asyncio.gather(
                *(
                    client.execute_workflow(fan_out, 100, id=f"{task_queue}-{each}", task_queue=task_queue)
                    for each in range(10)
                )
            ),
            60,
        )
    assert results == [100] * 10


async def test_errors_do_not_quote_what_the_codec_hides(client: Client, task_queue: str) -> None:
    @activity.defn(start_to_close_timeout=timedelta(seconds=20), retry_policy=ONCE)
    async def wants_number(number: int) -> None: ...

    @activity.defn(start_to_close_timeout=timedelta(seconds=20), retry_policy=ONCE)
    async def gives_text() -> Any:
        return "top secret"

    @workflow.defn(failure_exception_types=[TypeError])
    async def mistaken(which: str, secret: str) -> None:
        if which == "argument":
            await workflow.execute_activity("wants_number", secret, **OPTIONS)
        elif which == "result":
            await workflow.execute_activity("gives_text", result_type=int, **OPTIONS)
        else:
            await workflow.execute_activity("gives_text", {secret: object()}, **OPTIONS)

    client = with_config(client, data_converter=sealing())
    async with Worker(client, task_queue=task_queue, workflows=[mistaken], activities=[wants_number, gives_text]):
        for which in ("argument", "result", "encoding"):
            handle = await client.start_workflow(
                mistaken,
                args=[which, "top secret"],
                id=f"{task_queue}-{which}",
                task_queue=task_queue,
                task_timeout=timedelta(seconds=2),
            )
            with pytest.raises(WorkflowFailureError):
                await asyncio.wait_for(handle.result(), 20)
            events = await fetch_events(client, handle.id)
            assert not any(b"top secret" in event.SerializeToString() for event in events if _is_failure(event)), which


async def test_user_code_converts_in_its_context(client: Client, task_queue: str) -> None:
    @activity.defn(start_to_close_timeout=timedelta(seconds=20))
    async def converts() -> str:
        return activity.payload_converter().to_payload(None).metadata["context"].decode()

    @workflow.defn
    async def converting() -> list[str]:
        own = workflow.payload_converter().to_payload(None).metadata["context"].decode()
        return [own, await converts.execute()]

    client = with_config(client, data_converter=DataConverter(payload_converter_class=TellingConverter))
    async with Worker(client, task_queue=task_queue, workflows=[converting], activities=[converts]):
        told = await client.execute_workflow(converting, id=task_queue, task_queue=task_queue)
    assert told == ["WorkflowSerializationContext", "ActivitySerializationContext"]


class TellingConverter(DefaultPayloadConverter, WithSerializationContext):
    """Notes in each payload what kind of context it was made in."""

    kind = "none"

    def with_context(self, context: SerializationContext) -> TellingConverter:
        told = TellingConverter()
        told.kind = type(context).__name__
        return told

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        payloads = super().to_payloads(values)
        return [Payload({**each.metadata, "context": self.kind.encode()}, each.data) for each in payloads]


@pytest.mark.parametrize("behavior", list(HeaderCodecBehavior))
async def test_headers_are_sealed_where_the_client_says_so(
    client: Client, task_queue: str, behavior: HeaderCodecBehavior
) -> None:
    codec = SealingCodec()
    config = client.config()
    interceptors = [*config["interceptors"], HeaderInterceptor()]
    client = with_config(
        client, data_converter=sealing(codec), header_codec_behavior=behavior, interceptors=interceptors
    )
    async with Worker(client, task_queue=task_queue, workflows=[header_of_start]):
        started = client.execute_workflow(header_of_start, id=task_queue, task_queue=task_queue)
        if behavior is HeaderCodecBehavior.WORKFLOW_ONLY_CODEC:
            # The client leaves headers alone, and the worker expects sealed ones: as in every SDK.
            with pytest.raises(Exception, match="not sealed"):
                await asyncio.wait_for(started, 20)
            await client.get_workflow_handle(task_queue).terminate()
            return
        assert await started == "the header"
    (first, *_) = await fetch_events(client, task_queue)
    header = first.workflow_execution_started_event_attributes.header.fields["test"]
    assert (header.metadata["encoding"] == SEALED) == (behavior is HeaderCodecBehavior.CODEC)


@workflow.defn
async def header_of_start() -> str:
    return json.loads(workflow.info().headers["test"].data)  # type: ignore[no-any-return]


class HeaderInterceptor(Interceptor):
    """Sends a header with the start of workflows."""

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return _HeaderCalls(next)


class _HeaderCalls(OutboundInterceptor):
    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        input.headers = {"test": PayloadConverter.default.to_payload("the header")}
        return await super().start_workflow(input)


def _is_failure(event: HistoryEvent) -> bool:
    return any(descriptor.name.endswith("failed_event_attributes") for descriptor, _ in event.ListFields())
