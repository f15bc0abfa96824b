"""Points in a workflow's history to go back to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from invincible.activity._definition import activity_reference

from .steps import ActivityStep, Steps

_MOST_NAMED = 20


class ImpossiblePoint(Exception):
    """A history has no such point. The message tells what it has instead."""


class WorkflowResetPoint(ABC):
    """A point in a workflow's history, for :meth:`WorkflowHandle.reset`.

    A workflow goes back by whole workflow tasks, the turns in which its code runs. The task at the point is done again,
    by the code that workers have now; all that came before it is kept, and what came after it is gone.

    Example:
        await handle.reset(WorkflowResetPoint.before_activity(charge), reason="charged the wrong amount")
    """

    @staticmethod
    def first_task() -> WorkflowResetPoint:
        """The first workflow task: the workflow begins anew, with the arguments it has."""
        return _Task(first=True)

    @staticmethod
    def last_task() -> WorkflowResetPoint:
        """The last workflow task that completed: what the workflow did last is done again."""
        return _Task(first=False)

    @staticmethod
    def before_activity(activity: str | Callable[..., Any], *, occurrence: int = 1) -> WorkflowResetPoint:
        """The workflow task that asked for an activity, local ones included.

        What else the same task asked for, activities that run in parallel say, is done again too.

        Args:
            activity: The activity, or its name.
            occurrence: Which, if the workflow has called it more than once: 1 is the first, 2 the second, -1 the last.

        Raises:
            TypeError: ``activity`` is neither a name nor an activity, or ``occurrence`` no number.
            ValueError: ``occurrence`` is 0.
        """
        _check_number("occurrence", occurrence)
        if occurrence == 0:
            raise ValueError("occurrence must not be 0: 1 is the first call of the activity, -1 the last")
        return _ActivityType(activity_reference(activity)[0].name, occurrence)

    @staticmethod
    def before_activity_id(activity_id: str) -> WorkflowResetPoint:
        """The workflow task that asked for the activity of this id; see :meth:`before_activity`.

        Args:
            activity_id: The id that the workflow gave it; the running number of the call by default.

        Raises:
            TypeError: ``activity_id`` is no ``str``.
        """
        if not isinstance(activity_id, str):
            raise TypeError(f"activity_id must be a str, got {type(activity_id).__name__}")
        return _ActivityId(activity_id)

    @staticmethod
    def event(event_id: int) -> WorkflowResetPoint:
        """An event by its number.

        Args:
            event_id: Number of a ``WorkflowTaskCompleted`` event; or of one by which a workflow task started, failed or
                timed out.

        Raises:
            TypeError: ``event_id`` is no number.
            ValueError: The number is not positive.
        """
        _check_number("event_id", event_id)
        if event_id < 1:
            raise ValueError(f"event_id must be positive, got {event_id}")
        return _Event(event_id)

    @abstractmethod
    def _resolve(self, steps: Steps) -> int:
        """The event to reset to.

        Raises:
            ImpossiblePoint: The history has no such point.
        """


@dataclass(frozen=True, repr=False)
class _Task(WorkflowResetPoint):
    first: bool

    def __repr__(self) -> str:
        return f"WorkflowResetPoint.{'first' if self.first else 'last'}_task()"

    def __str__(self) -> str:
        return f"to its {'first' if self.first else 'last'} workflow task"

    def _resolve(self, steps: Steps) -> int:
        candidates = steps.completed or steps.points
        if not candidates:
            raise ImpossiblePoint("no worker has taken one of its workflow tasks yet")
        return candidates[0 if self.first else -1]


@dataclass(frozen=True, repr=False)
class _ActivityType(WorkflowResetPoint):
    type: str
    occurrence: int

    def __repr__(self) -> str:
        occurrence = "" if self.occurrence == 1 else f", occurrence={self.occurrence}"
        return f"WorkflowResetPoint.before_activity({self.type!r}{occurrence})"

    def __str__(self) -> str:
        which = "" if self.occurrence == 1 else f" (occurrence {self.occurrence})"
        return f"before activity {self.type!r}{which}"

    def _resolve(self, steps: Steps) -> int:
        calls = [activity for activity in steps.activities if activity.type == self.type]
        if not calls:
            raise ImpossiblePoint(_activity_types(steps.activities))
        if abs(self.occurrence) > len(calls):
            times = "once" if len(calls) == 1 else f"{len(calls)} times"
            raise ImpossiblePoint(f"its history has that activity {times}")
        return calls[self.occurrence - 1 if self.occurrence > 0 else self.occurrence].task


@dataclass(frozen=True, repr=False)
class _ActivityId(WorkflowResetPoint):
    id: str

    def __repr__(self) -> str:
        return f"WorkflowResetPoint.before_activity_id({self.id!r})"

    def __str__(self) -> str:
        return f"before the activity with id {self.id!r}"

    def _resolve(self, steps: Steps) -> int:
        for activity in steps.activities:
            if activity.id == self.id:
                return activity.task
        found = [f"{activity.id!r} ({activity.type})" for activity in steps.activities]
        raise ImpossiblePoint(f"the activities in its history are {_listed(found)}" if found else _NO_ACTIVITIES)


@dataclass(frozen=True, repr=False)
class _Event(WorkflowResetPoint):
    id: int

    def __repr__(self) -> str:
        return f"WorkflowResetPoint.event({self.id})"

    def __str__(self) -> str:
        return f"to event {self.id}"

    def _resolve(self, steps: Steps) -> int:
        if self.id in steps.points:
            return self.id
        if not steps.completed:
            raise ImpossiblePoint("none of its workflow tasks has completed yet")
        at = bisect(steps.completed, self.id)
        nearest = " and ".join(str(event) for event in steps.completed[max(at - 1, 0) : at + 1])
        raise ImpossiblePoint(
            f"that is no event of a workflow task; the nearest by which one completed: {nearest}, of "
            f"{len(steps.completed)} in its history"
        )


def _check_number(name: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be an int, got {type(value).__name__}")


_NO_ACTIVITIES = "its history has no activities"


def _activity_types(activities: list[ActivityStep]) -> str:
    counts = Counter(activity.type for activity in activities)
    if not counts:
        return _NO_ACTIVITIES
    found = [f"{type!r}{f' ({count} times)' if count > 1 else ''}" for type, count in counts.items()]
    return f"the activities in its history are {_listed(found)}"


def _listed(names: list[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
