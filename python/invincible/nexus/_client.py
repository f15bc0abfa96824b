"""The client of Temporal operations: it starts what is behind an operation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Concatenate, Generic, Literal, TypeVar, overload

from nexusrpc import HandlerError, HandlerErrorType
from nexusrpc.handler import StartOperationContext, StartOperationResultAsync, StartOperationResultSync
from typing_extensions import Unpack

from invincible._engine.reference import NOT_GIVEN
from invincible.common import (
    ActivityIDConflictPolicy,
    ActivityIDReusePolicy,
    Priority,
    RetryPolicy,
    SearchAttributes,
    TypedSearchAttributes,
    VersioningOverride,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from invincible.types import (
    AnyType,
    CallableAsyncNoParam,
    CallableAsyncSingleParam,
    CallableSyncNoParam,
    CallableSyncSingleParam,
    LocalReturnType,
    MethodAsyncNoParam,
    MethodAsyncSingleParam,
    MethodSyncOrAsyncNoParam,
    MethodSyncOrAsyncSingleParam,
    ParamType,
    ReturnType,
    SelfType,
)

from ._context import NexusContext, Starter
from ._options import ActivityOptions, UpdateOptions, WorkflowOptions
from ._token import OperationToken

if TYPE_CHECKING:
    from invincible.client import Client, WorkflowUpdateStage

T = TypeVar("T")
ResultT = TypeVar("ResultT", covariant=True)


@dataclass(frozen=True)
class TemporalOperationResult(Generic[ResultT]):
    """What becomes of an operation when it starts: it is done, or it goes on and has a token.

    Args:
        value: The result of an operation that is done.
        token: Names one that goes on to whoever cancels it.

    Raises:
        ValueError: Both are given, or neither.
    """

    value: ResultT | object = NOT_GIVEN
    token: str | None = None

    def __post_init__(self) -> None:
        """Checks that one is given."""
        if (self.value is NOT_GIVEN) == (self.token is None):
            raise ValueError("TemporalOperationResult must have exactly one of value or token set.")

    @classmethod
    def sync(cls, value: T) -> TemporalOperationResult[T]:
        """The operation is done.

        Args:
            value: Its result.
        """
        return TemporalOperationResult(value=value)

    @classmethod
    def async_token(cls, token: str) -> TemporalOperationResult[ResultT]:
        """The operation goes on; whoever made the token tells its end to the server.

        Args:
            token: Names the operation.
        """
        return TemporalOperationResult(token=token)

    def _to_nexus(self) -> StartOperationResultSync[ResultT] | StartOperationResultAsync:
        if self.token is not None:
            return StartOperationResultAsync(self.token)
        return StartOperationResultSync(self.value)  # type: ignore[arg-type]  # one of them is given


class TemporalNexusClient(ABC):
    """Starts the workflow, update or activity behind an operation: its end will be the operation's. Temporal operations
    are given one, for one such start."""

    @property
    @abstractmethod
    def client(self) -> Client:
        """The worker's client, for everything else."""

    @overload
    async def start_workflow(
        self, workflow: MethodAsyncNoParam[SelfType, ReturnType], **options: Unpack[WorkflowOptions]
    ) -> TemporalOperationResult[ReturnType]: ...
    @overload
    async def start_workflow(
        self, workflow: CallableAsyncNoParam[ReturnType], **options: Unpack[WorkflowOptions]
    ) -> TemporalOperationResult[ReturnType]: ...
    @overload
    async def start_workflow(
        self,
        workflow: MethodAsyncSingleParam[SelfType, ParamType, ReturnType],
        arg: ParamType,
        **options: Unpack[WorkflowOptions],
    ) -> TemporalOperationResult[ReturnType]: ...
    @overload
    async def start_workflow(
        self,
        workflow: CallableAsyncSingleParam[ParamType, ReturnType],
        arg: ParamType,
        **options: Unpack[WorkflowOptions],
    ) -> TemporalOperationResult[ReturnType]: ...
    @overload
    async def start_workflow(
        self,
        workflow: Callable[Concatenate[SelfType, ...], Awaitable[ReturnType]],
        *,
        args: Sequence[Any],
        **options: Unpack[WorkflowOptions],
    ) -> TemporalOperationResult[ReturnType]: ...
    @overload
    async def start_workflow(
        self,
        workflow: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        result_type: type[AnyType],
        **options: Unpack[WorkflowOptions],
    ) -> TemporalOperationResult[AnyType]: ...
    @overload
    async def start_workflow(
        self, workflow: str, arg: Any = ..., *, args: Sequence[Any] = ..., **options: Unpack[WorkflowOptions]
    ) -> TemporalOperationResult[Any]: ...
    @abstractmethod
    async def start_workflow(
        self,
        workflow: str | Callable[..., Awaitable[Any]],
        arg: Any = NOT_GIVEN,
        *,
        args: Sequence[Any] = (),
        id: str,
        task_queue: str | None = None,
        result_type: type | None = None,
        execution_timeout: timedelta | None = None,
        run_timeout: timedelta | None = None,
        task_timeout: timedelta | None = None,
        id_reuse_policy: WorkflowIDReusePolicy = WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy: WorkflowIDConflictPolicy = WorkflowIDConflictPolicy.UNSPECIFIED,
        retry_policy: RetryPolicy | None = None,
        cron_schedule: str = "",
        memo: Mapping[str, Any] | None = None,
        search_attributes: TypedSearchAttributes | SearchAttributes | None = None,
        static_summary: str | None = None,
        static_details: str | None = None,
        start_delay: timedelta | None = None,
        start_signal: str | None = None,
        start_signal_args: Sequence[Any] = (),
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
        request_eager_start: bool = False,
        priority: Priority = Priority.default,
        versioning_override: VersioningOverride | None = None,
    ) -> TemporalOperationResult[Any]:
        """Starts a workflow whose end will be the operation's; see ``WorkflowRunOperationContext.start_workflow``."""

    @overload
    async def start_workflow_update(
        self,
        workflow_id: str,
        update: MethodSyncOrAsyncNoParam[SelfType, LocalReturnType],
        **options: Unpack[UpdateOptions],
    ) -> TemporalOperationResult[LocalReturnType]: ...
    @overload
    async def start_workflow_update(
        self,
        workflow_id: str,
        update: MethodSyncOrAsyncSingleParam[SelfType, ParamType, LocalReturnType],
        arg: ParamType,
        **options: Unpack[UpdateOptions],
    ) -> TemporalOperationResult[LocalReturnType]: ...
    @overload
    async def start_workflow_update(
        self,
        workflow_id: str,
        update: Callable[..., LocalReturnType | Awaitable[LocalReturnType]],
        *,
        args: Sequence[Any],
        **options: Unpack[UpdateOptions],
    ) -> TemporalOperationResult[LocalReturnType]: ...
    @overload
    async def start_workflow_update(
        self,
        workflow_id: str,
        update: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        result_type: type[AnyType],
        **options: Unpack[UpdateOptions],
    ) -> TemporalOperationResult[AnyType]: ...
    @overload
    async def start_workflow_update(
        self,
        workflow_id: str,
        update: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        **options: Unpack[UpdateOptions],
    ) -> TemporalOperationResult[Any]: ...
    @abstractmethod
    async def start_workflow_update(
        self,
        workflow_id: str,
        update: str | Callable[..., Any],
        arg: Any = NOT_GIVEN,
        *,
        args: Sequence[Any] = (),
        wait_for_stage: Literal[WorkflowUpdateStage.ACCEPTED],
        update_id: str | None = None,
        result_type: type | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
        run_id: str | None = None,
        first_execution_run_id: str | None = None,
    ) -> TemporalOperationResult[Any]:
        """Sends a workflow an update whose end will be the operation's.

        Args:
            workflow_id: Id of the workflow.
            update: A method decorated with ``@workflow.update``, or the update's name.
            arg: The argument, where there is just one.
            args: The arguments, where there are several.
            wait_for_stage: ``ACCEPTED``.
            update_id: Id of the update; that of the Nexus request by default.
            result_type: Type of the result; that of the method by default.
            rpc_metadata: Headers of the call.
            rpc_timeout: Longest time to wait until it is accepted.
            run_id: Run of the workflow; the current one by default.
            first_execution_run_id: First of the runs that it must be one of.

        Returns:
            The result, if the update is done already; else the operation goes on with it.

        Raises:
            nexusrpc.OperationError: The workflow has rejected the update, or the update has failed already.
            RPCError: The service refused the call; with the status ``NOT_FOUND`` if there is no such workflow.
            ValueError: ``wait_for_stage`` is another one.
        """

    @overload
    async def start_activity(
        self,
        activity: CallableAsyncNoParam[ReturnType] | CallableSyncNoParam[ReturnType],
        **options: Unpack[ActivityOptions],
    ) -> TemporalOperationResult[ReturnType]: ...
    @overload
    async def start_activity(
        self,
        activity: CallableAsyncSingleParam[ParamType, ReturnType],
        arg: ParamType,
        **options: Unpack[ActivityOptions],
    ) -> TemporalOperationResult[ReturnType]: ...
    @overload
    async def start_activity(
        self,
        activity: CallableSyncSingleParam[ParamType, ReturnType],
        arg: ParamType,
        **options: Unpack[ActivityOptions],
    ) -> TemporalOperationResult[ReturnType]: ...
    @overload
    async def start_activity(
        self,
        activity: Callable[..., Awaitable[ReturnType]],
        *,
        args: Sequence[Any],
        **options: Unpack[ActivityOptions],
    ) -> TemporalOperationResult[ReturnType]: ...
    @overload
    async def start_activity(
        self, activity: Callable[..., ReturnType], *, args: Sequence[Any], **options: Unpack[ActivityOptions]
    ) -> TemporalOperationResult[ReturnType]: ...
    @overload
    async def start_activity(
        self,
        activity: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        result_type: type[AnyType],
        **options: Unpack[ActivityOptions],
    ) -> TemporalOperationResult[AnyType]: ...
    @overload
    async def start_activity(
        self, activity: str, arg: Any = ..., *, args: Sequence[Any] = ..., **options: Unpack[ActivityOptions]
    ) -> TemporalOperationResult[Any]: ...
    @abstractmethod
    async def start_activity(
        self,
        activity: str | Callable[..., Any],
        arg: Any = NOT_GIVEN,
        *,
        args: Sequence[Any] = (),
        id: str,
        task_queue: str | None = None,
        result_type: type | None = None,
        schedule_to_start_timeout: timedelta | None = None,
        schedule_to_close_timeout: timedelta | None = None,
        start_to_close_timeout: timedelta | None = None,
        heartbeat_timeout: timedelta | None = None,
        start_delay: timedelta | None = None,
        id_reuse_policy: ActivityIDReusePolicy = ActivityIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy: ActivityIDConflictPolicy = ActivityIDConflictPolicy.FAIL,
        retry_policy: RetryPolicy | None = None,
        search_attributes: TypedSearchAttributes | None = None,
        summary: str | None = None,
        priority: Priority = Priority.default,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> TemporalOperationResult[Any]:
        """Starts a standalone activity whose end will be the operation's.

        The parameters are those of ``Client.start_activity``; ``task_queue`` is the worker's by default.

        Raises:
            ActivityAlreadyStartedError: The id is taken and the policies say that it may not be.
            RPCError: The service refused the call.
        """


class OperationClient(TemporalNexusClient):
    """The client that an operation is given.

    Args:
        running: The execution of the handler.
        ctx: The context of the operation.
    """

    def __init__(self, running: NexusContext, ctx: StartOperationContext) -> None:
        self._running = running
        self._ctx = ctx
        self._used = False

    @property
    def client(self) -> Client:
        return self._running.client

    # Signatures and documentation are those of the base class.

    async def start_workflow(self, workflow: Any, arg: Any = NOT_GIVEN, **options: Any) -> TemporalOperationResult[Any]:
        return _going_on(await self._starter().start_workflow(self._ctx, {"workflow": workflow, "arg": arg, **options}))

    async def start_workflow_update(
        self, workflow_id: str, update: Any, arg: Any = NOT_GIVEN, **options: Any
    ) -> TemporalOperationResult[Any]:
        stage = options.pop("wait_for_stage", None)
        if getattr(stage, "name", None) != "ACCEPTED":
            raise ValueError(
                f"an operation goes on with an update from its acceptance on: wait_for_stage must be ACCEPTED, "
                f"not {stage}"
            )
        arguments = {"workflow_id": workflow_id, "update": update, "arg": arg, "wait_for_stage": stage, **options}
        started = await self._starter().start_update(self._ctx, arguments)
        return TemporalOperationResult.sync(started[0]) if isinstance(started, tuple) else _going_on(started)

    async def start_activity(self, activity: Any, arg: Any = NOT_GIVEN, **options: Any) -> TemporalOperationResult[Any]:
        arguments = {"activity": activity, "arg": arg, **options}
        return _going_on(await self._starter().start_activity(self._ctx, arguments))

    def _starter(self) -> Starter:
        if self._used:
            raise HandlerError(
                "one workflow, update or activity can be behind an operation, and one was started already; use "
                "TemporalNexusClient.client for others",
                type=HandlerErrorType.BAD_REQUEST,
            )
        self._used = True
        return self._running.starter


def _going_on(token: OperationToken) -> TemporalOperationResult[Any]:
    return TemporalOperationResult(token=token.encode())
