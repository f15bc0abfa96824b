"""Counts of workflows, from the server's messages."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from invincible.api.common.v1 import Payload
from invincible.api.workflowservice.v1 import CountWorkflowExecutionsResponse
from invincible.client import WorkflowExecutionCount


def payload(type: str, json: bytes) -> Payload:
    return Payload(metadata={"encoding": b"json/plain", "type": type.encode()}, data=json)


@pytest.mark.parametrize(
    ("type", "json", "value"),
    [
        ("Keyword", b'"Completed"', "Completed"),
        ("Int", b"7", 7),
        ("Double", b"0.5", 0.5),
        ("Bool", b"true", True),
        ("Datetime", b'"2025-01-02T03:04:05Z"', datetime(2025, 1, 2, 3, 4, 5, tzinfo=timezone.utc)),
        ("KeywordList", b'["a"]', ["a"]),
        ("KeywordList", b'["a","b"]', ["a", "b"]),
        ("KeywordList", b"[]", []),
    ],
)
def test_values_of_a_group_are_search_attributes(type: str, json: bytes, value: Any) -> None:
    group = CountWorkflowExecutionsResponse.AggregationGroup(
        count=2, group_values=[payload("Keyword", b'"x"'), payload(type, json)]
    )
    counted = WorkflowExecutionCount._from_response(CountWorkflowExecutionsResponse(count=2, groups=[group]))
    assert [(each.count, each.group_values) for each in counted.groups] == [(2, ["x", value])]
