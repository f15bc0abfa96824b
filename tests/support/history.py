"""A run's history as the server has it."""

from collections.abc import Sequence

from invincible.api.enums.v1 import EventType
from invincible.api.history.v1 import HistoryEvent
from invincible.client import Client

from .conditions import eventually


async def fetch_events(client: Client, workflow_id: str) -> list[HistoryEvent]:
    """All events so far of the newest run of a workflow."""
    return list((await client.get_workflow_handle(workflow_id).fetch_history()).events)


async def wait_for_event(
    client: Client, workflow_id: str, event_type: "EventType.ValueType", *, count: int = 1, timeout: float = 30
) -> HistoryEvent:
    """Wait until the history has `count` events of a type, and return the last of them."""

    async def last() -> HistoryEvent | None:
        found = of_type(await fetch_events(client, workflow_id), event_type)
        return found[count - 1] if len(found) >= count else None

    return await eventually(last, what=f"{EventType.Name(event_type)} number {count}", timeout=timeout)


def of_type(events: Sequence[HistoryEvent], event_type: "EventType.ValueType") -> list[HistoryEvent]:
    """The events of one type."""
    return [event for event in events if event.event_type == event_type]
