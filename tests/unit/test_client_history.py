"""Histories as JSON, in the spellings that are about."""

from __future__ import annotations

import json
from typing import Any

import pytest

from invincible.client import WorkflowHistory

MODERN: dict[str, Any] = {
    "events": [
        {
            "eventId": "1",
            "eventTime": "2026-01-01T00:00:00Z",
            "eventType": "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED",
            "workflowExecutionStartedEventAttributes": {
                "workflowType": {"name": "Greet"},
                "taskQueue": {"name": "greetings", "kind": "TASK_QUEUE_KIND_NORMAL"},
                "input": {"payloads": [{"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "MQ=="}]},
                "originalExecutionRunId": "run",
                "memo": {"fields": {"note": {"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "MQ=="}}},
            },
        },
        {
            "eventId": "2",
            "eventType": "EVENT_TYPE_WORKFLOW_TASK_FAILED",
            "workflowTaskFailedEventAttributes": {
                "cause": "WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR",
                "failure": {"message": "no", "timeoutFailureInfo": {"timeoutType": "TIMEOUT_TYPE_START_TO_CLOSE"}},
            },
        },
    ]
}


def older(history: dict[str, Any]) -> str:
    """The history as older command lines and the Web UI spell it."""
    text = json.dumps(history)
    for proto, short in {
        "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED": "WorkflowExecutionStarted",
        "EVENT_TYPE_WORKFLOW_TASK_FAILED": "WorkflowTaskFailed",
        "TASK_QUEUE_KIND_NORMAL": "Normal",
        "WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR": "NonDeterministicError",
        "TIMEOUT_TYPE_START_TO_CLOSE": "StartToClose",
    }.items():
        assert proto in text
        text = text.replace(proto, short)
    return text


def test_json_of_a_history_round_trips() -> None:
    history = WorkflowHistory.from_json("id", MODERN)
    assert history.to_json_dict() == MODERN
    assert json.loads(history.to_json()) == MODERN
    assert WorkflowHistory.from_json("id", history.to_json()) == history


def test_older_spellings_mean_the_same() -> None:
    assert WorkflowHistory.from_json("id", older(MODERN)) == WorkflowHistory.from_json("id", MODERN)


def test_field_names_may_be_those_of_the_protos() -> None:
    text = json.dumps(MODERN).replace("eventType", "event_type").replace("eventId", "event_id")
    assert WorkflowHistory.from_json("id", text.replace("EVENT_TYPE_WORKFLOW_TASK_FAILED", "WorkflowTaskFailed")) == (
        WorkflowHistory.from_json("id", MODERN)
    )


def test_the_run_is_that_of_the_first_event() -> None:
    history = WorkflowHistory.from_json("id", MODERN)
    assert (history.workflow_id, history.run_id) == ("id", "run")
    with pytest.raises(RuntimeError, match="'id' does not begin with its start"):
        _ = WorkflowHistory("id", history.events[1:]).run_id


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "Expecting property name"),
        ("[]", "an object with events"),
        ('{"events": [{"eventType": "WorkflowExploded"}]}', "'WorkflowExploded' is no value of EventType"),
        ('{"events": [{"eventId": "one"}]}', "eventId"),
    ],
)
def test_what_is_no_history_is_refused_with_the_reason(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=f"the history of workflow 'id' cannot be read: .*{problem}"):
        WorkflowHistory.from_json("id", text)
