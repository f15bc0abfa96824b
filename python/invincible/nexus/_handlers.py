"""Operation handlers that start and cancel workflows, updates and activities."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic

from nexusrpc import HandlerError, HandlerErrorType, InputT, OutputT
from nexusrpc.handler import (
    CancelOperationContext,
    OperationHandler,
    StartOperationContext,
    StartOperationResultAsync,
    StartOperationResultSync,
)

from ._client import OperationClient, TemporalNexusClient, TemporalOperationResult
from ._context import client, context
from ._contexts import (
    TemporalCancelOperationContext,
    TemporalStartOperationContext,
    WorkflowRunOperationContext,
    same_as,
)
from ._token import OperationToken, OperationTokenType, WorkflowHandle


@dataclass(frozen=True)
class CancelWorkflowRunOptions:
    """Which workflow to cancel.

    Args:
        workflow_id: Its id.
    """

    workflow_id: str


@dataclass(frozen=True)
class CancelUpdateWorkflowOptions:
    """Which update to cancel.

    Args:
        workflow_id: Id of its workflow.
        update_id: Its id.
        run_id: Run of the workflow.
    """

    workflow_id: str
    update_id: str
    run_id: str


@dataclass(frozen=True)
class CancelActivityOptions:
    """Which activity to cancel.

    Args:
        activity_id: Its id.
        run_id: Its run.
    """

    activity_id: str
    run_id: str


class WorkflowRunOperationHandler(OperationHandler[InputT, OutputT]):
    """Handles an operation whose end is that of a workflow.

    Args:
        start: Starts the workflow.
    """

    def __init__(
        self, start: Callable[[WorkflowRunOperationContext, InputT], Awaitable[WorkflowHandle[OutputT]]]
    ) -> None:
        self._start = start

    async def start(self, ctx: StartOperationContext, input: InputT) -> StartOperationResultAsync:
        handle = await self._start(same_as(WorkflowRunOperationContext, ctx), input)
        if not isinstance(handle, WorkflowHandle):
            raise TypeError(
                f"workflow-run operation {ctx.operation!r} must return the invincible.nexus.WorkflowHandle that "
                f"ctx.start_workflow gives, got {type(handle).__name__}: the end of a workflow that the client starts "
                "is not the operation's"
            )
        return StartOperationResultAsync(handle.to_token())

    async def cancel(self, ctx: CancelOperationContext, token: str) -> None:
        try:
            handle: WorkflowHandle[OutputT] = WorkflowHandle.from_token(token)
        except TypeError as error:
            raise HandlerError(
                "the operation token names no workflow, and a workflow-run operation cancels nothing else",
                type=HandlerErrorType.NOT_FOUND,
            ) from error
        _check_namespace(handle.namespace)
        await client().get_workflow_handle(handle.workflow_id).cancel()


class TemporalOperationHandler(OperationHandler[InputT, OutputT], ABC, Generic[InputT, OutputT]):
    """Handles an operation behind which there is a workflow, an update or an activity, or that is done at once.

    Override :meth:`start_operation`, and the hooks ``cancel_...`` where cancelling is to do something else.

    Example:
        class ChargeHandler(nexus.TemporalOperationHandler[Order, Receipt]):
            async def start_operation(self, ctx, client, input):
                return await client.start_workflow(Charge.run, input, id=f"charge-{input.id}")

        @service_handler(service=Payments)
        class PaymentsHandler:
            @operation_handler
            def charge(self) -> OperationHandler[Order, Receipt]:
                return ChargeHandler()
    """

    @abstractmethod
    async def start_operation(
        self, ctx: TemporalStartOperationContext, client: TemporalNexusClient, input: InputT
    ) -> TemporalOperationResult[OutputT]:
        """Starts the operation.

        Args:
            ctx: Its context.
            client: Starts what is behind it.
            input: Its input.

        Returns:
            What the client gives, or ``TemporalOperationResult.sync(value)`` if it is done.
        """

    async def start(
        self, ctx: StartOperationContext, input: InputT
    ) -> StartOperationResultSync[OutputT] | StartOperationResultAsync:
        """Starts the operation, by :meth:`start_operation`."""
        start = same_as(TemporalStartOperationContext, ctx)
        result = await self.start_operation(start, OperationClient(context(), start), input)
        if not isinstance(result, TemporalOperationResult):
            raise TypeError(
                f"operation {ctx.operation!r} must return an invincible.nexus.TemporalOperationResult, got "
                f"{type(result).__name__}"
            )
        return result._to_nexus()

    async def cancel(self, ctx: CancelOperationContext, token: str) -> None:
        """Cancels the operation, by the hook for what is behind it."""
        try:
            named = OperationToken.decode(token)
        except TypeError as error:
            # Of an operation that made its own: only an override of this method knows it.
            raise HandlerError(
                "Unable to decode operation token to cancel", type=HandlerErrorType.INTERNAL, retryable_override=False
            ) from error
        _check_namespace(named.namespace)
        cancel = same_as(TemporalCancelOperationContext, ctx)
        match named.type:
            case OperationTokenType.WORKFLOW:
                await self.cancel_workflow_run(cancel, CancelWorkflowRunOptions(named.workflow_id))
            case OperationTokenType.ACTIVITY:
                await self.cancel_activity(cancel, CancelActivityOptions(named.activity_id, named.run_id))
            case OperationTokenType.UPDATE:
                options = CancelUpdateWorkflowOptions(named.workflow_id, named.update_id, named.run_id)
                await self.cancel_workflow_update(cancel, options)

    async def cancel_workflow_run(self, ctx: TemporalCancelOperationContext, options: CancelWorkflowRunOptions) -> None:
        """Called for an operation with a workflow behind it; asks for the workflow's cancellation.

        Args:
            ctx: Context of the cancellation.
            options: The workflow.
        """
        await client().get_workflow_handle(options.workflow_id).cancel()

    async def cancel_workflow_update(
        self, ctx: TemporalCancelOperationContext, options: CancelUpdateWorkflowOptions
    ) -> None:
        """Called for an operation with an update behind it. An update that is accepted cannot be cancelled: override
        this to have the workflow end it, by a signal say.

        Args:
            ctx: Context of the cancellation.
            options: The update.

        Raises:
            nexusrpc.HandlerError: ``NOT_IMPLEMENTED``, always.
        """
        raise HandlerError(
            "an update that is accepted cannot be cancelled: override TemporalOperationHandler.cancel_workflow_update "
            "and have the workflow end it",
            type=HandlerErrorType.NOT_IMPLEMENTED,
        )

    async def cancel_activity(self, ctx: TemporalCancelOperationContext, options: CancelActivityOptions) -> None:
        """Called for an operation with an activity behind it; asks for the activity's cancellation.

        Args:
            ctx: Context of the cancellation.
            options: The activity.
        """
        await client().get_activity_handle(options.activity_id, run_id=options.run_id or None).cancel()


def _check_namespace(namespace: str) -> None:
    own = client().namespace
    if namespace != own:
        raise HandlerError(
            f"the operation token is of namespace {namespace!r}, this worker is in {own!r}",
            type=HandlerErrorType.NOT_FOUND,
        )
