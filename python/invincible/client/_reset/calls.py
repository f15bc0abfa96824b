"""The call that resets a workflow, at the end of the interceptor chain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from .._call import service_call
from .._handle import WorkflowHandle
from .._interceptor import OutboundInterceptor
from .._status import WorkflowHistoryEventFilterType

if TYPE_CHECKING:
    from .._client import Client
    from .._history import WorkflowHistoryEventAsyncIterator
    from .inputs import ResetWorkflowInput


class ResetCalls(OutboundInterceptor):
    """Resets workflows."""

    _client: Client

    async def reset_workflow(self, input: ResetWorkflowInput) -> WorkflowHandle[Any, Any]:
        """Finds the point in the history, and resets the workflow to it."""
        from invincible.api.common.v1 import WorkflowExecution
        from invincible.api.enums.v1 import ResetReapplyType
        from invincible.api.workflowservice.v1 import ResetWorkflowExecutionRequest, ResetWorkflowExecutionResponse

        from .errors import WorkflowResetError
        from .point import ImpossiblePoint
        from .steps import Steps

        client = self._client
        run_id, first_run_id = await self._run(input)
        try:
            event_id = input.point._resolve(await Steps.of(self._events(input, run_id)))
        except ImpossiblePoint as error:
            raise WorkflowResetError(input.id, run_id, f"{input.point}: {error}") from None
        response = await service_call(
            client,
            "reset_workflow_execution",
            ResetWorkflowExecutionRequest(
                namespace=client.namespace,
                workflow_execution=WorkflowExecution(workflow_id=input.id, run_id=run_id),
                reason=input.reason,
                workflow_task_finish_event_id=event_id,
                request_id=str(uuid4()),
                # Said for older servers, which else reapply signals only.
                reset_reapply_type=ResetReapplyType.RESET_REAPPLY_TYPE_ALL_ELIGIBLE,
                reset_reapply_exclude_types=_excluded(input),  # type: ignore[arg-type]
                identity=client.identity,
            ),
            ResetWorkflowExecutionResponse,
            input,
        )
        return WorkflowHandle(
            client,
            input.id,
            result_run_id=response.run_id,
            first_execution_run_id=first_run_id,
            result_type=input.ret_type,
        )

    async def _run(self, input: ResetWorkflowInput) -> tuple[str, str | None]:
        """The run to reset and the first of its chain, so that no other run is reset if the workflow goes on."""
        from .._inputs import DescribeWorkflowInput
        from .errors import WorkflowResetError

        description = await self.describe_workflow(
            DescribeWorkflowInput(
                id=input.id, run_id=input.run_id, rpc_metadata=input.rpc_metadata, rpc_timeout=input.rpc_timeout
            )
        )
        first, expected = description.raw_info.first_run_id, input.first_execution_run_id
        if first and expected and first != expected:
            raise WorkflowResetError(
                input.id, description.run_id, f"by this handle, which is about the runs that began with {expected}"
            )
        return description.run_id, first or expected

    def _events(self, input: ResetWorkflowInput, run_id: str) -> WorkflowHistoryEventAsyncIterator:
        from .._inputs import FetchWorkflowHistoryEventsInput

        return self.fetch_workflow_history_events(
            FetchWorkflowHistoryEventsInput(
                id=input.id,
                run_id=run_id,
                page_size=None,
                next_page_token=None,
                wait_new_event=False,
                event_filter_type=WorkflowHistoryEventFilterType.ALL_EVENT,
                skip_archival=False,
                rpc_metadata=input.rpc_metadata,
                rpc_timeout=input.rpc_timeout,
            )
        )


def _excluded(input: ResetWorkflowInput) -> Iterator[int]:
    from invincible.api.enums.v1 import ResetReapplyExcludeType

    if not input.reapply_signals:
        yield ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL
    if not input.reapply_updates:
        yield ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE
    if not input.reapply_nexus_results:
        yield ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_NEXUS
