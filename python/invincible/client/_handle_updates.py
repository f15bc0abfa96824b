"""The part of workflow handles that is about updates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, overload

from typing_extensions import Unpack

from invincible._engine.reference import NOT_GIVEN, update_reference
from invincible.types import SelfType

from ._status import WorkflowUpdateStage

if TYPE_CHECKING:
    from invincible.types import (
        AnyType,
        LocalReturnType,
        MethodSyncOrAsyncNoParam,
        MethodSyncOrAsyncSingleParam,
        ParamType,
    )

    from ._client import Client
    from ._options import StartUpdateOptions, UpdateOptions
    from ._update import UpdateMethod, WorkflowUpdateHandle


class HandleUpdates(Generic[SelfType]):
    """Updates of the workflow that a handle is about: requests that change it and have a result."""

    _client: Client
    _id: str
    _run_id: str | None
    _first_execution_run_id: str | None

    @overload
    async def execute_update(
        self, update: MethodSyncOrAsyncNoParam[SelfType, LocalReturnType], **options: Unpack[UpdateOptions]
    ) -> LocalReturnType: ...
    @overload
    async def execute_update(
        self,
        update: MethodSyncOrAsyncSingleParam[SelfType, ParamType, LocalReturnType],
        arg: ParamType,
        **options: Unpack[UpdateOptions],
    ) -> LocalReturnType: ...
    @overload
    async def execute_update(
        self, update: UpdateMethod[LocalReturnType], *, args: Sequence[Any], **options: Unpack[UpdateOptions]
    ) -> LocalReturnType: ...
    @overload
    async def execute_update(
        self,
        update: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        result_type: type[AnyType],
        **options: Unpack[UpdateOptions],
    ) -> AnyType: ...
    @overload
    async def execute_update(
        self, update: str, arg: Any = ..., *, args: Sequence[Any] = ..., **options: Unpack[UpdateOptions]
    ) -> Any: ...
    async def execute_update(
        self,
        update: str | Callable[..., Any],
        arg: Any = NOT_GIVEN,
        *,
        args: Sequence[Any] = (),
        id: str | None = None,
        result_type: type | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> Any:
        """Sends the workflow an update and waits for its result, however long it takes.

        Args:
            update: A method decorated with ``@workflow.update``, or the update's name.
            arg: The argument, where there is just one.
            args: The arguments, where there are several.
            id: Id of the update, unique in the workflow's run; a random one by default. An update of this id that is
                there already is not made again: its result is waited for.
            result_type: Type of the result; that of the method by default.
            rpc_metadata: Headers of the calls.
            rpc_timeout: Longest time to wait.

        Returns:
            The result.

        Raises:
            WorkflowUpdateFailedError: The update was rejected or failed; ``cause`` tells why.
            WorkflowUpdateRPCTimeoutOrCancelledError: The time was up, or the wait was cancelled. An update that the
                workflow has accepted goes on.
            ArgumentError: The arguments do not fit the method, or the result does not fit its type.
        """
        handle = await self._start_update(
            update, arg, args, WorkflowUpdateStage.COMPLETED, id, result_type, rpc_metadata, rpc_timeout
        )
        return await handle.result(rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)

    @overload
    async def start_update(
        self, update: MethodSyncOrAsyncNoParam[SelfType, LocalReturnType], **options: Unpack[StartUpdateOptions]
    ) -> WorkflowUpdateHandle[LocalReturnType]: ...
    @overload
    async def start_update(
        self,
        update: MethodSyncOrAsyncSingleParam[SelfType, ParamType, LocalReturnType],
        arg: ParamType,
        **options: Unpack[StartUpdateOptions],
    ) -> WorkflowUpdateHandle[LocalReturnType]: ...
    @overload
    async def start_update(
        self, update: UpdateMethod[LocalReturnType], *, args: Sequence[Any], **options: Unpack[StartUpdateOptions]
    ) -> WorkflowUpdateHandle[LocalReturnType]: ...
    @overload
    async def start_update(
        self,
        update: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        result_type: type[AnyType],
        **options: Unpack[StartUpdateOptions],
    ) -> WorkflowUpdateHandle[AnyType]: ...
    @overload
    async def start_update(
        self, update: str, arg: Any = ..., *, args: Sequence[Any] = ..., **options: Unpack[StartUpdateOptions]
    ) -> WorkflowUpdateHandle[Any]: ...
    async def start_update(
        self,
        update: str | Callable[..., Any],
        arg: Any = NOT_GIVEN,
        *,
        wait_for_stage: WorkflowUpdateStage,
        args: Sequence[Any] = (),
        id: str | None = None,
        result_type: type | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowUpdateHandle[Any]:
        """Sends the workflow an update, and waits until it is accepted or completed.

        An update that was rejected or failed has a handle, too: its result raises.

        Args:
            update: A method decorated with ``@workflow.update``, or the update's name.
            arg: The argument, where there is just one.
            wait_for_stage: ``ACCEPTED`` or ``COMPLETED``. Either needs a worker, which is waited for.
            args: The arguments, where there are several.
            id: Id of the update, unique in the workflow's run; a random one by default. An update of this id that is
                there already is not made again.
            result_type: Type of the result; that of the method by default.
            rpc_metadata: Headers of the calls.
            rpc_timeout: Longest time to wait.

        Returns:
            A handle of the update.

        Raises:
            ValueError: ``wait_for_stage`` is ``ADMITTED``, at which the server answers nobody.
            WorkflowUpdateRPCTimeoutOrCancelledError: The time was up, or the wait was cancelled.
            ArgumentError: The arguments do not fit the method.
        """
        return await self._start_update(update, arg, args, wait_for_stage, id, result_type, rpc_metadata, rpc_timeout)

    async def _start_update(
        self,
        update: str | Callable[..., Any],
        arg: Any,
        args: Sequence[Any],
        wait_for_stage: WorkflowUpdateStage,
        id: str | None,
        result_type: type | None,
        rpc_metadata: Mapping[str, str | bytes],
        rpc_timeout: timedelta | None,
    ) -> WorkflowUpdateHandle[Any]:
        from ._inputs import StartWorkflowUpdateInput

        reference = update_reference(update)
        return await self._client._calls.start_workflow_update(
            StartWorkflowUpdateInput(
                id=self._id,
                run_id=self._run_id,
                first_execution_run_id=self._first_execution_run_id,
                update_id=id,
                update=reference.name,
                args=reference.bind(arg, args),
                wait_for_stage=stage_to_wait_for(wait_for_stage),
                headers={},
                ret_type=result_type or reference.return_hint,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                _signature=reference.signature,
            )
        )

    def get_update_handle(
        self, id: str, *, workflow_run_id: str | None = None, result_type: type | None = None
    ) -> WorkflowUpdateHandle[Any]:
        """A handle of an update that is there already. The server is not asked.

        Args:
            id: Id of the update.
            workflow_run_id: Run of the workflow; that of this handle if ``None``.
            result_type: Type of the result; that of the payload if ``None``.
        """
        from ._update import WorkflowUpdateHandle

        return WorkflowUpdateHandle(
            self._client,
            id,
            self._id,
            workflow_run_id=workflow_run_id or self._run_id,
            result_type=result_type,
        )

    def get_update_handle_for(
        self, update: UpdateMethod[LocalReturnType], id: str, *, workflow_run_id: str | None = None
    ) -> WorkflowUpdateHandle[LocalReturnType]:
        """:meth:`get_update_handle` with the types of an update.

        Args:
            update: The method decorated with ``@workflow.update``.
            id: Id of the update.
            workflow_run_id: Run of the workflow; that of this handle if ``None``.

        Raises:
            TypeError: ``update`` is no update.
        """
        return self.get_update_handle(
            id, workflow_run_id=workflow_run_id, result_type=update_reference(update).return_hint
        )


def stage_to_wait_for(stage: WorkflowUpdateStage) -> WorkflowUpdateStage:
    """The stage, if it can be waited for.

    Raises:
        ValueError: It cannot.
    """
    if stage not in (WorkflowUpdateStage.ACCEPTED, WorkflowUpdateStage.COMPLETED):
        raise ValueError(f"wait_for_stage cannot be {stage!r}: use WorkflowUpdateStage.ACCEPTED or COMPLETED")
    return stage
