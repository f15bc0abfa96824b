"""Spans of activities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.trace import SpanKind

from invincible import activity
from invincible.worker import ActivityInboundInterceptor, ExecuteActivityInput

if TYPE_CHECKING:
    from ._propagation import Tracing


class ActivityTracing(ActivityInboundInterceptor):
    """One execution of an activity."""

    def __init__(self, next: ActivityInboundInterceptor, tracing: Tracing) -> None:
        super().__init__(next)
        self._tracing = tracing

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        info = activity.info()
        attributes = {
            "temporalWorkflowID": info.workflow_id,
            "temporalRunID": info.workflow_run_id or info.activity_run_id,
            "temporalActivityID": info.activity_id,
        }
        with self._tracing.span(
            f"RunActivity:{info.activity_type}",
            SpanKind.SERVER,
            {key: value for key, value in attributes.items() if value},
            self._tracing.context_from_headers(input.headers),
        ):
            return await super().execute_activity(input)
