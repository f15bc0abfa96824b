"""The end of the interceptor chain: calls as requests of the native client."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from invincible import _loop, _native
from invincible.common import (
    AutoUpgradeVersioningOverride,
    OneTimeVersioningOverride,
    PinnedVersioningOverride,
    Priority,
    VersioningOverride,
)
from invincible.converter import encode_search_attributes
from invincible.service import seconds

from ._description import WorkflowExecutionDescription
from ._errors import WorkflowQueryFailedError, WorkflowQueryRejectedError
from ._handle import WorkflowHandle
from ._history import WorkflowHistoryEventAsyncIterator
from ._inputs import (
    CancelWorkflowInput,
    DescribeWorkflowInput,
    FetchWorkflowHistoryEventsInput,
    QueryWorkflowInput,
    SignalWorkflowInput,
    StartWorkflowInput,
    TerminateWorkflowInput,
)
from ._interceptor import OutboundInterceptor
from ._status import WorkflowExecutionStatus
from ._values import decode_first, encode_arguments, encode_map, encode_text

if TYPE_CHECKING:
    from ._client import Client

T = TypeVar("T")


class NativeCalls(OutboundInterceptor):
    """Makes the calls.

    Args:
        client: The client whose namespace, identity and data converter they use.
    """

    def __init__(self, client: Client) -> None:
        """Creates the end of the chain."""
        self._client = client

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        """Starts the workflow."""
        client = self._client
        converter = client.data_converter
        time_skipping = input.time_skipping_config
        request = _native.StartWorkflowRequest(
            namespace=client.namespace,
            workflow_id=input.id,
            workflow_type=input.workflow,
            task_queue=input.task_queue,
            identity=client.identity,
            input=await encode_arguments(converter, input.args, input._signature),
            headers=dict(input.headers),
            execution_timeout=seconds(input.execution_timeout),
            run_timeout=seconds(input.run_timeout),
            task_timeout=seconds(input.task_timeout),
            start_delay=seconds(input.start_delay),
            id_reuse_policy=input.id_reuse_policy,
            id_conflict_policy=input.id_conflict_policy,
            retry_policy=None if input.retry_policy is None else input.retry_policy._to_native(),
            cron_schedule=input.cron_schedule,
            memo=await encode_map(converter, input.memo),
            search_attributes={}
            if input.search_attributes is None
            else encode_search_attributes(input.search_attributes),
            static_summary=await encode_text(converter, input.static_summary),
            static_details=await encode_text(converter, input.static_details),
            start_signal=input.start_signal,
            start_signal_input=await encode_arguments(converter, input.start_signal_args, None),
            priority=None if input.priority is Priority.default else input.priority._to_native(),
            versioning_override=_versioning_override(input.versioning_override),
            request_eager_start=input.request_eager_start,
            time_skipping_config=None if time_skipping is None else time_skipping.SerializeToString(),
        )
        started = await self._call(_native.Client.start_workflow, request, input)
        return WorkflowHandle(
            client,
            input.id,
            result_run_id=started.run_id,
            first_execution_run_id=started.first_execution_run_id or started.run_id,
            result_type=input.ret_type,
        )

    async def cancel_workflow(self, input: CancelWorkflowInput) -> None:
        """Asks for the cancellation."""
        request = _native.CancelWorkflowRequest(
            namespace=self._client.namespace,
            workflow_id=input.id,
            run_id=input.run_id or "",
            first_execution_run_id=input.first_execution_run_id or "",
            identity=self._client.identity,
            reason=input.reason,
        )
        await self._call(_native.Client.cancel_workflow, request, input)

    async def describe_workflow(self, input: DescribeWorkflowInput) -> WorkflowExecutionDescription:
        """Asks for the description."""
        from invincible.api.common.v1 import WorkflowExecution
        from invincible.api.workflowservice.v1 import (
            DescribeWorkflowExecutionRequest,
            DescribeWorkflowExecutionResponse,
        )

        response = await self._client.service_client._rpc_call(
            "describe_workflow_execution",
            DescribeWorkflowExecutionRequest(
                namespace=self._client.namespace,
                execution=WorkflowExecution(workflow_id=input.id, run_id=input.run_id or ""),
            ),
            DescribeWorkflowExecutionResponse,
            retry=True,
            metadata=input.rpc_metadata,
            timeout=input.rpc_timeout,
        )
        return WorkflowExecutionDescription._from_response(
            response, self._client.namespace, self._client.data_converter
        )

    def fetch_workflow_history_events(
        self, input: FetchWorkflowHistoryEventsInput
    ) -> WorkflowHistoryEventAsyncIterator:
        """Pages through the history, from the first use of the iterator on."""
        return WorkflowHistoryEventAsyncIterator(self._client, input)

    async def query_workflow(self, input: QueryWorkflowInput) -> Any:
        """Asks the query and waits for the answer."""
        client = self._client
        converter = client.data_converter
        condition = input.reject_condition or client._default_workflow_query_reject_condition
        request = _native.QueryWorkflowRequest(
            namespace=client.namespace,
            workflow_id=input.id,
            run_id=input.run_id or "",
            query=input.query,
            input=await encode_arguments(converter, input.args, input._signature),
            headers=dict(input.headers),
            reject_condition=condition or 0,
        )
        answer = await self._call(_native.Client.query_workflow, request, input)
        if answer.error is not None:
            cause = None if answer.failure is None else await converter.decode_failure(answer.failure)
            raise WorkflowQueryFailedError(answer.error) from cause
        if answer.rejected_status is not None:
            status = WorkflowExecutionStatus(answer.rejected_status) if answer.rejected_status else None
            raise WorkflowQueryRejectedError(status)
        return await decode_first(converter, answer.result, input.ret_type, f"query {input.query!r}")

    async def signal_workflow(self, input: SignalWorkflowInput) -> None:
        """Sends the signal."""
        request = _native.SignalWorkflowRequest(
            namespace=self._client.namespace,
            workflow_id=input.id,
            run_id=input.run_id or "",
            signal=input.signal,
            identity=self._client.identity,
            input=await encode_arguments(self._client.data_converter, input.args, input._signature),
            headers=dict(input.headers),
        )
        await self._call(_native.Client.signal_workflow, request, input)

    async def terminate_workflow(self, input: TerminateWorkflowInput) -> None:
        """Terminates the workflow."""
        request = _native.TerminateWorkflowRequest(
            namespace=self._client.namespace,
            workflow_id=input.id,
            run_id=input.run_id or "",
            first_execution_run_id=input.first_execution_run_id or "",
            identity=self._client.identity,
            reason=input.reason or "",
            details=await encode_arguments(self._client.data_converter, input.args, None),
        )
        await self._call(_native.Client.terminate_workflow, request, input)

    async def _call(self, method: Callable[..., _native.Operation[T]], request: Any, input: Any) -> T:
        service = self._client.service_client
        native = service._connected or await service._connect()
        return await _loop.run(
            method(native, request, metadata=input.rpc_metadata or None, timeout=seconds(input.rpc_timeout))
        )


def _versioning_override(override: VersioningOverride | None) -> tuple[str, tuple[str, str] | None] | None:
    if override is None:
        return None
    if isinstance(override, AutoUpgradeVersioningOverride):
        return "auto_upgrade", None
    if isinstance(override, PinnedVersioningOverride):
        return "pinned", (override.version.deployment_name, override.version.build_id)
    if isinstance(override, OneTimeVersioningOverride):
        return "one_time", (override.target_version.deployment_name, override.target_version.build_id)
    raise TypeError(f"versioning_override cannot be a {type(override).__name__}")
