"""Spans of workflow code."""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.util.types import Attributes

from invincible import workflow

from ._completed_spans import completed_span_in_workflow
from ._propagation import record_error

__all__ = ["completed_span"]


def completed_span(name: str, *, attributes: Attributes = None, exception: Exception | None = None) -> None:
    """Makes a span without a duration, unless it was made before.

    Nothing happens if the worker does not trace, or if the workflow was started without a trace. For spans with a
    duration use ``opentelemetry.trace`` with :class:`~invincible.contrib.opentelemetry.OpenTelemetryPlugin`.

    Args:
        name: Name of the span.
        attributes: Its attributes; workflow id and run id are added.
        exception: What to tell of.

    Raises:
        NotInWorkflowError: outside of workflow code.
    """
    info = workflow.info()
    if completed_span_in_workflow(name, attributes, exception):
        return
    if not trace.get_current_span().get_span_context().is_valid:
        return
    ids = {"temporalWorkflowID": info.workflow_id, "temporalRunID": info.run_id}
    span = trace.get_tracer(__name__).start_span(name, attributes={**ids, **(attributes or {})})
    if exception is not None:
        record_error(span, exception)
    span.end()
