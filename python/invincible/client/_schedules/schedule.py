"""A schedule, and changes to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import TYPE_CHECKING

from invincible.common import TypedSearchAttributes

from .action import ScheduleAction
from .spec import ScheduleSpec

if TYPE_CHECKING:
    from .description import ScheduleDescription


class ScheduleOverlapPolicy(IntEnum):
    """What happens when an action is due while workflows that the schedule started before still run."""

    SKIP = 1
    """It does not happen."""

    BUFFER_ONE = 2
    """It happens when they have ended; what becomes due until then does not."""

    BUFFER_ALL = 3
    """It happens when they have ended, after all that became due before."""

    CANCEL_OTHER = 4
    """They are asked to cancel themselves; it happens when they have ended."""

    TERMINATE_OTHER = 5
    """They are terminated, and it happens."""

    ALLOW_ALL = 6
    """It happens beside them."""


@dataclass
class SchedulePolicy:
    """How a schedule deals with what does not go as planned.

    Args:
        overlap: What to do when the last workflow still runs.
        catchup_window: How late an action may be, after the server was away for example; it is dropped beyond that.
            The server's default, a year, if ``None``; it takes nothing below ten seconds.
        pause_on_failure: Whether to pause after a workflow failed or timed out.
    """

    overlap: ScheduleOverlapPolicy = field(default_factory=lambda: ScheduleOverlapPolicy.SKIP)
    catchup_window: timedelta | None = None
    pause_on_failure: bool = False
    # No option of this package, but of others: an update must not take it away from their schedules.
    _keep_original_workflow_id: bool = field(default=False, init=False, repr=False, compare=False)


@dataclass
class ScheduleState:
    """Whether a schedule acts.

    Args:
        note: A text for those who read it. Pausing and unpausing replace it.
        paused: Whether it is paused. It can be triggered and backfilled nevertheless.
        limited_actions: Whether ``remaining_actions`` counts.
        remaining_actions: How often it will act yet. Triggers and backfills do not count.
    """

    note: str | None = None
    paused: bool = False
    limited_actions: bool = False
    remaining_actions: int = 0


@dataclass
class Schedule:
    """What to do, and when.

    Args:
        action: What to do.
        spec: When.
        policy: What to do when things do not go as planned.
        state: Whether it is active.
    """

    action: ScheduleAction
    spec: ScheduleSpec
    policy: SchedulePolicy = field(default_factory=SchedulePolicy)
    state: ScheduleState = field(default_factory=ScheduleState)


@dataclass
class ScheduleBackfill:
    """A time for which to act now as if it were passing.

    Args:
        start_at: Its beginning; needs a time zone. What is due at this very point counts.
        end_at: Its end; needs a time zone. What is due at this very point counts.
        overlap: What to do about actions that overlap, here where all are due at once; that of the schedule if
            ``None``.
    """

    start_at: datetime
    end_at: datetime
    overlap: ScheduleOverlapPolicy | None = None


@dataclass
class ScheduleUpdateInput:
    """What an updater is given.

    Args:
        description: The schedule as it is. It may be changed and returned in the update.
    """

    description: ScheduleDescription


@dataclass
class ScheduleUpdate:
    """What a schedule is to be.

    Args:
        schedule: All of it, what stays as it was too.
        search_attributes: Search attributes to have instead of those it has; it keeps them if ``None``.
    """

    schedule: Schedule
    search_attributes: TypedSearchAttributes | None = None
