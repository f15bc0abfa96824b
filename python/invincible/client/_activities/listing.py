"""Lists and counts of standalone activities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._call import service_call
from .._paging import PagedIterator
from .._visibility.count import group_values
from .description import ActivityExecution

if TYPE_CHECKING:
    from invincible.api.workflowservice.v1 import CountActivityExecutionsResponse
    from invincible.common import SearchAttributeValue

    from .._client import Client
    from .inputs import ListActivitiesInput


@dataclass(frozen=True)
class ActivityExecutionCountAggregationGroup:
    """The standalone activities that have the same values of what they are grouped by.

    Attributes:
        count: How many there are.
        group_values: Those values, in the order of the query's ``GROUP BY``.
    """

    count: int
    group_values: Sequence[SearchAttributeValue]


@dataclass(frozen=True)
class ActivityExecutionCount:
    """How many standalone activities there are.

    Attributes:
        count: All of them.
        groups: How they are spread, if the query has a ``GROUP BY``; else empty.
    """

    count: int
    groups: Sequence[ActivityExecutionCountAggregationGroup]

    @staticmethod
    def _from_response(response: CountActivityExecutionsResponse) -> ActivityExecutionCount:
        groups = [
            ActivityExecutionCountAggregationGroup(group.count, group_values(group.group_values))
            for group in response.groups
        ]
        return ActivityExecutionCount(response.count, groups)


class ActivityExecutionAsyncIterator(PagedIterator[ActivityExecution]):
    """The standalone activities that :meth:`Client.list_activities` finds. To be iterated over once.

    Args:
        client: Fetches them.
        input: Which activities.
    """

    def __init__(self, client: Client, input: ListActivitiesInput) -> None:
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
    ) -> tuple[Sequence[ActivityExecution], bytes | None]:
        from invincible.api.workflowservice.v1 import ListActivityExecutionsRequest, ListActivityExecutionsResponse

        client, input = self._client, self._input
        response = await service_call(
            client,
            "list_activity_executions",
            ListActivityExecutionsRequest(
                namespace=client.namespace,
                page_size=page_size or 0,
                next_page_token=token or b"",
                query=input.query or "",
            ),
            ListActivityExecutionsResponse,
            input,
        )
        found = [ActivityExecution._from_list_info(info, client.namespace) for info in response.executions]
        return found, response.next_page_token
