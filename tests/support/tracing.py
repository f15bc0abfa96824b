"""Spans as an exporter gets them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext, TracerProvider
from opentelemetry.util._once import Once

from invincible.contrib.opentelemetry import create_tracer_provider
from tests.support.conditions import eventually


class Spans:
    """What a provider's spans end up in.

    Attributes:
        provider: The provider, safe for workflows.
    """

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = create_tracer_provider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    def all(self) -> list[ReadableSpan]:
        """All spans, in the order in which they ended."""
        return [*self._exporter.get_finished_spans()]

    def named(self, name: str) -> list[ReadableSpan]:
        """Spans of a name."""
        return [span for span in self.all() if span.name == name]

    def one(self, name: str) -> ReadableSpan:
        """The only span of a name."""
        (span,) = self.named(name)
        return span

    async def have(self, name: str, times: int = 1) -> None:
        """Waits for spans of a name: they may end after what they stand for is known elsewhere."""

        async def there() -> bool:
            return len(self.named(name)) >= times

        await eventually(there, what=f"{times} span {name!r}")

    def tree(self) -> list[str]:
        """Names of the spans, indented below their parents; those with one parent in alphabetical order."""
        spans = self.all()
        known = {context_of(span).span_id for span in spans}
        roots = [span for span in spans if span.parent is None or span.parent.span_id not in known]
        return [*_lines(roots, spans, 0)]


def _lines(level: Iterable[ReadableSpan], spans: list[ReadableSpan], depth: int) -> Iterator[str]:
    for span in sorted(level, key=lambda span: span.name):
        yield "  " * depth + span.name
        own = context_of(span).span_id
        yield from _lines((each for each in spans if each.parent and each.parent.span_id == own), spans, depth + 1)


def context_of(span: ReadableSpan) -> SpanContext:
    """What a span is known by."""
    context = span.get_span_context()
    assert context is not None
    return context


def duration(span: ReadableSpan) -> float:
    """How long a span is, in seconds."""
    assert span.start_time is not None
    assert span.end_time is not None
    return (span.end_time - span.start_time) / 1e9


@contextmanager
def no_global_provider() -> Iterator[None]:
    """Lets a global provider be set, of which a process is meant to have one only."""
    before = (trace._TRACER_PROVIDER, trace._TRACER_PROVIDER_SET_ONCE)
    trace._TRACER_PROVIDER, trace._TRACER_PROVIDER_SET_ONCE = None, Once()
    try:
        yield
    finally:
        trace._TRACER_PROVIDER, trace._TRACER_PROVIDER_SET_ONCE = before


@contextmanager
def global_provider(provider: TracerProvider) -> Iterator[None]:
    """Makes a provider the global one."""
    with no_global_provider():
        trace.set_tracer_provider(provider)
        yield
