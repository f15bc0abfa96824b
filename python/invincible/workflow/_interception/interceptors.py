"""The base classes of interceptors of workflow code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from .inputs import (
    ContinueAsNewInput,
    ExecuteWorkflowInput,
    HandleQueryInput,
    HandleSignalInput,
    HandleUpdateInput,
    SignalChildWorkflowInput,
    SignalExternalWorkflowInput,
    StartActivityInput,
    StartChildWorkflowInput,
    StartLocalActivityInput,
    StartNexusOperationInput,
)

if TYPE_CHECKING:
    from invincible._engine.activities import ActivityHandle
    from invincible._engine.children import ChildWorkflowHandle
    from invincible._engine.nexus import NexusOperationHandle
    from invincible.workflow._info import Info

    from .signal_with_start import SignalWithStartWorkflowRequest, SignalWithStartWorkflowResponse

InputT = TypeVar("InputT")
OutputT = TypeVar("OutputT")


class WorkflowInboundInterceptor:
    """Calls of a workflow on their way to its code. Each method passes its call on unless it is overridden.

    One object is made per run, and again when a run is replayed: its code is workflow code, and must be as
    deterministic.

    Args:
        next: Where calls go next.
    """

    def __init__(self, next: WorkflowInboundInterceptor) -> None:
        """Creates the interceptor, before the workflow's own object."""
        self.next = next

    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        """Called once per run, before anything else. To intercept outbound calls, pass an interceptor of them on.

        Args:
            outbound: Where outbound calls go without this interceptor.

        Example:
            def init(self, outbound: WorkflowOutboundInterceptor) -> None:
                super().init(Outbound(outbound))
        """
        self.next.init(outbound)

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        """Called for the run; what it returns is the result of the workflow."""
        return await self.next.execute_workflow(input)

    async def handle_signal(self, input: HandleSignalInput) -> None:
        """Called for a signal that has a handler."""
        await self.next.handle_signal(input)

    async def handle_query(self, input: HandleQueryInput) -> Any:
        """Called for a query; it must not wait, and may not change the workflow."""
        return await self.next.handle_query(input)

    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        """Called for an update that has a validator, unless it is replayed; it may not change the workflow."""
        self.next.handle_update_validator(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        """Called for an update that was accepted; what it returns is the result of the update."""
        return await self.next.handle_update_handler(input)


class WorkflowOutboundInterceptor:
    """Calls of a workflow's code on their way out. Each method passes its call on unless it is overridden.

    Args:
        next: Where calls go next.
    """

    next: WorkflowOutboundInterceptor

    def __init__(self, next: WorkflowOutboundInterceptor) -> None:
        """Creates the interceptor."""
        self.next = next

    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:
        """Called for ``workflow.continue_as_new``; it does not return."""
        self.next.continue_as_new(input)

    def info(self) -> Info:
        """Called for each ``workflow.info``."""
        return self.next.info()

    async def signal_child_workflow(self, input: SignalChildWorkflowInput) -> None:
        """Called for ``signal`` of a child's handle."""
        await self.next.signal_child_workflow(input)

    async def signal_external_workflow(self, input: SignalExternalWorkflowInput) -> None:
        """Called for ``signal`` of the handle of an external workflow."""
        await self.next.signal_external_workflow(input)

    def start_activity(self, input: StartActivityInput) -> ActivityHandle[Any]:
        """Called for all calls of activities, which wait for the result or not; it must not wait."""
        return self.next.start_activity(input)

    async def start_child_workflow(self, input: StartChildWorkflowInput) -> ChildWorkflowHandle[Any, Any]:
        """Called for all calls of child workflows, which wait for the result or not."""
        return await self.next.start_child_workflow(input)

    def start_local_activity(self, input: StartLocalActivityInput) -> ActivityHandle[Any]:
        """Called for all calls of local activities, which wait for the result or not; it must not wait."""
        return self.next.start_local_activity(input)

    async def start_nexus_operation(
        self, input: StartNexusOperationInput[InputT, OutputT]
    ) -> NexusOperationHandle[OutputT]:
        """Called for all calls of Nexus operations, which wait for the result or not."""
        return await self.next.start_nexus_operation(input)

    async def start_signal_with_start_workflow(
        self, request: SignalWithStartWorkflowRequest
    ) -> NexusOperationHandle[SignalWithStartWorkflowResponse]:
        """Called for ``workflow.signal_with_start_workflow``."""
        return await self.next.start_signal_with_start_workflow(request)

    async def start_system_nexus_operation(
        self, input: StartNexusOperationInput[InputT, OutputT]
    ) -> NexusOperationHandle[OutputT]:
        """Called for the operations of the server itself, after the method that is called for what they carry out:
        :meth:`start_signal_with_start_workflow`."""
        return await self.next.start_system_nexus_operation(input)
