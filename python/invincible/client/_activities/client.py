"""The part of clients that is about standalone activities, and activities that are completed from outside."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast, overload

from .._checks import optional_text
from .executes import ActivityExecutes
from .starts import ActivityStarts

if TYPE_CHECKING:
    from .._client import Client
    from .completion import AsyncActivityHandle
    from .completion_inputs import AsyncActivityIDReference
    from .handle import ActivityHandle
    from .listing import ActivityExecutionAsyncIterator, ActivityExecutionCount


class ClientActivities(ActivityStarts, ActivityExecutes):
    """Standalone activities, and activities that are completed from outside of their worker."""

    def get_activity_handle(
        self, activity_id: str, *, run_id: str | None = None, result_type: type | None = None
    ) -> ActivityHandle[Any]:
        """A handle of a standalone activity that is there already. The server is not asked.

        Args:
            activity_id: Id of the activity.
            run_id: Its run; the latest if ``None``.
            result_type: Type of the result; that of the payload if ``None``.

        Raises:
            TypeError: An id is no ``str``.
            ValueError: ``activity_id`` is empty.
        """
        from .handle import ActivityHandle

        return ActivityHandle(cast("Client", self), activity_id, run_id=run_id, result_type=result_type)

    def list_activities(
        self,
        query: str,
        *,
        limit: int | None = None,
        page_size: int = 1000,
        next_page_token: bytes | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> ActivityExecutionAsyncIterator:
        """The standalone activities that a query finds, the last started first.

        Nothing is fetched before the iterator is used, so that is where a wrong query shows. Activities of workflows
        are not among them.

        Args:
            query: The query, ``ActivityType = 'charge' AND ExecutionStatus = 'Failed'`` say; all if it is
                empty.
            limit: Most activities to iterate over; all if ``None``.
            page_size: Most activities to fetch at once.
            next_page_token: Where to begin, as another iterator had it.
            rpc_metadata: Headers of the calls.
            rpc_timeout: Deadline of each call.
        """
        from .inputs import ListActivitiesInput

        return self._calls.list_activities(
            ListActivitiesInput(
                query=optional_text("query", query),
                page_size=page_size,
                next_page_token=next_page_token,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                limit=limit,
            )
        )

    async def count_activities(
        self,
        query: str | None = None,
        *,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> ActivityExecutionCount:
        """How many standalone activities a query finds.

        Args:
            query: The query, perhaps with ``GROUP BY ExecutionStatus``; all if ``None``.
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.

        Raises:
            RPCError: The service refused the call; with ``INVALID_ARGUMENT`` for a query it does not understand.
        """
        from .inputs import CountActivitiesInput

        return await self._calls.count_activities(
            CountActivitiesInput(
                query=optional_text("query", query), rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout
            )
        )

    @overload
    def get_async_activity_handle(self, *, activity_id: str, run_id: str | None = None) -> AsyncActivityHandle: ...
    @overload
    def get_async_activity_handle(
        self, *, workflow_id: str, run_id: str | None, activity_id: str
    ) -> AsyncActivityHandle: ...
    @overload
    def get_async_activity_handle(self, *, task_token: bytes) -> AsyncActivityHandle: ...
    def get_async_activity_handle(
        self,
        *,
        workflow_id: str | None = None,
        run_id: str | None = None,
        activity_id: str | None = None,
        task_token: bytes | None = None,
    ) -> AsyncActivityHandle:
        """A handle by which an activity is completed from outside of its worker. The server is not asked.

        An activity of a workflow is named by ``workflow_id``, ``run_id`` (``None`` for the current run) and
        ``activity_id``, a standalone one by ``activity_id`` and perhaps its ``run_id``, and an attempt of either by its
        ``task_token``.

        Args:
            workflow_id: Id of the workflow that scheduled the activity.
            run_id: Run of that workflow, or of the standalone activity; the latest if ``None``.
            activity_id: Id of the activity.
            task_token: ``activity.info().task_token`` of the attempt.

        Raises:
            TypeError: ``task_token`` is not ``bytes``, or an id no ``str``.
            ValueError: These are neither ids nor a token, or both.

        Example:
            @activity.defn(start_to_close_timeout=timedelta(days=1))
            async def approval(order: Order) -> str:
                await mail_approver(order, token=activity.info().task_token.hex())
                activity.raise_complete_async()

            # in the web application that the approver answers to
            await client.get_async_activity_handle(task_token=bytes.fromhex(token)).complete("approved")
        """
        from .completion import AsyncActivityHandle
        from .completion_inputs import AsyncActivityIDReference

        id_or_token: AsyncActivityIDReference | bytes
        if task_token is not None:
            if (workflow_id, run_id, activity_id) != (None, None, None):
                raise ValueError("give either task_token or ids, not both")
            if not isinstance(task_token, bytes):
                raise TypeError(f"task_token must be bytes, got {type(task_token).__name__}")
            if not task_token:
                raise ValueError("task_token must not be empty")
            id_or_token = task_token
        elif not activity_id:
            raise ValueError(
                "give task_token, or activity_id with the workflow_id and run_id of its workflow, or the activity_id "
                "of a standalone activity"
            )
        else:
            id_or_token = AsyncActivityIDReference(workflow_id=workflow_id, run_id=run_id, activity_id=activity_id)
        return AsyncActivityHandle(cast("Client", self), id_or_token)
