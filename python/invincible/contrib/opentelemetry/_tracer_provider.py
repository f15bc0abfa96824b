"""Spans that workflow code may make."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk import trace as sdk
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Sampler
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode, Tracer, TracerProvider
from opentelemetry.util._decorator import _agnosticcontextmanager
from opentelemetry.util.types import Attributes, AttributeValue

from invincible._engine.context import current_run_or_none
from invincible._engine.run import WorkflowRun

from ._replay import attached, is_replayed, takes_ids_of_replay, unguarded


class WorkflowIdGenerator(IdGenerator):
    """Ids that are the same whenever a workflow is replayed; elsewhere those of another generator."""

    def __init__(self, elsewhere: IdGenerator) -> None:
        self._elsewhere = elsewhere
        self._generators: WeakKeyDictionary[WorkflowRun, random.Random] = WeakKeyDictionary()

    def generate_span_id(self) -> int:
        generator = self._in_workflow()
        return self._elsewhere.generate_span_id() if generator is None else generator.randrange(1, 1 << 64)

    def generate_trace_id(self) -> int:
        generator = self._in_workflow()
        return self._elsewhere.generate_trace_id() if generator is None else generator.randrange(1, 1 << 128)

    def _in_workflow(self) -> random.Random | None:
        run = current_run_or_none()
        if run is None or not takes_ids_of_replay():
            return None
        generator = self._generators.get(run)
        if generator is None:
            # Not the run's own seed, which a run shares with the one that it was reset from.
            generator = self._generators[run] = random.Random(f"{run.run_id}:spans")
        return generator


class ReplaySafeTracerProvider(TracerProvider):
    """Makes spans that workflow code may use as any other code does.

    In workflows, a span has the same id on each replay, and begins no later than the workflow task in which its code
    ran first, so that a span that is begun by one worker can be ended by another. It is exported when it ends, by the
    worker on which its code ends for the first time.

    Args:
        tracer_provider: Makes the spans.
        id_generator: Its generator of ids.

    Raises:
        ValueError: The generator is not the provider's, or not one that :func:`create_tracer_provider` makes.
    """

    def __init__(self, tracer_provider: sdk.TracerProvider, id_generator: IdGenerator) -> None:
        """Wraps a provider; :func:`create_tracer_provider` makes both."""
        ids: IdGenerator = tracer_provider.id_generator
        if not isinstance(id_generator, WorkflowIdGenerator) or ids is not id_generator:
            raise ValueError("the provider's ids would differ on replay: use create_tracer_provider() to make one")
        self._provider = tracer_provider

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes | None = None,
    ) -> Tracer:
        """A tracer for workflow code and any other."""
        return _Tracer(
            self._provider.get_tracer(instrumenting_module_name, instrumenting_library_version, schema_url, attributes)
        )

    def id_generator(self) -> IdGenerator:
        """What makes the ids."""
        return self._provider.id_generator

    def add_span_processor(self, span_processor: sdk.SpanProcessor) -> None:
        """Adds a processor of spans."""
        self._provider.add_span_processor(span_processor)

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Exports what has ended; whether that was done within ``timeout_millis``."""
        return self._provider.force_flush(timeout_millis)

    def shutdown(self) -> None:
        """Exports what has ended, and ends the processors."""
        self._provider.shutdown()


def create_tracer_provider(
    sampler: Sampler | None = None,
    resource: Resource | None = None,
    shutdown_on_exit: bool = True,
    active_span_processor: sdk.SynchronousMultiSpanProcessor | sdk.ConcurrentMultiSpanProcessor | None = None,
    id_generator: IdGenerator | None = None,
    span_limits: sdk.SpanLimits | None = None,
) -> ReplaySafeTracerProvider:
    """A provider whose spans workflow code may use. Parameters are those of OpenTelemetry's ``TracerProvider``.

    Args:
        sampler: Which spans are kept; the provider's default if ``None``.
        resource: Who makes them.
        shutdown_on_exit: Whether the provider is shut down at the end of the process.
        active_span_processor: What gets them.
        id_generator: Ids of spans outside of workflow code.
        span_limits: How large they may be.
    """
    ids = WorkflowIdGenerator(id_generator or RandomIdGenerator())
    provider = sdk.TracerProvider(
        sampler=sampler,
        resource=resource,
        shutdown_on_exit=shutdown_on_exit,
        active_span_processor=active_span_processor,
        id_generator=ids,
        span_limits=span_limits,
    )
    return ReplaySafeTracerProvider(provider, ids)


class _Tracer(Tracer):
    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> Span:
        run = current_run_or_none()
        if run is not None and start_time is None and is_replayed():
            start_time = run.timestamp_ns
        with unguarded():
            span = self._tracer.start_span(
                name, context, kind, attributes, links, start_time, record_exception, set_status_on_exception
            )
        return span if run is None else _WorkflowSpan(span)

    @_agnosticcontextmanager
    def start_as_current_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
        end_on_exit: bool = True,
    ) -> Iterator[Span]:
        span = self.start_span(
            name, context, kind, attributes, links, start_time, record_exception, set_status_on_exception
        )
        with attached(trace.set_span_in_context(span)):
            try:
                yield span
            except Exception as error:
                if record_exception:
                    span.record_exception(error)
                if set_status_on_exception:
                    span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))
                raise
            finally:
                if end_on_exit:
                    span.end()


class _WorkflowSpan(Span):
    """A span of workflow code: the same on each replay, but ended once."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def end(self, end_time: int | None = None) -> None:
        if not is_replayed():
            with unguarded():
                self._span.end(end_time)

    def get_span_context(self) -> SpanContext:
        return self._span.get_span_context()

    def set_attributes(self, attributes: Any) -> None:
        self._span.set_attributes(attributes)

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        self._span.set_attribute(key, value)

    def add_event(self, name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
        with unguarded():
            self._span.add_event(name, attributes, self._time(timestamp))

    def add_link(self, context: SpanContext, attributes: Attributes = None) -> None:
        self._span.add_link(context, attributes)

    def update_name(self, name: str) -> None:
        self._span.update_name(name)

    def is_recording(self) -> bool:
        return self._span.is_recording()

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        self._span.set_status(status, description)

    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        with unguarded():
            self._span.record_exception(exception, attributes, self._time(timestamp), escaped)

    def _time(self, timestamp: int | None) -> int | None:
        run = current_run_or_none()
        return run.timestamp_ns if timestamp is None and run is not None and is_replayed() else timestamp

    def __getattr__(self, name: str) -> Any:
        # What readable spans have besides: name, parent, start_time, ...
        return getattr(self._span, name)
