"""Interceptors of Nexus operations: code around the calls of their handlers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # Not needed to import this module: the package is an extra.
    from nexusrpc.handler import (
        CancelOperationContext,
        StartOperationContext,
        StartOperationResultAsync,
        StartOperationResultSync,
    )


@dataclass
class ExecuteNexusOperationStartInput:
    """Argument of :meth:`NexusOperationInboundInterceptor.execute_nexus_operation_start`.

    Args:
        ctx: Context of the operation: its service, name, headers, links.
        input: Its input, converted.
    """

    ctx: StartOperationContext
    input: Any


@dataclass
class ExecuteNexusOperationCancelInput:
    """Argument of :meth:`NexusOperationInboundInterceptor.execute_nexus_operation_cancel`.

    Args:
        ctx: Context of the operation: its service, name, headers.
        token: Names the operation.
    """

    ctx: CancelOperationContext
    token: str


class NexusOperationInboundInterceptor:
    """Calls of a Nexus operation on their way to its handler. Each method passes its call on unless it is overridden.

    Args:
        next: Where calls go next.
    """

    def __init__(self, next: NexusOperationInboundInterceptor) -> None:
        """Creates the interceptor, for one call of a handler."""
        self.next = next

    async def execute_nexus_operation_start(
        self, input: ExecuteNexusOperationStartInput
    ) -> StartOperationResultSync[Any] | StartOperationResultAsync:
        """Called to start an operation, on the worker's event loop even if its handler runs elsewhere."""
        return await self.next.execute_nexus_operation_start(input)

    async def execute_nexus_operation_cancel(self, input: ExecuteNexusOperationCancelInput) -> None:
        """Called when the operation's caller asks to cancel it."""
        await self.next.execute_nexus_operation_cancel(input)
