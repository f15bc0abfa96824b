"""How many workflows a query finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from invincible.common import SearchAttributeValue
from invincible.converter import decode_search_attributes

if TYPE_CHECKING:
    from invincible.api.common.v1 import Payload as PayloadMessage
    from invincible.api.workflowservice.v1 import CountWorkflowExecutionsResponse


@dataclass
class WorkflowExecutionCountAggregationGroup:
    """The workflows that have the same values of what they are grouped by.

    Attributes:
        count: How many there are.
        group_values: Those values, in the order of the query's ``GROUP BY``.
    """

    count: int
    group_values: Sequence[SearchAttributeValue]


@dataclass
class WorkflowExecutionCount:
    """How many workflows there are.

    Attributes:
        count: All of them.
        groups: How they are spread, if the query has a ``GROUP BY``; else empty.
    """

    count: int
    groups: Sequence[WorkflowExecutionCountAggregationGroup]

    @staticmethod
    def _from_response(response: CountWorkflowExecutionsResponse) -> WorkflowExecutionCount:
        groups = [
            WorkflowExecutionCountAggregationGroup(group.count, group_values(group.group_values))
            for group in response.groups
        ]
        return WorkflowExecutionCount(response.count, groups)


def group_values(payloads: Sequence[PayloadMessage]) -> list[SearchAttributeValue]:
    """The values that a group has in common."""
    from invincible.api.common.v1 import SearchAttributes

    values: list[SearchAttributeValue] = []
    for payload in payloads:
        [decoded] = decode_search_attributes(SearchAttributes(indexed_fields={"": payload})).values()
        is_one = len(decoded) == 1 and payload.metadata.get("type") != b"KeywordList"
        values.append(decoded[0] if is_one else cast("list[str]", decoded))
    return values
