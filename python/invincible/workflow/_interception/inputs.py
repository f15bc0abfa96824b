"""What interceptors of workflow code are given: one class per call, with the call's arguments by name.

Interceptors may replace any field; what they pass on takes effect.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Generic, TypeVar

from invincible._engine.definition import HandlerDefinition
from invincible._engine.groups import EventGroup
from invincible._engine.nexus_reference import NexusOperation, operation_reference
from invincible._engine.options import (
    ActivityCancellationType,
    ChildWorkflowCancellationType,
    ContinueAsNewVersioningBehavior,
    NexusOperationCancellationType,
    ParentClosePolicy,
    VersioningIntent,
)
from invincible._native import Payload
from invincible.common import (
    Priority,
    RetryPolicy,
    SearchAttributes,
    TypedSearchAttributes,
    VersioningOverride,
    WorkflowIDReusePolicy,
)

InputT = TypeVar("InputT")
OutputT = TypeVar("OutputT")

# Calls on their way in


@dataclass
class ExecuteWorkflowInput:
    """Argument of :meth:`WorkflowInboundInterceptor.execute_workflow`.

    Args:
        type: The workflow class; the function of a workflow that is one.
        run_fn: The run method, not bound to an object, or that function.
        args: Arguments, converted; a list of ``RawValue`` is the only one of a dynamic workflow.
        headers: Headers that the workflow was started with.
    """

    type: Any
    run_fn: Callable[..., Awaitable[Any]]
    args: Sequence[Any]
    headers: Mapping[str, Payload]


@dataclass
class HandleSignalInput:
    """Argument of :meth:`WorkflowInboundInterceptor.handle_signal`.

    Args:
        signal: Name of the signal.
        args: Arguments, converted; of a dynamic handler one list of ``RawValue``.
        headers: Headers of the signal.
    """

    signal: str
    args: Sequence[Any]
    headers: Mapping[str, Payload]
    # Name and handler as they are found when the call comes; another name is looked up.
    _target: tuple[str, HandlerDefinition] | None = field(default=None, repr=False, compare=False)


@dataclass
class HandleQueryInput:
    """Argument of :meth:`WorkflowInboundInterceptor.handle_query`.

    Args:
        id: Id of the query.
        query: Name of the query.
        args: Arguments, converted; of a dynamic handler one list of ``RawValue``.
        headers: Headers of the query.
    """

    id: str
    query: str
    args: Sequence[Any]
    headers: Mapping[str, Payload]
    # Name and handler as they are found when the call comes; another name is looked up.
    _target: tuple[str, HandlerDefinition] | None = field(default=None, repr=False, compare=False)


@dataclass
class HandleUpdateInput:
    """Argument of :meth:`WorkflowInboundInterceptor.handle_update_validator` and of ``handle_update_handler``.

    Args:
        id: Id of the update.
        update: Name of the update.
        args: Arguments, converted; of a dynamic handler one list of ``RawValue``.
        headers: Headers of the update.
    """

    id: str
    update: str
    args: Sequence[Any]
    headers: Mapping[str, Payload]
    # Name and handler as they are found when the call comes; another name is looked up.
    _target: tuple[str, HandlerDefinition] | None = field(default=None, repr=False, compare=False)


# Calls on their way out


@dataclass
class ContinueAsNewInput:
    """Argument of :meth:`WorkflowOutboundInterceptor.continue_as_new`; ``workflow`` is ``None`` for the same type."""

    workflow: str | None
    args: Sequence[Any]
    task_queue: str | None
    run_timeout: timedelta | None
    task_timeout: timedelta | None
    backoff_start_interval: timedelta | None
    retry_policy: RetryPolicy | None
    memo: Mapping[str, Any] | None
    search_attributes: SearchAttributes | TypedSearchAttributes | None
    headers: Mapping[str, Payload]
    versioning_intent: VersioningIntent | None
    initial_versioning_behavior: ContinueAsNewVersioningBehavior | None
    event_groups: Sequence[EventGroup] | None = None
    arg_types: list[type] | None = None


@dataclass
class SignalChildWorkflowInput:
    """Argument of :meth:`WorkflowOutboundInterceptor.signal_child_workflow`."""

    signal: str
    args: Sequence[Any]
    child_workflow_id: str
    headers: Mapping[str, Payload]
    event_groups: Sequence[EventGroup] | None = None


@dataclass
class SignalExternalWorkflowInput:
    """Argument of :meth:`WorkflowOutboundInterceptor.signal_external_workflow`."""

    signal: str
    args: Sequence[Any]
    namespace: str
    workflow_id: str
    workflow_run_id: str | None
    headers: Mapping[str, Payload]
    event_groups: Sequence[EventGroup] | None = None


@dataclass
class StartActivityInput:
    """Argument of :meth:`WorkflowOutboundInterceptor.start_activity`; see ``ActivityConfig`` for the options.

    Args:
        arg_types: Annotated types of the arguments, ``None`` where they are not known.
        ret_type: Type of the result, ``None`` for what its payload gives.
    """

    activity: str
    args: Sequence[Any]
    activity_id: str | None
    task_queue: str | None
    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    heartbeat_timeout: timedelta | None
    retry_policy: RetryPolicy | None
    cancellation_type: ActivityCancellationType
    headers: Mapping[str, Payload]
    disable_eager_execution: bool
    versioning_intent: VersioningIntent | None
    summary: str | None
    event_groups: Sequence[EventGroup] | None = field(default=None, kw_only=True)
    priority: Priority
    arg_types: list[type] | None
    ret_type: type | None


@dataclass
class StartLocalActivityInput:
    """Argument of :meth:`WorkflowOutboundInterceptor.start_local_activity`; see ``LocalActivityConfig`` and
    :class:`StartActivityInput`."""

    activity: str
    args: Sequence[Any]
    activity_id: str | None
    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    retry_policy: RetryPolicy | None
    local_retry_threshold: timedelta | None
    cancellation_type: ActivityCancellationType
    headers: Mapping[str, Payload]
    summary: str | None
    event_groups: Sequence[EventGroup] | None = None
    arg_types: list[type] | None = None
    ret_type: type | None = None


@dataclass
class StartChildWorkflowInput:
    """Argument of :meth:`WorkflowOutboundInterceptor.start_child_workflow`; see ``ChildWorkflowConfig`` for the options
    and :class:`StartActivityInput` for the types."""

    workflow: str
    args: Sequence[Any]
    id: str
    task_queue: str | None
    cancellation_type: ChildWorkflowCancellationType
    parent_close_policy: ParentClosePolicy
    execution_timeout: timedelta | None
    run_timeout: timedelta | None
    task_timeout: timedelta | None
    id_reuse_policy: WorkflowIDReusePolicy
    retry_policy: RetryPolicy | None
    cron_schedule: str
    memo: Mapping[str, Any] | None
    search_attributes: SearchAttributes | TypedSearchAttributes | None
    headers: Mapping[str, Payload]
    versioning_intent: VersioningIntent | None
    static_summary: str | None
    static_details: str | None
    versioning_override: VersioningOverride | None = field(default=None, kw_only=True)
    event_groups: Sequence[EventGroup] | None = field(default=None, kw_only=True)
    priority: Priority
    arg_types: list[type] | None
    ret_type: type | None


@dataclass
class StartNexusOperationInput(Generic[InputT, OutputT]):
    """Argument of :meth:`WorkflowOutboundInterceptor.start_nexus_operation`.

    Args:
        operation: The operation as the caller named it.
        headers: Headers for the handler of the operation, as text.
        output_type: Type of the result, where ``operation`` does not tell it.
    """

    endpoint: str
    service: str
    operation: NexusOperation[InputT, OutputT] | str | Callable[..., Any]
    input: InputT
    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    cancellation_type: NexusOperationCancellationType
    headers: Mapping[str, str] | None
    summary: str | None
    event_groups: Sequence[EventGroup] | None = None
    output_type: type[OutputT] | None = None

    @property
    def operation_name(self) -> str:
        """Name of the operation."""
        return operation_reference(self.operation)[0]
