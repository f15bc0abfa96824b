"""Traces, metrics and logs of clients, workflows, activities and Nexus operations, by OpenTelemetry.

:class:`OpenTelemetryPlugin` makes one trace of a client's call and of all that follows from it, with spans as long as
what they stand for, and lets workflow code make spans of its own by ``opentelemetry.trace``. It needs the provider of
:func:`create_tracer_provider`. :class:`TracingInterceptor` works with any provider, and tells of workflows by spans
without a duration. Needs the extra ``invincible[opentelemetry]``.

Example::

    provider = create_tracer_provider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    opentelemetry.trace.set_tracer_provider(provider)
    client = await Client.connect("localhost:7233", plugins=[OpenTelemetryPlugin(add_temporal_spans=True)])
"""

try:
    import opentelemetry.sdk.trace as _sdk  # noqa: F401
except ImportError as error:
    raise ImportError(
        "invincible.contrib.opentelemetry needs OpenTelemetry: pip install 'invincible[opentelemetry]'"
    ) from error

from ._completed_spans import TracingInterceptor, TracingWorkflowInboundInterceptor
from ._logger_provider import ReplaySafeLoggerProvider
from ._meter_provider import ReplaySafeMeterProvider
from ._metrics_exporter import MetricsExporter
from ._plugin import OpenTelemetryPlugin
from ._spans import OpenTelemetryInterceptor
from ._tracer_provider import ReplaySafeTracerProvider, create_tracer_provider

__all__ = [
    "MetricsExporter",
    "OpenTelemetryInterceptor",
    "OpenTelemetryPlugin",
    "ReplaySafeLoggerProvider",
    "ReplaySafeMeterProvider",
    "ReplaySafeTracerProvider",
    "TracingInterceptor",
    "TracingWorkflowInboundInterceptor",
    "create_tracer_provider",
]
