"""The activities that a worker is running, for those who ask what it still waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ._activities import ActivityRunner


class UnderWay(NamedTuple):
    """An activity that is running.

    Attributes:
        activity_type: Its type.
        activity_id: Its id.
        workflow_id: Its workflow; empty if it has none.
        attempt: Which attempt it is, from 1.
        told_to_stop: Whether it has been cancelled.
    """

    activity_type: str
    activity_id: str
    workflow_id: str
    attempt: int
    told_to_stop: bool

    def __str__(self) -> str:
        of = f" of workflow {self.workflow_id!r}" if self.workflow_id else ""
        ignores = ", told to stop" if self.told_to_stop else ""
        return f"{self.activity_type} (id {self.activity_id}, attempt {self.attempt}{ignores}){of}"


def under_way(runner: ActivityRunner | None) -> list[UnderWay]:
    """What is running, from any thread."""
    if runner is None:
        return []
    return [
        UnderWay(
            each.start.activity_type,
            each.start.activity_id,
            each.start.workflow_id,
            each.start.attempt,
            each.context.cancelled.is_set(),
        )
        for each in runner._running.copy().values()
    ]
