"""Clients that trace, the one way or the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from invincible.client import Client
from invincible.contrib.opentelemetry import OpenTelemetryPlugin, TracingInterceptor
from tests.support.tracing import Spans, global_provider


@pytest.fixture
def spans() -> Iterator[Spans]:
    spans = Spans()
    with global_provider(spans.provider):
        yield spans


@pytest.fixture
def plugged(spans: Spans) -> dict[str, Any]:
    """Options of clients whose spans have durations."""
    return {"plugins": [OpenTelemetryPlugin(add_temporal_spans=True)]}


@pytest.fixture
def intercepted(spans: Spans) -> dict[str, Any]:
    """Options of clients that tell of workflows by spans without durations."""
    return {"interceptors": [TracingInterceptor(spans.provider.get_tracer("test"))]}


@pytest.fixture
async def traced(address: str, plugged: dict[str, Any]) -> Client:
    client = await Client.connect(address, **plugged)
    client._raise_task_failures = True
    return client
