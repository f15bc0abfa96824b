"""Spans of handlers of Nexus operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nexusrpc.handler import StartOperationResultAsync, StartOperationResultSync
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind

from invincible.worker import (
    ExecuteNexusOperationCancelInput,
    ExecuteNexusOperationStartInput,
    NexusOperationInboundInterceptor,
)

if TYPE_CHECKING:
    from ._propagation import Tracing


class NexusTracing(NexusOperationInboundInterceptor):
    """One call of a handler."""

    def __init__(self, next: NexusOperationInboundInterceptor, tracing: Tracing) -> None:
        super().__init__(next)
        self._tracing = tracing

    async def execute_nexus_operation_start(
        self, input: ExecuteNexusOperationStartInput
    ) -> StartOperationResultSync[Any] | StartOperationResultAsync:
        with self._span("RunStartNexusOperationHandler", input.ctx):
            return await super().execute_nexus_operation_start(input)

    async def execute_nexus_operation_cancel(self, input: ExecuteNexusOperationCancelInput) -> None:
        with self._span("RunCancelNexusOperationHandler", input.ctx):
            await super().execute_nexus_operation_cancel(input)

    def _span(self, name: str, ctx: Any) -> Any:
        parent = self._tracing.text_map_propagator.extract(ctx.headers, Context())
        return self._tracing.span(f"{name}:{ctx.service}/{ctx.operation}", SpanKind.SERVER, parent=parent)
