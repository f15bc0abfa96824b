"""Trace contexts in headers, as other SDKs write and read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from opentelemetry import trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import Attributes

from invincible.converter import DataConverter, Payload, PayloadConverter
from invincible.exceptions import ApplicationError, ApplicationErrorCategory, is_cancelled_exception

from ._replay import attached

HEADER_KEY = "_tracer-data"
PROPAGATOR: TextMapPropagator = CompositePropagator([TraceContextTextMapPropagator(), W3CBaggagePropagator()])


class _WithHeaders(Protocol):
    headers: Any


class Propagation:
    """Trace contexts in headers.

    Attributes:
        header_key: Name of the header.
        text_map_propagator: Writes and reads contexts.
        payload_converter: Converts what that writes, a dict of text, to and from the header.
    """

    def __init__(self) -> None:
        """Propagates as other SDKs do."""
        self.header_key = HEADER_KEY
        self.text_map_propagator = PROPAGATOR
        self.payload_converter: PayloadConverter = DataConverter.default.payload_converter

    def context_from_headers(self, headers: Mapping[str, Payload]) -> Context | None:
        """The context that a header brings; ``None`` without one, or if it is none that can be read."""
        payload = headers.get(self.header_key)
        if payload is None:
            return None
        try:
            (carrier,) = self.payload_converter.from_payloads([payload])
            return self.text_map_propagator.extract(carrier, Context())
        except Exception:
            # Whoever wrote the header: what is run must not fail for it.
            return None

    def inject(self, input: _WithHeaders, context: Context | None = None) -> None:
        """Puts a context, the current one if none is given, into the headers of a call."""
        carrier = self._carrier(context)
        if carrier:
            (payload,) = self.payload_converter.to_payloads([carrier])
            input.headers = {**(input.headers or {}), self.header_key: payload}

    def inject_text(self, input: _WithHeaders, context: Context | None = None) -> None:
        """The same for a Nexus operation, whose headers are text."""
        input.headers = {**(input.headers or {}), **self._carrier(context)}

    def _carrier(self, context: Context | None) -> dict[str, str]:
        carrier: dict[str, str] = {}
        self.text_map_propagator.inject(carrier, context)  # pyright: ignore[reportArgumentType]  # the default setter
        return carrier


class Tracing(Propagation):
    """How clients, activities and Nexus operations are traced; workflows have their own ways.

    Attributes:
        makes_spans: Whether there are spans, rather than propagation alone.
    """

    makes_spans = True

    def get_tracer(self) -> Tracer:
        """What makes spans."""
        raise NotImplementedError

    @contextmanager
    def span(
        self, name: str, kind: SpanKind, attributes: Attributes = None, parent: Context | None = None
    ) -> Iterator[None]:
        """A current span while something is done.

        Args:
            parent: What it belongs to, the current context if ``None``.
        """
        if not self.makes_spans:
            with attached(parent):
                yield
            return
        span = self.get_tracer().start_span(name, parent, kind, attributes)
        with attached(trace.set_span_in_context(span, parent)), ended(span):
            yield


@contextmanager
def ended(span: Span) -> Iterator[None]:
    """Ends a span with its outcome."""
    try:
        yield
    except Exception as error:
        record_error(span, error)
        raise
    finally:
        span.end()


def record_error(span: Span, error: BaseException) -> None:
    """Tells of an exception; it is no error if it was asked for or is declared benign."""
    span.record_exception(error)
    benign = isinstance(error, ApplicationError) and error.category == ApplicationErrorCategory.BENIGN
    if not benign and not is_cancelled_exception(error):
        span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))


def link_to(context: Context | None) -> list[Link] | None:
    """A link to the span of a context, if it has one."""
    if context is None:
        return None
    span_context = trace.get_current_span(context).get_span_context()
    return [Link(span_context)] if span_context.is_valid else None
