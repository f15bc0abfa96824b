"""The end of the interceptor chain: calls as requests of the native client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from invincible import _native
from invincible.common import HeaderCodecBehavior, Priority, WorkflowIDConflictPolicy
from invincible.service import seconds

from ._activities.calls import ActivityCalls
from ._activities.completion_calls import AsyncActivityCalls
from ._call import native_call, service_call
from ._errors import WorkflowQueryFailedError, WorkflowQueryRejectedError
from ._handle import WorkflowHandle
from ._handler_calls import handler_calls
from ._nexus.calls import NexusCalls
from ._reset.calls import ResetCalls
from ._schedules.calls import ScheduleCalls
from ._sizes import sent_by, sizes_checked
from ._start_checks import check_start
from ._status import WorkflowExecutionStatus, WorkflowUpdateStage
from ._values import decode_first, encode_arguments, encode_headers, encode_map, encode_text
from ._versions.calls import VersionCalls
from ._visibility.calls import VisibilityCalls

if TYPE_CHECKING:
    from invincible._native import Payload

    from ._client import Client
    from ._description import WorkflowExecutionDescription
    from ._handler_calls import HandlerCalls
    from ._history import WorkflowHistoryEventAsyncIterator
    from ._inputs import (
        CancelWorkflowInput,
        DescribeWorkflowInput,
        FetchWorkflowHistoryEventsInput,
        QueryWorkflowInput,
        SignalWorkflowInput,
        StartWorkflowInput,
        StartWorkflowUpdateInput,
        StartWorkflowUpdateWithStartInput,
        TerminateWorkflowInput,
        UpdateWithStartStartWorkflowInput,
        UpdateWithStartUpdateWorkflowInput,
    )
    from ._multi_operation import SentUpdate
    from ._sizes import SendingRequest
    from ._update import WorkflowUpdateHandle

T = TypeVar("T")


class NativeCalls(
    NexusCalls, VisibilityCalls, ResetCalls, ScheduleCalls, ActivityCalls, AsyncActivityCalls, VersionCalls
):
    """Makes the calls.

    Args:
        client: The client whose namespace, identity and data converter they use.
    """

    def __init__(self, client: Client) -> None:
        """Creates the end of the chain."""
        self._client = client

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        """Starts the workflow."""
        calling = handler_calls.get()
        request = await self._start_request(
            input,
            start_signal=input.start_signal,
            start_signal_input=await encode_arguments(
                self._client._workflow_converter(input.id, input.workflow), input.start_signal_args, None
            )
            if input.start_signal is not None
            else (),
            request_eager_start=input.request_eager_start,
            **({} if calling is None else calling.start(input.id)),
        )
        started = await self._call_sized(_native.Client.start_workflow, request, input)
        if calling is not None:
            calling.started(started.links)
        self._started(input)
        return WorkflowHandle(
            self._client,
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

        from ._description import WorkflowExecutionDescription

        response = await service_call(
            self._client,
            "describe_workflow_execution",
            DescribeWorkflowExecutionRequest(
                namespace=self._client.namespace,
                execution=WorkflowExecution(workflow_id=input.id, run_id=input.run_id or ""),
            ),
            DescribeWorkflowExecutionResponse,
            input,
        )
        return WorkflowExecutionDescription._from_response(
            response, self._client.namespace, self._client.data_converter
        )

    def fetch_workflow_history_events(
        self, input: FetchWorkflowHistoryEventsInput
    ) -> WorkflowHistoryEventAsyncIterator:
        """Pages through the history, from the first use of the iterator on."""
        from ._history import WorkflowHistoryEventAsyncIterator

        return WorkflowHistoryEventAsyncIterator(self._client, input)

    async def query_workflow(self, input: QueryWorkflowInput) -> Any:
        """Asks the query and waits for the answer."""
        client = self._client
        converter = client._workflow_converter(input.id)
        condition = input.reject_condition or client._config["default_workflow_query_reject_condition"]
        request = _native.QueryWorkflowRequest(
            namespace=client.namespace,
            workflow_id=input.id,
            run_id=input.run_id or "",
            query=input.query,
            input=await encode_arguments(converter, input.args, input._signature),
            headers=await self._headers(input.headers),
            reject_condition=condition or 0,
        )
        ask = partial(self._call_sized, _native.Client.query_workflow, request, input)
        if client._raise_task_failures:
            from ._watch import unless_task_fails

            ask = partial(unless_task_fails, client, input.id, input.run_id or "", ask)
        answer = await ask()
        if answer.error is not None:
            cause = None if answer.failure is None else await converter.decode_failure(answer.failure)
            raise WorkflowQueryFailedError(answer.error) from cause
        if answer.rejected_status is not None:
            raise WorkflowQueryRejectedError(WorkflowExecutionStatus._of(answer.rejected_status))
        return await decode_first(converter, answer.result, input.ret_type, f"query {input.query!r}")

    async def signal_workflow(self, input: SignalWorkflowInput) -> None:
        """Sends the signal."""
        calling = handler_calls.get()
        request = _native.SignalWorkflowRequest(
            namespace=self._client.namespace,
            workflow_id=input.id,
            run_id=input.run_id or "",
            signal=input.signal,
            identity=self._client.identity,
            input=await encode_arguments(self._client._workflow_converter(input.id), input.args, input._signature),
            headers=await self._headers(input.headers),
            links=() if calling is None else calling.links,
        )
        links = await self._call_sized(_native.Client.signal_workflow, request, input)
        if calling is not None:
            calling.linked(links)

    async def terminate_workflow(self, input: TerminateWorkflowInput) -> None:
        """Terminates the workflow."""
        request = _native.TerminateWorkflowRequest(
            namespace=self._client.namespace,
            workflow_id=input.id,
            run_id=input.run_id or "",
            first_execution_run_id=input.first_execution_run_id or "",
            identity=self._client.identity,
            reason=input.reason or "",
            details=await encode_arguments(self._client._workflow_converter(input.id), input.args, None),
        )
        await self._call_sized(_native.Client.terminate_workflow, request, input)

    async def start_workflow_update(self, input: StartWorkflowUpdateInput) -> WorkflowUpdateHandle[Any]:
        """Sends the update, and waits until it is as far as asked for."""
        from ._update_wait import wait_for_update

        calling = handler_calls.get()
        request = await self._update_request(
            input,
            workflow_id=input.id,
            run_id=input.run_id or "",
            first_execution_run_id=input.first_execution_run_id or "",
            calling=calling,
        )
        update = partial(self._update, request, input.ret_type, input.rpc_metadata)
        with sizes_checked(self._client, sent_by(request, input._signature)):
            return await wait_for_update(self._client, request.workflow_id, request.run_id, update, input.rpc_timeout)

    async def start_update_with_start_workflow(
        self, input: StartWorkflowUpdateWithStartInput
    ) -> WorkflowUpdateHandle[Any]:
        """Starts the workflow and sends the update in one call, and waits until the update is as far as asked for."""
        from ._multi_operation import update_with_start
        from ._update_wait import wait_for_update

        client, metadata, ret_type = self._client, input.rpc_metadata, input.update_workflow_input.ret_type
        start = await self._start_request(input.start_workflow_input, request_id=str(uuid4()))
        request = await self._update_request(input.update_workflow_input, workflow_id=start.workflow_id)

        async def both() -> WorkflowUpdateHandle[Any]:
            run_id, response = await update_with_start(client.service_client, start, request, metadata)
            input._on_start(run_id)
            self._started(input.start_workflow_input)
            return await self._update(request, ret_type, metadata, response)

        started = sent_by(start, input.start_workflow_input._signature)
        updated = sent_by(request, input.update_workflow_input._signature)
        with sizes_checked(client, started.together(updated)):
            return await wait_for_update(client, request.workflow_id, "", both, input.rpc_timeout)

    async def _start_request(
        self, input: StartWorkflowInput | UpdateWithStartStartWorkflowInput, **others: Any
    ) -> _native.StartWorkflowRequest:
        from invincible.converter import encode_search_attributes

        check_start(input)
        client = self._client
        converter = client._workflow_converter(input.id, input.workflow)
        return _native.StartWorkflowRequest(
            namespace=client.namespace,
            workflow_id=input.id,
            workflow_type=input.workflow,
            task_queue=input.task_queue,
            identity=client.identity,
            input=await encode_arguments(converter, input.args, input._signature),
            headers=await self._headers(input.headers),
            execution_timeout=seconds("execution_timeout", input.execution_timeout),
            run_timeout=seconds("run_timeout", input.run_timeout),
            task_timeout=seconds("task_timeout", input.task_timeout),
            start_delay=seconds("start_delay", input.start_delay),
            id_reuse_policy=input.id_reuse_policy,
            id_conflict_policy=input.id_conflict_policy,
            retry_policy=None if input.retry_policy is None else input.retry_policy._to_native(),
            cron_schedule=input.cron_schedule,
            memo=await encode_map(converter, input.memo) if input.memo else {},
            search_attributes={}
            if input.search_attributes is None
            else encode_search_attributes(input.search_attributes),
            static_summary=None if input.static_summary is None else await encode_text(converter, input.static_summary),
            static_details=None if input.static_details is None else await encode_text(converter, input.static_details),
            priority=None if input.priority is Priority.default else input.priority._to_native(),
            versioning_override=None if input.versioning_override is None else input.versioning_override._to_native(),
            time_skipping_config=self._time_skipping_config(input),
            **others,
        )

    def _time_skipping_config(self, input: StartWorkflowInput | UpdateWithStartStartWorkflowInput) -> bytes | None:
        if input.time_skipping_config is not None:
            return input.time_skipping_config.SerializeToString()
        skipping = self._client._time_skipping
        return None if skipping is None else skipping.start_config(awaited=_is_awaited(input))

    def _started(self, input: StartWorkflowInput | UpdateWithStartStartWorkflowInput) -> None:
        skipping = self._client._time_skipping
        if skipping is not None:
            skipping.started(input.id, awaited=_is_awaited(input))

    async def _update_request(
        self,
        input: StartWorkflowUpdateInput | UpdateWithStartUpdateWorkflowInput,
        workflow_id: str,
        calling: HandlerCalls | None = None,
        **workflow: Any,
    ) -> _native.UpdateRequest:
        update_id = input.update_id or str(uuid4())
        return _native.UpdateRequest(
            namespace=self._client.namespace,
            update_id=update_id,
            name=input.update,
            identity=self._client.identity,
            arguments=await encode_arguments(
                self._client._workflow_converter(workflow_id), input.args, input._signature
            ),
            headers=await self._headers(input.headers),
            wait_for_stage=input.wait_for_stage,
            workflow_id=workflow_id,
            **workflow,
            # Others than the one behind the operation have no id that a link could name them by.
            **({} if calling is None or calling.backing is None else calling.start(workflow_id, update_id)),
        )

    async def _update(
        self,
        request: _native.UpdateRequest,
        result_type: type | None,
        metadata: Mapping[str, str | bytes],
        response: _native.UpdateResponse | SentUpdate | None = None,
    ) -> WorkflowUpdateHandle[Any]:
        """Sends an update, unless a response tells that it is accepted already, and waits for it as asked."""
        from ._update import UpdateOutcome, WorkflowUpdateHandle

        if response is None or not (response.completed or response.stage >= WorkflowUpdateStage.ACCEPTED):
            response = await native_call(self._client, _native.Client.start_update, request, metadata)
            calling = handler_calls.get()
            if calling is not None:
                calling.started(response.links)
        handle: WorkflowUpdateHandle[Any] = WorkflowUpdateHandle(
            self._client,
            request.update_id,
            request.workflow_id,
            workflow_run_id=response.run_id or None,
            result_type=result_type,
            known_outcome=UpdateOutcome(response.result or (), response.failure) if response.completed else None,
        )
        if request.wait_for_stage == WorkflowUpdateStage.COMPLETED and not response.completed:
            await handle._poll(metadata)
        return handle

    async def _headers(self, headers: Mapping[str, Payload]) -> dict[str, Payload]:
        client = self._client
        if client._config["header_codec_behavior"] is HeaderCodecBehavior.CODEC:
            return await encode_headers(client.data_converter, headers)
        return dict(headers)

    async def _call(self, method: Callable[..., _native.Operation[T]], request: Any, input: Any) -> T:
        return await native_call(self._client, method, request, input.rpc_metadata, input.rpc_timeout)

    async def _call_sized(self, method: Callable[..., _native.Operation[T]], request: SendingRequest, input: Any) -> T:
        """:meth:`_call` with values, which may be too large."""
        with sizes_checked(self._client, sent_by(request, getattr(input, "_signature", None))):
            return await self._call(method, request, input)


def _is_awaited(input: StartWorkflowInput | UpdateWithStartStartWorkflowInput) -> bool:
    """Whether somebody waits for the workflow from its start on; not so if it may have been started before."""
    from ._inputs import StartWorkflowInput
    from ._time_skipping import awaited_at_once

    if handler_calls.get() is not None:
        return True  # the caller of a Nexus operation waits for what is behind it
    return (
        awaited_at_once.get()
        and isinstance(input, StartWorkflowInput)
        and input.start_signal is None
        and input.id_conflict_policy != WorkflowIDConflictPolicy.USE_EXISTING
    )
