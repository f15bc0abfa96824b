"""Tracing as a plugin."""

from __future__ import annotations

from invincible.plugin import SimplePlugin

from ._spans import OpenTelemetryInterceptor


class OpenTelemetryPlugin(SimplePlugin):
    """Traces clients, workers and replayers: :class:`OpenTelemetryInterceptor` as a plugin.

    Give it to the client. The global tracer provider must be one that :func:`create_tracer_provider` made, before
    workers are made.

    Args:
        add_temporal_spans: Whether there are spans of its own: ``StartWorkflow``, ``RunWorkflow``, ``RunActivity`` and
            so on. Without them, contexts are propagated, so that spans of user code belong to one trace.

    Example:
        opentelemetry.trace.set_tracer_provider(create_tracer_provider())
        client = await Client.connect("localhost:7233", plugins=[OpenTelemetryPlugin(add_temporal_spans=True)])
    """

    def __init__(self, *, add_temporal_spans: bool = False) -> None:
        """Traces with the global provider."""
        super().__init__("OpenTelemetryPlugin", interceptors=[OpenTelemetryInterceptor(add_temporal_spans)])
