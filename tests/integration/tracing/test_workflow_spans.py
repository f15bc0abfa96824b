"""Spans of workflows: how long, with which outcome, and by whom they are told of."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.baggage import get_baggage, set_baggage
from opentelemetry.context import attach, detach
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from invincible import activity, workflow
from invincible.client import Client, SyncClient, WorkflowFailureError, WorkflowResetPoint
from invincible.common import RetryPolicy
from invincible.contrib.opentelemetry import (
    OpenTelemetryInterceptor,
    TracingInterceptor,
    TracingWorkflowInboundInterceptor,
)
from invincible.contrib.opentelemetry.workflow import completed_span
from invincible.exceptions import ActivityError, ApplicationError, ApplicationErrorCategory
from invincible.worker import Worker, WorkflowInboundInterceptor, WorkflowInterceptorClassInput
from tests.support.tracing import Spans, context_of, duration, global_provider

SOON = timedelta(seconds=10)
ONCE = RetryPolicy(maximum_attempts=1)


@workflow.defn
class Sleeper:
    def __init__(self) -> None:
        self.woken = False

    @workflow.run
    async def run(self) -> str:
        with trace.get_tracer("test").start_as_current_span("nap") as span:
            span.add_event("falls asleep")
            await workflow.sleep(0.3)
            await greet.execute()
        await workflow.wait_condition(lambda: self.woken)
        return "awake"

    @workflow.signal
    def wake(self) -> None:
        self.woken = True


@activity.defn(start_to_close_timeout=SOON)
async def greet() -> str | None:
    baggage = get_baggage("customer")
    return None if baggage is None else str(baggage)


@activity.defn(start_to_close_timeout=SOON, retry_policy=ONCE)
async def fail(category: str) -> None:
    raise ApplicationError("no", category=ApplicationErrorCategory[category])


@workflow.defn
async def failing(category: str) -> None:
    try:
        await fail.execute(category)
    except ActivityError:
        completed_span("caught", exception=ValueError("told"))
    raise ApplicationError("neither", category=ApplicationErrorCategory[category])


@workflow.defn
async def waiting() -> None:
    await workflow.sleep(1000)


@workflow.defn
async def greeted() -> str | None:
    return await greet.execute()


attempts: list[int] = []


@workflow.defn(sandboxed=False)
async def mended() -> None:
    await workflow.sleep(0.01)
    attempts.append(1)
    if len(attempts) == 1:
        raise ValueError("a bug")


async def test_spans_last_as_long_as_what_they_stand_for(traced: Client, spans: Spans, task_queue: str) -> None:
    async with Worker(traced, task_queue=task_queue, workflows=[Sleeper], activities=[greet]):
        handle = await traced.start_workflow(Sleeper.run, id=task_queue, task_queue=task_queue)
        await handle.signal(Sleeper.wake)
        await handle.result()
    run, nap, activity_run = spans.one("RunWorkflow:Sleeper"), spans.one("nap"), spans.one("RunActivity:greet")
    assert duration(nap) >= 0.29
    assert duration(run) >= duration(nap)
    assert run.start_time is not None
    assert activity_run.start_time is not None
    assert activity_run.start_time - run.start_time >= 0.29e9
    assert [event.name for event in nap.events] == ["falls asleep"]
    assert run.kind is SpanKind.SERVER
    described = await handle.describe()
    assert run.attributes == {"temporalWorkflowID": task_queue, "temporalRunID": described.run_id}


async def test_a_span_begun_by_one_worker_is_ended_by_another(traced: Client, spans: Spans, task_queue: str) -> None:
    def worker() -> Worker:
        return Worker(traced, task_queue=task_queue, workflows=[Sleeper], activities=[greet])

    async with worker():
        handle = await traced.start_workflow(Sleeper.run, id=task_queue, task_queue=task_queue)
        await spans.have("nap")
    assert spans.named("RunWorkflow:Sleeper") == []
    async with worker():
        await handle.signal(Sleeper.wake)
        await handle.result()
    run, nap = spans.one("RunWorkflow:Sleeper"), spans.one("nap")
    # By the first worker, which did not tell of the span that it is in.
    assert nap.parent is not None
    assert nap.parent.span_id == context_of(run).span_id
    assert duration(run) >= duration(nap)


async def test_a_run_has_other_spans_than_the_one_it_was_reset_from(
    traced: Client, spans: Spans, task_queue: str
) -> None:
    async with Worker(traced, task_queue=task_queue, workflows=[Sleeper], activities=[greet]):
        handle = await traced.start_workflow(Sleeper.run, id=task_queue, task_queue=task_queue)
        await spans.have("nap")
        await handle.signal(Sleeper.wake)
        await handle.result()
        again = await handle.reset(WorkflowResetPoint.last_task())
        await again.result()
        await spans.have("RunWorkflow:Sleeper", 2)
    first, second = spans.named("RunWorkflow:Sleeper")
    assert context_of(first).span_id != context_of(second).span_id
    assert context_of(first).trace_id == context_of(second).trace_id
    # It ended before the reset, and was told of by the first run.
    assert spans.one("nap").parent == context_of(first)


@pytest.mark.parametrize(("category", "status"), [("UNSPECIFIED", StatusCode.ERROR), ("BENIGN", StatusCode.UNSET)])
async def test_failures_are_recorded_with_their_exceptions(
    traced: Client, spans: Spans, task_queue: str, category: str, status: StatusCode
) -> None:
    async with Worker(traced, task_queue=task_queue, workflows=[failing], activities=[fail]):
        with pytest.raises(WorkflowFailureError):
            await traced.execute_workflow(failing, category, id=task_queue, task_queue=task_queue)
    for name, message in (("RunWorkflow:failing", "neither"), ("RunActivity:fail", "no")):
        span = spans.one(name)
        (event,) = span.events
        assert event.attributes is not None
        assert (span.status.status_code, event.attributes["exception.message"]) == (status, message)
    assert spans.one("caught").status.description == "ValueError: told"
    assert spans.one("StartWorkflow:failing").status.status_code is StatusCode.UNSET


@pytest.mark.parametrize("name", ["RunWorkflow:waiting", "CompleteWorkflow:waiting"])
async def test_cancellation_is_no_error(
    address: str, spans: Spans, task_queue: str, plugged: Any, intercepted: Any, name: str
) -> None:
    client = await Client.connect(address, **(plugged if name.startswith("Run") else intercepted))
    async with Worker(client, task_queue=task_queue, workflows=[waiting]):
        handle = await client.start_workflow(waiting, id=task_queue, task_queue=task_queue)
        await spans.have("StartWorkflow:waiting")
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    assert spans.one(name).status.status_code is StatusCode.UNSET


async def test_code_that_failed_its_task_has_not_ended(
    address: str, plugged: Any, spans: Spans, task_queue: str
) -> None:
    attempts.clear()
    client = await Client.connect(address, **plugged)
    async with Worker(client, task_queue=task_queue, workflows=[mended]):
        await client.execute_workflow(mended, id=task_queue, task_queue=task_queue)
    assert len(attempts) > 1
    assert spans.one("RunWorkflow:mended").status.status_code is StatusCode.UNSET


async def test_baggage_reaches_activities(traced: Client, task_queue: str) -> None:
    async with Worker(traced, task_queue=task_queue, workflows=[greeted], activities=[greet]):
        token = attach(set_baggage("customer", "ada"))
        try:
            started = traced.execute_workflow(greeted, id=task_queue, task_queue=task_queue)
            assert await started == "ada"
        finally:
            detach(token)


async def test_the_header_is_what_other_sdks_write(traced: Client, spans: Spans, task_queue: str) -> None:
    handle = await traced.start_workflow(greeted, id=task_queue, task_queue=task_queue)
    event = (await handle.fetch_history()).events[0]
    payload = event.workflow_execution_started_event_attributes.header.fields["_tracer-data"]
    assert payload.metadata == {"encoding": b"json/plain"}
    context = context_of(spans.one("StartWorkflow:greeted"))
    version, trace_id, span_id, _ = json.loads(payload.data)["traceparent"].split("-")
    assert (version, int(trace_id, 16), int(span_id, 16)) == ("00", context.trace_id, context.span_id)


@pytest.mark.parametrize("header", [b"not json", b'"text"', b'{"traceparent": "nonsense"}', b'{"traceparent": 1}'])
async def test_a_header_that_nobody_can_read_is_ignored(
    client: Client, address: str, plugged: Any, task_queue: str, spans: Spans, header: bytes
) -> None:
    from invincible.client import Interceptor, OutboundInterceptor, StartWorkflowInput
    from invincible.converter import Payload

    class Broken(Interceptor):
        def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
            return BrokenCalls(next)

    class BrokenCalls(OutboundInterceptor):
        async def start_workflow(self, input: StartWorkflowInput) -> Any:
            input.headers = {"_tracer-data": Payload({"encoding": b"json/plain"}, header)}
            return await super().start_workflow(input)

    breaking = await Client.connect(address, interceptors=[Broken()])
    traced = await Client.connect(address, **plugged)
    async with Worker(traced, task_queue=task_queue, workflows=[greeted], activities=[greet]):
        await breaking.execute_workflow(greeted, id=task_queue, task_queue=task_queue)
    assert spans.one("RunWorkflow:greeted").parent is None


@pytest.mark.parametrize("always", [False, True])
async def test_a_workflow_that_was_started_without_a_trace(
    client: Client, address: str, spans: Spans, task_queue: str, always: bool
) -> None:
    tracing = TracingInterceptor(spans.provider.get_tracer("test"), always_create_workflow_spans=always)
    worker = Worker(client, task_queue=task_queue, workflows=[greeted], activities=[greet], interceptors=[tracing])
    async with worker:
        await client.execute_workflow(greeted, id=task_queue, task_queue=task_queue)
    names = ["RunWorkflow:greeted", "StartActivity:greet", "RunActivity:greet", "CompleteWorkflow:greeted"]
    assert [span.name for span in spans.all()] == (names if always else ["RunActivity:greet"])


async def test_any_provider_will_do_for_the_tracing_interceptor(client: Client, address: str, task_queue: str) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    traced = await Client.connect(address, interceptors=[TracingInterceptor(provider.get_tracer("test"))])
    worker = Worker(traced, task_queue=task_queue, workflows=[greeted], activities=[greet], max_cached_workflows=0)
    async with worker:
        await traced.execute_workflow(greeted, id=task_queue, task_queue=task_queue)
    assert sorted(span.name for span in exporter.get_finished_spans()) == [
        "CompleteWorkflow:greeted",
        "RunActivity:greet",
        "RunWorkflow:greeted",
        "StartActivity:greet",
        "StartWorkflow:greeted",
    ]


async def test_spans_that_would_differ_on_replay_are_refused(client: Client, task_queue: str) -> None:
    with (
        global_provider(TracerProvider(shutdown_on_exit=False)),
        pytest.raises(ValueError, match=r"^the global tracer provider is a TracerProvider, whose spans would differ"),
    ):
        Worker(client, task_queue=task_queue, workflows=[greeted], interceptors=[OpenTelemetryInterceptor()])


async def test_a_propagator_and_a_header_of_ones_own(address: str, spans: Spans, task_queue: str) -> None:
    propagator: TextMapPropagator = TraceContextTextMapPropagator()

    class Tracing(TracingInterceptor):
        def __init__(self) -> None:
            super().__init__(spans.provider.get_tracer("test"))
            self.header_key, self.text_map_propagator = "our-trace", propagator

        def workflow_interceptor_class(
            self, input: WorkflowInterceptorClassInput
        ) -> type[TracingWorkflowInboundInterceptor]:
            super().workflow_interceptor_class(input)
            return TracingWorkflow

    class TracingWorkflow(TracingWorkflowInboundInterceptor):
        def __init__(self, next: WorkflowInboundInterceptor) -> None:
            super().__init__(next)
            self.header_key, self.text_map_propagator = "our-trace", propagator

    client = await Client.connect(address, interceptors=[Tracing()])
    async with Worker(client, task_queue=task_queue, workflows=[greeted], activities=[greet]):
        handle = await client.start_workflow(greeted, id=task_queue, task_queue=task_queue)
        await handle.result()
    event = (await handle.fetch_history()).events[0]
    assert [*event.workflow_execution_started_event_attributes.header.fields] == ["our-trace"]
    assert len({context_of(span).trace_id for span in spans.all()}) == 1


async def test_the_blocking_client_traces_what_its_caller_does(
    address: str, plugged: Any, traced: Client, spans: Spans, task_queue: str
) -> None:
    def call() -> None:
        span = trace.get_tracer("test").start_as_current_span("request")
        with SyncClient.connect(address, **plugged) as blocking, span:
            blocking.execute_workflow(greeted, id=task_queue, task_queue=task_queue)

    async with Worker(traced, task_queue=task_queue, workflows=[greeted], activities=[greet]):
        await asyncio.to_thread(call)
    assert spans.tree()[:3] == ["request", "  StartWorkflow:greeted", "    RunWorkflow:greeted"]
