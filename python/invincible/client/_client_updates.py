"""The part of clients that is about update-with-start."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, cast, overload

from typing_extensions import Unpack

from invincible._engine.reference import NOT_GIVEN, update_reference

from ._handle_updates import stage_to_wait_for
from ._status import WorkflowUpdateStage

if TYPE_CHECKING:
    from invincible.types import (
        AnyType,
        LocalReturnType,
        MethodSyncOrAsyncNoParam,
        MethodSyncOrAsyncSingleParam,
        ParamType,
        SelfType,
    )

    from ._client import Client
    from ._interceptor import OutboundInterceptor
    from ._options import StartUpdateOptions, UpdateOptions
    from ._update import UpdateMethod, WorkflowUpdateHandle
    from ._with_start import WithStartWorkflowOperation


class ClientUpdates:
    """Updates of workflows that are started for them unless they run."""

    _calls: OutboundInterceptor

    @overload
    async def execute_update_with_start_workflow(
        self,
        update: MethodSyncOrAsyncNoParam[SelfType, LocalReturnType],
        *,
        start_workflow_operation: WithStartWorkflowOperation[SelfType, Any],
        **options: Unpack[UpdateOptions],
    ) -> LocalReturnType: ...
    @overload
    async def execute_update_with_start_workflow(
        self,
        update: MethodSyncOrAsyncSingleParam[SelfType, ParamType, LocalReturnType],
        arg: ParamType,
        *,
        start_workflow_operation: WithStartWorkflowOperation[SelfType, Any],
        **options: Unpack[UpdateOptions],
    ) -> LocalReturnType: ...
    @overload
    async def execute_update_with_start_workflow(
        self,
        update: UpdateMethod[LocalReturnType],
        *,
        args: Sequence[Any],
        start_workflow_operation: WithStartWorkflowOperation[Any, Any],
        **options: Unpack[UpdateOptions],
    ) -> LocalReturnType: ...
    @overload
    async def execute_update_with_start_workflow(
        self,
        update: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        start_workflow_operation: WithStartWorkflowOperation[Any, Any],
        result_type: type[AnyType],
        **options: Unpack[UpdateOptions],
    ) -> AnyType: ...
    @overload
    async def execute_update_with_start_workflow(
        self,
        update: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        start_workflow_operation: WithStartWorkflowOperation[Any, Any],
        **options: Unpack[UpdateOptions],
    ) -> Any: ...
    async def execute_update_with_start_workflow(
        self,
        update: str | Callable[..., Any],
        arg: Any = NOT_GIVEN,
        *,
        start_workflow_operation: WithStartWorkflowOperation[Any, Any],
        args: Sequence[Any] = (),
        id: str | None = None,
        result_type: type | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> Any:
        """Sends an update to a workflow, started for it unless it runs, and waits for the update's result.

        Both reach the server in one call. A workflow that rejects the update goes on.

        Args:
            update: A method decorated with ``@workflow.update``, or the update's name.
            arg: The argument, where there is just one.
            start_workflow_operation: How to start the workflow. Not one that was used before.
            args: The arguments, where there are several.
            id: Id of the update, unique in the workflow's run; a random one by default.
            result_type: Type of the result; that of the method by default.
            rpc_metadata: Headers of the calls.
            rpc_timeout: Longest time to wait.

        Returns:
            The result of the update.

        Raises:
            WorkflowUpdateFailedError: The update was rejected or failed; ``cause`` tells why.
            WorkflowUpdateRPCTimeoutOrCancelledError: The time was up, or the wait was cancelled.
            WorkflowAlreadyStartedError: The workflow's id is taken and the policies say that it may not be.
            RPCError: The service refused a call.
            RuntimeError: The start operation was used before.
            ArgumentError: The arguments do not fit the method, or the result does not fit its type.
        """
        handle = await self._start_update_with_start(
            update,
            arg,
            args,
            start_workflow_operation,
            WorkflowUpdateStage.COMPLETED,
            id,
            result_type,
            rpc_metadata,
            rpc_timeout,
        )
        return await handle.result(rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)

    @overload
    async def start_update_with_start_workflow(
        self,
        update: MethodSyncOrAsyncNoParam[SelfType, LocalReturnType],
        *,
        start_workflow_operation: WithStartWorkflowOperation[SelfType, Any],
        **options: Unpack[StartUpdateOptions],
    ) -> WorkflowUpdateHandle[LocalReturnType]: ...
    @overload
    async def start_update_with_start_workflow(
        self,
        update: MethodSyncOrAsyncSingleParam[SelfType, ParamType, LocalReturnType],
        arg: ParamType,
        *,
        start_workflow_operation: WithStartWorkflowOperation[SelfType, Any],
        **options: Unpack[StartUpdateOptions],
    ) -> WorkflowUpdateHandle[LocalReturnType]: ...
    @overload
    async def start_update_with_start_workflow(
        self,
        update: UpdateMethod[LocalReturnType],
        *,
        args: Sequence[Any],
        start_workflow_operation: WithStartWorkflowOperation[Any, Any],
        **options: Unpack[StartUpdateOptions],
    ) -> WorkflowUpdateHandle[LocalReturnType]: ...
    @overload
    async def start_update_with_start_workflow(
        self,
        update: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        start_workflow_operation: WithStartWorkflowOperation[Any, Any],
        result_type: type[AnyType],
        **options: Unpack[StartUpdateOptions],
    ) -> WorkflowUpdateHandle[AnyType]: ...
    @overload
    async def start_update_with_start_workflow(
        self,
        update: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        start_workflow_operation: WithStartWorkflowOperation[Any, Any],
        **options: Unpack[StartUpdateOptions],
    ) -> WorkflowUpdateHandle[Any]: ...
    async def start_update_with_start_workflow(
        self,
        update: str | Callable[..., Any],
        arg: Any = NOT_GIVEN,
        *,
        start_workflow_operation: WithStartWorkflowOperation[Any, Any],
        wait_for_stage: WorkflowUpdateStage,
        args: Sequence[Any] = (),
        id: str | None = None,
        result_type: type | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowUpdateHandle[Any]:
        """Sends an update to a workflow, started for it unless it runs, and waits until it is accepted or completed.

        Both reach the server in one call. A workflow that rejects the update goes on.

        Args:
            update: A method decorated with ``@workflow.update``, or the update's name.
            arg: The argument, where there is just one.
            start_workflow_operation: How to start the workflow. Not one that was used before.
            wait_for_stage: ``ACCEPTED`` or ``COMPLETED``. Either needs a worker, which is waited for.
            args: The arguments, where there are several.
            id: Id of the update, unique in the workflow's run; a random one by default.
            result_type: Type of the result; that of the method by default.
            rpc_metadata: Headers of the calls.
            rpc_timeout: Longest time to wait.

        Returns:
            A handle of the update.

        Raises:
            ValueError: ``wait_for_stage`` is ``ADMITTED``, at which the server answers nobody.
            WorkflowUpdateRPCTimeoutOrCancelledError: The time was up, or the wait was cancelled.
            WorkflowAlreadyStartedError: The workflow's id is taken and the policies say that it may not be.
            RPCError: The service refused a call.
            RuntimeError: The start operation was used before.
            ArgumentError: The arguments do not fit the method.
        """
        return await self._start_update_with_start(
            update,
            arg,
            args,
            start_workflow_operation,
            wait_for_stage,
            id,
            result_type,
            rpc_metadata,
            rpc_timeout,
        )

    async def _start_update_with_start(
        self,
        update: str | Callable[..., Any],
        arg: Any,
        args: Sequence[Any],
        operation: WithStartWorkflowOperation[Any, Any],
        wait_for_stage: WorkflowUpdateStage,
        id: str | None,
        result_type: type | None,
        rpc_metadata: Mapping[str, str | bytes],
        rpc_timeout: timedelta | None,
    ) -> WorkflowUpdateHandle[Any]:
        from ._inputs import StartWorkflowUpdateWithStartInput, UpdateWithStartUpdateWorkflowInput

        reference = update_reference(update)
        update_input = UpdateWithStartUpdateWorkflowInput(
            update_id=id,
            update=reference.name,
            args=reference.bind(arg, args),
            wait_for_stage=stage_to_wait_for(wait_for_stage),
            headers={},
            ret_type=result_type or reference.return_hint,
            _signature=reference.signature,
        )
        client = cast("Client", self)
        with operation._sent_by(client) as start_input:
            handle = await self._calls.start_update_with_start_workflow(
                StartWorkflowUpdateWithStartInput(
                    start_workflow_input=start_input,
                    update_workflow_input=update_input,
                    rpc_metadata=rpc_metadata,
                    rpc_timeout=rpc_timeout,
                    _on_start=partial(operation._succeed, client),
                )
            )
            # For interceptors that make the call in another way.
            operation._succeed(client, handle.workflow_run_id)
        return handle
