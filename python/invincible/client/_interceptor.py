"""Interceptors: code around every call of a client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._inputs import (
    CancelWorkflowInput,
    DescribeWorkflowInput,
    FetchWorkflowHistoryEventsInput,
    QueryWorkflowInput,
    SignalWorkflowInput,
    StartWorkflowInput,
    StartWorkflowUpdateInput,
    StartWorkflowUpdateWithStartInput,
    TerminateWorkflowInput,
)

if TYPE_CHECKING:
    from ._description import WorkflowExecutionDescription
    from ._handle import WorkflowHandle
    from ._history import WorkflowHistoryEventAsyncIterator
    from ._update import WorkflowUpdateHandle


class Interceptor:
    """Puts code around the calls of a client. Of several, the first in the client's list is outermost.

    Example:
        class Tenant(Interceptor):
            def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
                return TenantCalls(next)

        class TenantCalls(OutboundInterceptor):
            async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
                input.memo = {**(input.memo or {}), "tenant": current_tenant()}
                return await super().start_workflow(input)
    """

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        """Called once per client.

        Args:
            next: What the calls go to without this interceptor.

        Returns:
            What they go to with it; it passes them on to ``next``.
        """
        return next


class OutboundInterceptor:
    """Calls of a client on their way out. Each method passes its call on unless it is overridden.

    Args:
        next: Where calls go next.
    """

    def __init__(self, next: OutboundInterceptor) -> None:
        """Creates the interceptor."""
        self.next = next

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        """Called for :meth:`Client.start_workflow`, with and without a signal."""
        return await self.next.start_workflow(input)

    async def cancel_workflow(self, input: CancelWorkflowInput) -> None:
        """Called for :meth:`WorkflowHandle.cancel`."""
        await self.next.cancel_workflow(input)

    async def describe_workflow(self, input: DescribeWorkflowInput) -> WorkflowExecutionDescription:
        """Called for :meth:`WorkflowHandle.describe`."""
        return await self.next.describe_workflow(input)

    def fetch_workflow_history_events(
        self, input: FetchWorkflowHistoryEventsInput
    ) -> WorkflowHistoryEventAsyncIterator:
        """Called for :meth:`WorkflowHandle.fetch_history_events` and :meth:`WorkflowHandle.fetch_history`."""
        return self.next.fetch_workflow_history_events(input)

    async def query_workflow(self, input: QueryWorkflowInput) -> Any:
        """Called for :meth:`WorkflowHandle.query`."""
        return await self.next.query_workflow(input)

    async def signal_workflow(self, input: SignalWorkflowInput) -> None:
        """Called for :meth:`WorkflowHandle.signal`."""
        await self.next.signal_workflow(input)

    async def terminate_workflow(self, input: TerminateWorkflowInput) -> None:
        """Called for :meth:`WorkflowHandle.terminate`."""
        await self.next.terminate_workflow(input)

    async def start_workflow_update(self, input: StartWorkflowUpdateInput) -> WorkflowUpdateHandle[Any]:
        """Called for :meth:`WorkflowHandle.start_update` and :meth:`WorkflowHandle.execute_update`."""
        return await self.next.start_workflow_update(input)

    async def start_update_with_start_workflow(
        self, input: StartWorkflowUpdateWithStartInput
    ) -> WorkflowUpdateHandle[Any]:
        """Called for :meth:`Client.start_update_with_start_workflow` and its counterpart that waits for the result."""
        return await self.next.start_update_with_start_workflow(input)
