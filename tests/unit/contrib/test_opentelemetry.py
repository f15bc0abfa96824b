"""Tracing outside of workflows, and what it refuses."""

from __future__ import annotations

import subprocess
import sys

import pytest
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import StatusCode

from invincible.contrib.opentelemetry import ReplaySafeTracerProvider, create_tracer_provider
from invincible.contrib.opentelemetry.workflow import completed_span
from invincible.workflow import NotInWorkflowError
from tests.support.tracing import Spans


class Counting(RandomIdGenerator):
    def __init__(self) -> None:
        self.last = 0

    def generate_span_id(self) -> int:
        self.last += 1
        return self.last


def test_outside_of_workflows_spans_are_the_sdk_s() -> None:
    spans = Spans()
    tracer = spans.provider.get_tracer("test")
    with tracer.start_as_current_span("outer") as outer, tracer.start_as_current_span("inner"):
        assert trace.get_current_span() is not outer
    assert spans.tree() == ["outer", "  inner"]


def test_an_exception_is_recorded_once() -> None:
    spans = Spans()
    with pytest.raises(ValueError, match="told"), spans.provider.get_tracer("test").start_as_current_span("outer"):
        raise ValueError("told")
    span = spans.one("outer")
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "ValueError: told")
    assert len(span.events) == 1


async def test_a_coroutine_can_be_decorated() -> None:
    spans = Spans()

    @spans.provider.get_tracer("test").start_as_current_span("work")
    async def work() -> bool:
        return trace.get_current_span().is_recording()

    assert await work() is True
    assert spans.one("work").end_time is not None


def test_options_are_those_of_the_sdk() -> None:
    ids = Counting()
    provider = create_tracer_provider(
        resource=Resource({"service.name": "shop"}),
        shutdown_on_exit=False,
        id_generator=ids,
        span_limits=SpanLimits(max_attributes=1),
    )
    span = provider.get_tracer("test").start_span("order", attributes={"a": 1, "b": 2})
    assert span.get_span_context().span_id == ids.last == 1
    assert span.resource.attributes["service.name"] == "shop"  # type: ignore[attr-defined]
    assert len(span.attributes) == 1  # type: ignore[attr-defined]
    never = create_tracer_provider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    assert not never.get_tracer("test").start_span("order").is_recording()


def test_a_provider_with_ids_of_its_own_is_refused() -> None:
    good = create_tracer_provider(shutdown_on_exit=False)
    for ids in (good.id_generator(), RandomIdGenerator()):
        with pytest.raises(ValueError, match=r"use create_tracer_provider\(\)"):
            ReplaySafeTracerProvider(TracerProvider(shutdown_on_exit=False), ids)


def test_completed_spans_are_for_workflows() -> None:
    with pytest.raises(NotInWorkflowError):
        completed_span("order")


def test_without_opentelemetry_the_error_names_the_extra() -> None:
    program = "import sys; sys.modules['opentelemetry'] = None; import invincible.contrib.opentelemetry"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stderr.splitlines()[-1] == (
        "ImportError: invincible.contrib.opentelemetry needs OpenTelemetry: pip install 'invincible[opentelemetry]'"
    )
