"""The contexts that operations which interact with Temporal are given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any, Concatenate, TypeVar, overload

from nexusrpc.handler import CancelOperationContext, OperationContext, StartOperationContext
from typing_extensions import Unpack

from invincible._engine.reference import NOT_GIVEN
from invincible.common import (
    MetricMeter,
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
    MethodAsyncNoParam,
    MethodAsyncSingleParam,
    ParamType,
    ReturnType,
    SelfType,
)

from ._context import context
from ._options import WorkflowOptions
from ._token import WorkflowHandle

C = TypeVar("C", bound=OperationContext)


def same_as(kind: type[C], ctx: OperationContext) -> C:
    """The context as one of another class; lists are shared, so that links added to either are in both."""
    return kind(**{field.name: getattr(ctx, field.name) for field in fields(ctx)})


@dataclass(frozen=True, kw_only=True)
class TemporalStartOperationContext(StartOperationContext):
    """What a Temporal operation is given when it starts."""


@dataclass(frozen=True, kw_only=True)
class TemporalCancelOperationContext(CancelOperationContext):
    """What a Temporal operation is given when its caller asks to cancel it."""


@dataclass(frozen=True, kw_only=True)
class WorkflowRunOperationContext(StartOperationContext):
    """What a workflow-run operation is given when it starts."""

    @property
    def metric_meter(self) -> MetricMeter:
        """A meter for metrics of this handler."""
        return context().make_metric_meter()

    @overload
    async def start_workflow(
        self, workflow: MethodAsyncNoParam[SelfType, ReturnType], **options: Unpack[WorkflowOptions]
    ) -> WorkflowHandle[ReturnType]: ...
    @overload
    async def start_workflow(
        self, workflow: CallableAsyncNoParam[ReturnType], **options: Unpack[WorkflowOptions]
    ) -> WorkflowHandle[ReturnType]: ...
    @overload
    async def start_workflow(
        self,
        workflow: MethodAsyncSingleParam[SelfType, ParamType, ReturnType],
        arg: ParamType,
        **options: Unpack[WorkflowOptions],
    ) -> WorkflowHandle[ReturnType]: ...
    @overload
    async def start_workflow(
        self,
        workflow: CallableAsyncSingleParam[ParamType, ReturnType],
        arg: ParamType,
        **options: Unpack[WorkflowOptions],
    ) -> WorkflowHandle[ReturnType]: ...
    @overload
    async def start_workflow(
        self,
        workflow: Callable[Concatenate[SelfType, ...], Awaitable[ReturnType]],
        *,
        args: Sequence[Any],
        **options: Unpack[WorkflowOptions],
    ) -> WorkflowHandle[ReturnType]: ...
    @overload
    async def start_workflow(
        self,
        workflow: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        result_type: type[AnyType],
        **options: Unpack[WorkflowOptions],
    ) -> WorkflowHandle[AnyType]: ...
    @overload
    async def start_workflow(
        self, workflow: str, arg: Any = ..., *, args: Sequence[Any] = ..., **options: Unpack[WorkflowOptions]
    ) -> WorkflowHandle[Any]: ...
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
    ) -> WorkflowHandle[Any]:
        """Starts the workflow whose end will be the operation's, in the namespace of the worker.

        The parameters are those of ``Client.start_workflow``. ``task_queue`` is the worker's by default. With
        ``id_conflict_policy=USE_EXISTING`` a workflow of this id that runs already will end this operation, too.

        Returns:
            A handle for the operation to return.

        Raises:
            WorkflowAlreadyStartedError: The id is taken and the policies say that it may not be. The operation's
                caller gets an error that is not retried.
            RPCError: The service refused the call.
            ValueError: ``start_signal`` is given: the server tells nobody of the end of a workflow that it starts
                together with a signal.
        """
        arguments = {name: value for name, value in locals().items() if name != "self"}
        token = await context().starter.start_workflow(self, arguments)
        return WorkflowHandle(token.namespace, token.workflow_id)
