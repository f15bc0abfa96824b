"""Signal-with-start on its way through interceptors: a request, and the server's operation that carries it out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from invincible._engine.contexts import SYSTEM_ENDPOINT, workflow_context
from invincible._engine.external import ExternalWorkflowHandle
from invincible._engine.nexus import NexusOperationHandle, NexusOperations
from invincible._engine.options import NexusOperationCancellationType, given_groups, seconds
from invincible._engine.run import WorkflowRun
from invincible._native import Payload
from invincible.common import (
    Priority,
    RawValue,
    RetryPolicy,
    TypedSearchAttributes,
    VersioningOverride,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from invincible.workflow._signal_with_start import OPERATION, SERVICE, request_payload, response_run_id

from .inputs import StartNexusOperationInput

if TYPE_CHECKING:
    from .run import InterceptedRun


@dataclass
class UserMetadata:
    """What the Web UI shows of a workflow."""

    static_summary: Any | None = None
    static_details: Any | None = None


@dataclass(kw_only=True)
class SignalWithStartWorkflowRequest:
    """Argument of :meth:`WorkflowOutboundInterceptor.start_signal_with_start_workflow`; see
    ``workflow.signal_with_start_workflow`` for the fields."""

    workflow: str | Callable[..., Awaitable[object]]
    args: Sequence[Any] | None = None
    id: str
    task_queue: str
    signal: str | Callable[..., Awaitable[None] | None]
    signal_args: Sequence[Any] | None = None
    execution_timeout: timedelta | None = None
    run_timeout: timedelta | None = None
    task_timeout: timedelta | None = None
    id_reuse_policy: WorkflowIDReusePolicy = WorkflowIDReusePolicy.ALLOW_DUPLICATE
    id_conflict_policy: WorkflowIDConflictPolicy | None = None
    retry_policy: RetryPolicy | None = None
    cron_schedule: str | None = None
    memo: Mapping[str, Any] | None = None
    search_attributes: TypedSearchAttributes | None = None
    priority: Priority | None = None
    versioning_override: VersioningOverride | None = None
    start_delay: timedelta | None = None
    user_metadata: UserMetadata | None = None
    namespace: str
    headers: Mapping[str, Payload] | None = None


@dataclass
class SignalWithStartWorkflowResponse:
    """Result of the operation: the run that the signal has reached."""

    run_id: str | None = None


class ResponseHandle(NexusOperationHandle[Any]):
    """The handle of the operation, whose result is its response."""

    def __await__(self) -> Generator[Any, Any, SignalWithStartWorkflowResponse]:
        response: RawValue = yield from super().__await__()
        return SignalWithStartWorkflowResponse(run_id=response_run_id(response))


async def started_through_interceptors(
    run: WorkflowRun, fields: Mapping[str, Any], static_summary: str | None, static_details: str | None
) -> ExternalWorkflowHandle[Any]:
    """Signal a workflow, and start it before if it does not run."""
    run.require_writable("starting a Nexus operation")
    shown = static_summary is not None or static_details is not None
    request = SignalWithStartWorkflowRequest(
        **fields,
        user_metadata=UserMetadata(static_summary, static_details) if shown else None,
        namespace=run.worker.namespace,
    )
    handle = await run.outbound.start_signal_with_start_workflow(request)
    response: SignalWithStartWorkflowResponse = await handle
    return ExternalWorkflowHandle(run, request.id, response.run_id)


def operation_input(
    request: SignalWithStartWorkflowRequest,
) -> StartNexusOperationInput[SignalWithStartWorkflowRequest, SignalWithStartWorkflowResponse]:
    """The operation that carries out a request."""
    return StartNexusOperationInput(
        endpoint=SYSTEM_ENDPOINT,
        service=SERVICE,
        operation=OPERATION,
        input=request,
        schedule_to_close_timeout=None,
        schedule_to_start_timeout=None,
        start_to_close_timeout=None,
        cancellation_type=NexusOperationCancellationType.WAIT_COMPLETED,
        headers=None,
        summary=None,
        output_type=SignalWithStartWorkflowResponse,
    )


async def start_operation(run: InterceptedRun, input: StartNexusOperationInput[Any, Any]) -> NexusOperationHandle[Any]:
    """Start the operation of an input.

    Raises:
        TypeError: It is none of the server that this package knows.
    """
    request = input.input
    if not isinstance(request, SignalWithStartWorkflowRequest):
        raise TypeError(
            "the operations of the server itself take a SignalWithStartWorkflowRequest, "
            f"got {type(request).__name__} for {input.operation_name!r}"
        )
    fields = dict(vars(request))
    shown: UserMetadata = fields.pop("user_metadata") or UserMetadata()
    fields["args"], fields["signal_args"] = request.args or (), request.signal_args or ()
    payload = request_payload(run, **fields, static_summary=shown.static_summary, static_details=shown.static_details)
    handle = await NexusOperations.start(
        run.nexus,
        input.endpoint,
        input.service,
        input.operation_name,
        payload,
        RawValue,
        workflow_context(run, request.id),
        schedule_to_close_timeout=seconds("schedule_to_close_timeout", input.schedule_to_close_timeout),
        schedule_to_start_timeout=seconds("schedule_to_start_timeout", input.schedule_to_start_timeout),
        start_to_close_timeout=seconds("start_to_close_timeout", input.start_to_close_timeout),
        cancellation_type=int(NexusOperationCancellationType(input.cancellation_type)),
        headers=input.headers,
        summary=input.summary,
        groups=given_groups(input.event_groups),
    )
    return ResponseHandle(handle._operation)
