"""The part of clients that finds workflows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from .._checks import optional_text

if TYPE_CHECKING:
    from .._interceptor import OutboundInterceptor
    from .count import WorkflowExecutionCount
    from .executions import WorkflowExecutionAsyncIterator


class ClientVisibility:
    """Lists and counts of workflows.

    The server's index follows the workflows within a second or so: one that has just begun or ended may be listed as
    it was before.
    """

    _calls: OutboundInterceptor

    def list_workflows(
        self,
        query: str | None = None,
        *,
        limit: int | None = None,
        page_size: int = 1000,
        next_page_token: bytes | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowExecutionAsyncIterator:
        """The workflows that a query finds, the last started first.

        Nothing is fetched before the iterator is used, so that is where a wrong query shows.

        Args:
            query: The query, ``WorkflowType = 'Order' AND ExecutionStatus = 'Running'`` say; all workflows if ``None``.
            limit: Most workflows to iterate over; all if ``None``.
            page_size: Most workflows to fetch at once.
            next_page_token: Where to begin, as another iterator had it.
            rpc_metadata: Headers of the calls.
            rpc_timeout: Deadline of each call.

        Example:
            async for order in client.list_workflows("WorkflowType = 'Order' AND ExecutionStatus = 'Failed'"):
                print(order.id, order.close_time)
        """
        from .inputs import ListWorkflowsInput

        return self._calls.list_workflows(
            ListWorkflowsInput(
                query=optional_text("query", query),
                page_size=page_size,
                next_page_token=next_page_token,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                limit=limit,
            )
        )

    async def count_workflows(
        self,
        query: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowExecutionCount:
        """How many workflows a query finds.

        Args:
            query: The query, perhaps with ``GROUP BY ExecutionStatus``; all workflows if ``None``.
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.

        Raises:
            RPCError: The service refused the call; with ``INVALID_ARGUMENT`` for a query it does not understand.
        """
        from .inputs import CountWorkflowsInput

        return await self._calls.count_workflows(
            CountWorkflowsInput(query=optional_text("query", query), rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)
        )
