"""Links between Nexus operations and what is behind them: URLs in Nexus, messages in Temporal's own calls."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

from nexusrpc import Link

from invincible.api.common.v1 import Link as LinkMessage
from invincible.api.enums.v1 import EventType

logger = logging.getLogger("invincible.nexus")

_PREFIX = "temporal.api.common.v1.Link."
_WORKFLOW_EVENT, _NEXUS_OPERATION, _ACTIVITY = (
    f"{_PREFIX}WorkflowEvent",
    f"{_PREFIX}NexusOperation",
    f"{_PREFIX}Activity",
)
_EVENT_TYPE = "EVENT_TYPE_"


def link_messages(links: Iterable[Link]) -> list[LinkMessage]:
    """The links of Temporal among those of a Nexus request; others say nothing to the server."""
    found = []
    for link in links:
        try:
            message = _message(link)
        except ValueError as error:
            logger.warning("the link %s of a Nexus request cannot be read: %s", link.url, error)
            continue
        if message is not None:
            found.append(message)
    return found


def _message(link: Link) -> LinkMessage | None:
    url = urlsplit(link.url)
    if url.scheme != "temporal" or link.type not in (_WORKFLOW_EVENT, _NEXUS_OPERATION, _ACTIVITY):
        return None
    parts = [unquote(part) for part in url.path.split("/")]
    message = LinkMessage()
    match link.type, parts:
        case t, ["", "namespaces", namespace, "workflows", workflow_id, run_id, "history"] if t == _WORKFLOW_EVENT:
            event = message.workflow_event
            event.namespace, event.workflow_id, event.run_id = namespace, workflow_id, run_id
            _read_reference(event, url.query)
        case t, ["", "namespaces", namespace, "nexus-operations", id, run_id, "details"] if t == _NEXUS_OPERATION:
            operation = message.nexus_operation
            operation.namespace, operation.operation_id, operation.run_id = namespace, id, run_id
        case t, ["", "namespaces", namespace, "activities", activity_id, run_id, "details"] if t == _ACTIVITY:
            activity = message.activity
            activity.namespace, activity.activity_id, activity.run_id = namespace, activity_id, run_id
        case _:
            raise ValueError(f"it is no URL of a {link.type}")
    return message


def _read_reference(event: LinkMessage.WorkflowEvent, query: str) -> None:
    values = {name: values[0] for name, values in parse_qs(query).items()}
    kind = values.get("referenceType", "")
    if kind == "EventReference":
        event.event_ref.event_id = int(values.get("eventID") or 0)
        event.event_ref.event_type = _event_type(values)
    elif kind == "RequestIdReference":
        event.request_id_ref.request_id = values.get("requestID", "")
        event.request_id_ref.event_type = _event_type(values)
    else:
        raise ValueError(f"reference type {kind!r} is not known")


def _event_type(values: dict[str, str]) -> EventType.ValueType:
    """Events have their names in camel case here; old SDKs write them as the enum does."""
    name = values.get("eventType", "")
    if not name.startswith(_EVENT_TYPE):
        name = _EVENT_TYPE + "".join(f"_{each}" if each.isupper() else each.upper() for each in name).lstrip("_")
    return EventType.Value(name)


def link_of(serialized: bytes) -> Link | None:
    """The link of an answer of the server as Nexus has it; ``None`` for those that lead nowhere from outside."""
    message = LinkMessage.FromString(serialized)
    match message.WhichOneof("variant"):
        case "workflow_event":
            event = message.workflow_event
            query = _reference(event)
            if query is None:
                return None
            path = _path(event.namespace, "workflows", event.workflow_id, event.run_id, "history")
            return Link(url=f"{path}?{query}", type=_WORKFLOW_EVENT)
        case "activity":
            activity = message.activity
            path = _path(activity.namespace, "activities", activity.activity_id, activity.run_id, "details")
            return Link(url=path, type=_ACTIVITY)
        case "nexus_operation":
            operation = message.nexus_operation
            path = _path(operation.namespace, "nexus-operations", operation.operation_id, operation.run_id, "details")
            return Link(url=path, type=_NEXUS_OPERATION)
    return None


def _reference(event: LinkMessage.WorkflowEvent) -> str | None:
    reference: dict[str, str] = {}
    known = EventType.values()
    if event.event_ref.event_type not in known or event.request_id_ref.event_type not in known:
        return None  # of a server newer than this package: what it has started is started all the same
    if event.HasField("event_ref"):
        if event.event_ref.event_id:
            reference["eventID"] = str(event.event_ref.event_id)
        reference["eventType"] = _event_name(event.event_ref.event_type)
        reference["referenceType"] = "EventReference"
    elif event.request_id_ref.request_id:
        reference["referenceType"] = "RequestIdReference"
        reference["requestID"] = event.request_id_ref.request_id
        reference["eventType"] = _event_name(event.request_id_ref.event_type)
    return urlencode(reference) or None


def _event_name(event_type: EventType.ValueType) -> str:
    return EventType.Name(event_type).removeprefix(_EVENT_TYPE).title().replace("_", "")


def _path(namespace: str, kind: str, *parts: str) -> str:
    return "temporal:///" + "/".join(["namespaces", quote(namespace, ""), kind, *(quote(part, "") for part in parts)])
