"""Update-with-start: its two requests as one message, and its two answers. Imports protobuf."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from google.protobuf.duration_pb2 import Duration

from invincible import _native
from invincible._native import Failure, Payload
from invincible.api.common.v1 import (
    GrpcStatus,
    Priority,
    RetryPolicy,
    TimeSkippingConfig,
    WorkflowExecution,
    WorkflowType,
)
from invincible.api.deployment.v1 import WorkerDeploymentVersion
from invincible.api.errordetails.v1 import (
    MultiOperationExecutionFailure,
    WorkflowExecutionAlreadyStartedFailure,
)
from invincible.api.taskqueue.v1 import TaskQueue
from invincible.api.update.v1 import Input, Meta, Request, WaitPolicy
from invincible.api.workflow.v1 import VersioningOverride
from invincible.api.workflowservice.v1 import (
    ExecuteMultiOperationRequest,
    ExecuteMultiOperationResponse,
    StartWorkflowExecutionRequest,
    UpdateWorkflowExecutionRequest,
    UpdateWorkflowExecutionResponse,
)
from invincible.converter._messages import as_failure, payloads_message
from invincible.converter._payloads import as_payload
from invincible.exceptions import WorkflowAlreadyStartedError
from invincible.service import RPCError, RPCStatusCode, ServiceClient

from ._proto import duration, payload_message, user_metadata

# The server holds the call until the update is as far as asked for, yet not longer than this; the default deadline of
# calls is shorter.
_LONG_POLL = timedelta(seconds=70)


class SentUpdate(NamedTuple):
    """What the server tells about the update."""

    run_id: str
    stage: int
    completed: bool
    result: Sequence[Payload]
    failure: Failure | None


async def update_with_start(
    service: ServiceClient,
    start: _native.StartWorkflowRequest,
    update: _native.UpdateRequest,
    metadata: Mapping[str, str | bytes],
) -> tuple[str, SentUpdate]:
    """Starts a workflow, unless the conflict policy uses the running one, and sends it an update.

    Args:
        service: Makes the call.
        start: The start, with a request id.
        update: The update, of the workflow with the same id.
        metadata: Headers of the call.

    Returns:
        The run, and how far the update has come.

    Raises:
        WorkflowAlreadyStartedError: The id is taken and the policies say that it may not be.
        RPCError: The service refused the start or the update.
    """
    operation = ExecuteMultiOperationRequest.Operation
    request = ExecuteMultiOperationRequest(
        namespace=start.namespace,
        operations=[operation(start_workflow=_start(start)), operation(update_workflow=_update(update))],
    )
    try:
        response = await service._rpc_call(
            "execute_multi_operation",
            request,
            ExecuteMultiOperationResponse,
            retry=True,
            metadata=metadata,
            timeout=_LONG_POLL,
        )
    except RPCError as error:
        raise _refusal(error, start) from None
    started, updated = response.responses
    return started.start_workflow.run_id, _sent(updated.update_workflow)


def _start(request: _native.StartWorkflowRequest) -> StartWorkflowExecutionRequest:
    message = StartWorkflowExecutionRequest(
        namespace=request.namespace,
        workflow_id=request.workflow_id,
        workflow_type=WorkflowType(name=request.workflow_type),
        task_queue=TaskQueue(name=request.task_queue),
        input=payloads_message(request.input),
        workflow_execution_timeout=_duration(request.execution_timeout),
        workflow_run_timeout=_duration(request.run_timeout),
        workflow_task_timeout=_duration(request.task_timeout),
        workflow_start_delay=_duration(request.start_delay),
        identity=request.identity,
        request_id=request.request_id or "",
        workflow_id_reuse_policy=request.id_reuse_policy,  # type: ignore[arg-type]
        workflow_id_conflict_policy=request.id_conflict_policy,  # type: ignore[arg-type]
        retry_policy=_retry_policy(request.retry_policy),
        cron_schedule=request.cron_schedule,
        versioning_override=_versioning_override(request.versioning_override),
        priority=_priority(request.priority),
        user_metadata=user_metadata(request.static_summary, request.static_details),
    )
    for fields, payloads in (
        (message.memo.fields, request.memo),
        (message.search_attributes.indexed_fields, request.search_attributes),
        (message.header.fields, request.headers),
    ):
        for name, payload in payloads.items():
            fields[name].CopyFrom(payload_message(payload))
    if request.time_skipping_config is not None:
        message.time_skipping_config.CopyFrom(TimeSkippingConfig.FromString(request.time_skipping_config))
    return message


def _update(request: _native.UpdateRequest) -> UpdateWorkflowExecutionRequest:
    input = Input(name=request.name, args=payloads_message(request.arguments))
    for name, payload in request.headers.items():
        input.header.fields[name].CopyFrom(payload_message(payload))
    return UpdateWorkflowExecutionRequest(
        namespace=request.namespace,
        workflow_execution=WorkflowExecution(workflow_id=request.workflow_id),
        wait_policy=WaitPolicy(lifecycle_stage=request.wait_for_stage),  # type: ignore[arg-type]
        request=Request(meta=Meta(update_id=request.update_id, identity=request.identity), input=input),
    )


def _duration(seconds: float | None) -> Duration | None:
    return duration(None if seconds is None else timedelta(seconds=seconds))


def _retry_policy(policy: _native.RetryPolicy | None) -> RetryPolicy | None:
    if policy is None:
        return None
    return RetryPolicy(
        initial_interval=_duration(policy.initial_interval),
        backoff_coefficient=policy.backoff_coefficient,
        maximum_interval=_duration(policy.maximum_interval),
        maximum_attempts=policy.maximum_attempts,
        non_retryable_error_types=policy.non_retryable_error_types,
    )


def _priority(priority: _native.Priority | None) -> Priority | None:
    if priority is None:
        return None
    return Priority(
        priority_key=priority.priority_key,
        fairness_key=priority.fairness_key,
        fairness_weight=priority.fairness_weight,
    )


def _versioning_override(override: tuple[str, tuple[str, str] | None] | None) -> VersioningOverride | None:
    if override is None:
        return None
    kind, named = override
    version = None if named is None else WorkerDeploymentVersion(deployment_name=named[0], build_id=named[1])
    if kind == "pinned":
        pinned = VersioningOverride.PINNED_OVERRIDE_BEHAVIOR_PINNED
        return VersioningOverride(pinned=VersioningOverride.PinnedOverride(behavior=pinned, version=version))
    if kind == "one_time":
        return VersioningOverride(one_time=VersioningOverride.OneTimeOverride(target_deployment_version=version))
    return VersioningOverride(auto_upgrade=True)


def _sent(response: UpdateWorkflowExecutionResponse) -> SentUpdate:
    outcome = response.outcome
    failed = outcome.HasField("failure")
    return SentUpdate(
        run_id=response.update_ref.workflow_execution.run_id,
        stage=response.stage,
        completed=response.HasField("outcome"),
        result=[as_payload(payload) for payload in outcome.success.payloads],
        failure=as_failure(outcome.failure) if failed else None,
    )


def _refusal(error: RPCError, start: _native.StartWorkflowRequest) -> Exception:
    """The error about the part that the server refused; it gives up the other one for that."""
    failure = MultiOperationExecutionFailure()
    if not any(detail.Unpack(failure) for detail in error.grpc_status.details):
        return error
    for number, status in enumerate(failure.statuses):
        if status.code in (RPCStatusCode.OK, RPCStatusCode.ABORTED):
            continue
        taken = WorkflowExecutionAlreadyStartedFailure()
        if number == 0 and any(detail.Unpack(taken) for detail in status.details):
            return WorkflowAlreadyStartedError(
                start.workflow_id,
                start.workflow_type,
                run_id=taken.run_id or None,
                first_run_id=taken.first_execution_run_id or None,
            )
        refused = GrpcStatus(code=status.code, message=status.message, details=status.details)
        return RPCError(status.message, RPCStatusCode(status.code), refused.SerializeToString())
    return error
