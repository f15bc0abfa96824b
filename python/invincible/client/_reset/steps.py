"""What a history has that a workflow can be reset to."""

from __future__ import annotations

import json
from collections.abc import AsyncIterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from invincible.api.common.v1 import Payloads
    from invincible.api.history.v1 import HistoryEvent

_LOCAL_ACTIVITY_MARKER = "core_local_activity"


@dataclass(frozen=True)
class ActivityStep:
    """An activity in the history, local or not.

    Attributes:
        type: Its type.
        id: Its id.
        task: The event of the workflow task that asked for it.
    """

    type: str
    id: str
    task: int


@dataclass
class Steps:
    """What matters of a history, in its order.

    Attributes:
        points: Events that the server can reset to: workflow tasks as they start, and as they end in any way.
        completed: Those of them by which a workflow task completed.
        activities: The activities.
    """

    points: list[int] = field(default_factory=list)
    completed: list[int] = field(default_factory=list)
    activities: list[ActivityStep] = field(default_factory=list)

    @staticmethod
    async def of(events: AsyncIterable[HistoryEvent]) -> Steps:
        """Reads a history, from its first event on."""
        steps = Steps()
        async for event in events:
            steps._add(event)
        return steps

    def _add(self, event: HistoryEvent) -> None:
        kind = event.WhichOneof("attributes")
        if kind in _POINTS:
            self.points.append(event.event_id)
        if kind == "workflow_task_completed_event_attributes":
            self.completed.append(event.event_id)
        elif kind == "activity_task_scheduled_event_attributes":
            scheduled = event.activity_task_scheduled_event_attributes
            task = scheduled.workflow_task_completed_event_id
            self.activities.append(ActivityStep(scheduled.activity_type.name, scheduled.activity_id, task))
        elif kind == "marker_recorded_event_attributes":
            marker = event.marker_recorded_event_attributes
            if marker.marker_name == _LOCAL_ACTIVITY_MARKER:
                data = _json(marker.details["data"])
                task = marker.workflow_task_completed_event_id
                self.activities.append(ActivityStep(data["activity_type"], data["activity_id"], task))


_POINTS = {
    "workflow_task_started_event_attributes",
    "workflow_task_completed_event_attributes",
    "workflow_task_timed_out_event_attributes",
    "workflow_task_failed_event_attributes",
}


def _json(payloads: Payloads) -> Any:
    return json.loads(payloads.payloads[0].data)
