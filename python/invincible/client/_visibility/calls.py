"""The calls that find workflows, at the end of the interceptor chain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._call import service_call
from .._interceptor import OutboundInterceptor

if TYPE_CHECKING:
    from .._client import Client
    from .count import WorkflowExecutionCount
    from .executions import WorkflowExecutionAsyncIterator
    from .inputs import CountWorkflowsInput, ListWorkflowsInput


class VisibilityCalls(OutboundInterceptor):
    """Lists and counts workflows."""

    _client: Client

    def list_workflows(self, input: ListWorkflowsInput) -> WorkflowExecutionAsyncIterator:
        """Pages through the workflows, from the first use of the iterator on."""
        from .executions import WorkflowExecutionAsyncIterator

        return WorkflowExecutionAsyncIterator(self._client, input)

    async def count_workflows(self, input: CountWorkflowsInput) -> WorkflowExecutionCount:
        """Asks for the count."""
        from invincible.api.workflowservice.v1 import CountWorkflowExecutionsRequest, CountWorkflowExecutionsResponse

        from .count import WorkflowExecutionCount

        response = await service_call(
            self._client,
            "count_workflow_executions",
            CountWorkflowExecutionsRequest(namespace=self._client.namespace, query=input.query or ""),
            CountWorkflowExecutionsResponse,
            input,
        )
        return WorkflowExecutionCount._from_response(response)
