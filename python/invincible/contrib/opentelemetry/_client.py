"""Spans of the calls of clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.trace import SpanKind

from invincible.client import (
    ActivityHandle,
    NexusOperationHandle,
    OutboundInterceptor,
    QueryWorkflowInput,
    SignalWorkflowInput,
    StartActivityInput,
    StartNexusOperationInput,
    StartWorkflowInput,
    StartWorkflowUpdateInput,
    StartWorkflowUpdateWithStartInput,
    WorkflowHandle,
    WorkflowUpdateHandle,
)

if TYPE_CHECKING:
    from ._propagation import Tracing


class ClientTracing(OutboundInterceptor):
    """Calls of a client, whose spans go on where the calls are handled."""

    def __init__(self, next: OutboundInterceptor, tracing: Tracing) -> None:
        super().__init__(next)
        self._tracing = tracing

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        name = "StartWorkflow" if input.start_signal is None else "SignalWithStartWorkflow"
        with self._tracing.span(f"{name}:{input.workflow}", SpanKind.CLIENT, {"temporalWorkflowID": input.id}):
            self._tracing.inject(input)
            return await super().start_workflow(input)

    async def query_workflow(self, input: QueryWorkflowInput) -> Any:
        with self._tracing.span(f"QueryWorkflow:{input.query}", SpanKind.CLIENT, {"temporalWorkflowID": input.id}):
            self._tracing.inject(input)
            return await super().query_workflow(input)

    async def signal_workflow(self, input: SignalWorkflowInput) -> None:
        with self._tracing.span(f"SignalWorkflow:{input.signal}", SpanKind.CLIENT, {"temporalWorkflowID": input.id}):
            self._tracing.inject(input)
            await super().signal_workflow(input)

    async def start_workflow_update(self, input: StartWorkflowUpdateInput) -> WorkflowUpdateHandle[Any]:
        name = f"StartWorkflowUpdate:{input.update}"
        with self._tracing.span(name, SpanKind.CLIENT, {"temporalWorkflowID": input.id}):
            self._tracing.inject(input)
            return await super().start_workflow_update(input)

    async def start_update_with_start_workflow(
        self, input: StartWorkflowUpdateWithStartInput
    ) -> WorkflowUpdateHandle[Any]:
        start = input.start_workflow_input
        name = f"StartUpdateWithStartWorkflow:{start.workflow}"
        with self._tracing.span(name, SpanKind.CLIENT, {"temporalWorkflowID": start.id}):
            self._tracing.inject(start)
            self._tracing.inject(input.update_workflow_input)
            return await super().start_update_with_start_workflow(input)

    async def start_activity(self, input: StartActivityInput) -> ActivityHandle[Any]:
        attributes = {"temporalActivityID": input.id, "temporalActivityType": input.activity_type}
        with self._tracing.span(f"StartActivity:{input.activity_type}", SpanKind.CLIENT, attributes):
            self._tracing.inject(input)
            return await super().start_activity(input)

    async def start_nexus_operation(self, input: StartNexusOperationInput) -> NexusOperationHandle[Any]:
        attributes = {"temporalNexusOperationID": input.id}
        with self._tracing.span(f"StartNexusOperation:{input.service}/{input.operation}", SpanKind.CLIENT, attributes):
            self._tracing.inject_text(input)
            return await super().start_nexus_operation(input)
