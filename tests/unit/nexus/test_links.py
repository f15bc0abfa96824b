"""Links as URLs and as messages: the URLs are those that servers and other SDKs write."""

from __future__ import annotations

import logging
from typing import Any, cast

import pytest
from nexusrpc import Link

from invincible.api.common.v1 import Link as LinkMessage
from invincible.api.enums.v1 import EventType
from invincible.worker._nexus_links import link_messages, link_of

KIND = "temporal.api.common.v1.Link."


def event(**reference: Any) -> LinkMessage:
    return LinkMessage(
        workflow_event=LinkMessage.WorkflowEvent(
            namespace="my space", workflow_id="a/b c?é&%", run_id="run", **reference
        )
    )


WORKFLOW = "temporal:///namespaces/my%20space/workflows/a%2Fb%20c%3F%C3%A9%26%25/run/history?"
SAME = [
    (
        event(
            event_ref=LinkMessage.WorkflowEvent.EventReference(
                event_id=5, event_type=EventType.EVENT_TYPE_NEXUS_OPERATION_SCHEDULED
            )
        ),
        f"{WORKFLOW}eventID=5&eventType=NexusOperationScheduled&referenceType=EventReference",
        "WorkflowEvent",
    ),
    (
        event(
            request_id_ref=LinkMessage.WorkflowEvent.RequestIdReference(
                request_id="id", event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
            )
        ),
        f"{WORKFLOW}referenceType=RequestIdReference&requestID=id&eventType=WorkflowExecutionSignaled",
        "WorkflowEvent",
    ),
    (
        LinkMessage(activity=LinkMessage.Activity(namespace="n", activity_id="a/b", run_id="r")),
        "temporal:///namespaces/n/activities/a%2Fb/r/details",
        "Activity",
    ),
    (
        LinkMessage(nexus_operation=LinkMessage.NexusOperation(namespace="n", operation_id="o", run_id="r")),
        "temporal:///namespaces/n/nexus-operations/o/r/details",
        "NexusOperation",
    ),
]


@pytest.mark.parametrize(("message", "url", "kind"), SAME)
def test_links_are_the_same_both_ways(message: LinkMessage, url: str, kind: str) -> None:
    link = link_of(message.SerializeToString())
    expected = Link(url=url, type=KIND + kind)
    assert link == expected
    assert link_messages([expected]) == [message]


def test_older_names_of_events_are_read() -> None:
    url = f"{WORKFLOW}eventID=1&eventType=EVENT_TYPE_WORKFLOW_EXECUTION_STARTED&referenceType=EventReference"
    [message] = link_messages([Link(url=url, type=f"{KIND}WorkflowEvent")])
    assert message.workflow_event.event_ref.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED


@pytest.mark.parametrize(
    "message",
    [
        LinkMessage(),
        event(),
        # Of an update that was sent without an id of its request.
        event(request_id_ref=LinkMessage.WorkflowEvent.RequestIdReference()),
        # Of servers to come.
        event(event_ref=LinkMessage.WorkflowEvent.EventReference(event_id=5, event_type=cast(Any, 9999))),
        event(request_id_ref=LinkMessage.WorkflowEvent.RequestIdReference(request_id="id", event_type=cast(Any, 9999))),
        LinkMessage(workflow=LinkMessage.Workflow(namespace="n", workflow_id="w", reason="Update rejected")),
    ],
)
def test_links_that_lead_nowhere_are_left_out(message: LinkMessage) -> None:
    assert link_of(message.SerializeToString()) is None


def test_links_of_others_say_nothing_to_the_server(caplog: pytest.LogCaptureFixture) -> None:
    others = [
        Link(url="https://example.com/namespaces/n/activities/a/r/details", type=f"{KIND}Activity"),
        Link(url="temporal:///namespaces/n/activities/a/r/details", type="example.Thing"),
    ]
    assert link_messages(others) == []
    assert caplog.records == []


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("temporal:///namespaces/n/workflows/w", "it is no URL of a temporal.api.common.v1.Link.WorkflowEvent"),
        (f"{WORKFLOW}referenceType=Other", "reference type 'Other' is not known"),
        (f"{WORKFLOW}referenceType=EventReference&eventType=Nothing", "Nothing"),
        (f"{WORKFLOW}referenceType=EventReference&eventID=x&eventType=TimerFired", "invalid literal"),
    ],
)
def test_a_link_that_cannot_be_read_does_not_stop_the_operation(
    caplog: pytest.LogCaptureFixture, url: str, problem: str
) -> None:
    with caplog.at_level(logging.WARNING, "invincible.nexus"):
        broken = Link(url=url, type=f"{KIND}WorkflowEvent")
        [other] = link_messages([broken, Link(url=SAME[2][1], type=f"{KIND}Activity")])
    assert other.activity.activity_id == "a/b"
    assert problem in caplog.text
