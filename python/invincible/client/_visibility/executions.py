"""The workflows that a query finds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from .._call import service_call
from .._description import WorkflowExecution
from .._paging import PagedIterator
from .._status import WorkflowHistoryEventFilterType

if TYPE_CHECKING:
    from .._client import Client
    from .._history import WorkflowHistory
    from .inputs import ListWorkflowsInput


class WorkflowExecutionAsyncIterator(PagedIterator[WorkflowExecution]):
    """The workflows that :meth:`Client.list_workflows` finds, fetched as they are needed. To be iterated over once.

    Args:
        client: Fetches them.
        input: Which workflows.
    """

    def __init__(self, client: Client, input: ListWorkflowsInput) -> None:
        """Creates the iterator; it fetches nothing yet."""
        super().__init__(
            limit=input.limit,
            page_size=input.page_size,
            next_page_token=input.next_page_token,
            about=f"query={input.query or ''!r}",
        )
        self._client = client
        self._input = input

    async def _fetch_page(
        self, page_size: int | None, token: bytes | None
    ) -> tuple[Sequence[WorkflowExecution], bytes | None]:
        from invincible.api.workflowservice.v1 import ListWorkflowExecutionsRequest, ListWorkflowExecutionsResponse

        client, input = self._client, self._input
        response = await service_call(
            client,
            "list_workflow_executions",
            ListWorkflowExecutionsRequest(
                namespace=client.namespace,
                page_size=page_size or 0,
                next_page_token=token or b"",
                query=input.query or "",
            ),
            ListWorkflowExecutionsResponse,
            input,
        )
        found = [
            WorkflowExecution._from_info(info, client.namespace, client.data_converter) for info in response.executions
        ]
        return found, response.next_page_token

    async def map_histories(
        self,
        *,
        event_filter_type: WorkflowHistoryEventFilterType = WorkflowHistoryEventFilterType.ALL_EVENT,
        skip_archival: bool = False,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> AsyncIterator[WorkflowHistory]:
        """The histories of these workflows, fetched one after the other; what a replayer takes.

        Args:
            event_filter_type: Which events.
            skip_archival: Whether archived histories are left out.
            rpc_metadata: Headers of the calls.
            rpc_timeout: Deadline of each call.

        Raises:
            RPCError: A page or a history cannot be fetched.

        Example:
            found = client.list_workflows("WorkflowType = 'Order'", limit=100)
            await Replayer(workflows=[Order]).replay_workflows(found.map_histories())
        """
        async for execution in self:
            handle = self._client.get_workflow_handle(execution.id, run_id=execution.run_id)
            yield await handle.fetch_history(
                event_filter_type=event_filter_type,
                skip_archival=skip_archival,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
