"""When a schedule acts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any


def _same(one: Any, other: Any) -> bool:
    """Whether all fields are the same, lists and tuples of the same items too: descriptions have either."""
    return type(one) is type(other) and _comparable(one) == _comparable(other)


def _comparable(spec: Any) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in vars(spec).items()}


@dataclass(frozen=True)
class ScheduleRange:
    """Some numbers of a field of :class:`ScheduleCalendarSpec`.

    Args:
        start: The first number.
        end: The last number, itself included. One below ``start`` stands for ``start``, so that by default the range
            is that number alone. A range across midnight takes two: ``[ScheduleRange(22, 23), ScheduleRange(0, 5)]``.
        step: Distance from one number to the next; 0 stands for 1.
    """

    start: int
    end: int = 0
    step: int = 0

    def __post_init__(self) -> None:
        """Spells out what the defaults stand for, so that ranges that mean the same are equal."""
        object.__setattr__(self, "end", max(self.start, self.end))
        object.__setattr__(self, "step", self.step or 1)


@dataclass
class ScheduleCalendarSpec:
    """Points in time that match all of these fields, as in cron. By default: midnight, every day.

    Args:
        second: Seconds, 0 to 59.
        minute: Minutes, 0 to 59.
        hour: Hours, 0 to 23.
        day_of_month: Days of the month, 1 to 31.
        month: Months, 1 to 12.
        year: Years; any year if empty.
        day_of_week: Days of the week, 0 to 6; 0 is Sunday.
        comment: A text for those who read it.

    Example:
        ScheduleCalendarSpec(hour=[ScheduleRange(9, 17)], day_of_week=[ScheduleRange(1, 5)], comment="working hours")
    """

    second: Sequence[ScheduleRange] = (ScheduleRange(0),)
    minute: Sequence[ScheduleRange] = (ScheduleRange(0),)
    hour: Sequence[ScheduleRange] = (ScheduleRange(0),)
    day_of_month: Sequence[ScheduleRange] = (ScheduleRange(1, 31),)
    month: Sequence[ScheduleRange] = (ScheduleRange(1, 12),)
    year: Sequence[ScheduleRange] = ()
    day_of_week: Sequence[ScheduleRange] = (ScheduleRange(0, 6),)
    comment: str | None = None

    def __eq__(self, other: object) -> bool:
        """Whether it matches the same points in time, and has the same comment."""
        return _same(self, other)


@dataclass
class ScheduleIntervalSpec:
    """Points in time at a distance from each other, counted from the beginning of 1970 in UTC.

    Args:
        every: That distance, in whole seconds.
        offset: Time by which all of them are later; less than ``every``, in whole seconds.

    Example:
        ScheduleIntervalSpec(every=timedelta(hours=1), offset=timedelta(minutes=5))  # 00:05, 01:05, 02:05 ...
    """

    every: timedelta
    offset: timedelta | None = None


@dataclass
class ScheduleSpec:
    """When a schedule acts: whenever one of the calendars, intervals or cron expressions says so. Never, if empty.

    Args:
        calendars: Points in time by calendar.
        intervals: Points in time by distance.
        cron_expressions: Points in time in cron's notation of five to seven fields, ``"30 9 * * MON-FRI"`` say, or
            ``"@hourly"``, ``"@every 90m"`` and the like. The server makes calendars and intervals of them: a
            description has those.
        skip: Points in time that are left out, to the second: for a whole day, give ranges of hours and minutes, too.
        start_at: Nothing happens before; needs a time zone.
        end_at: Nothing happens after; needs a time zone.
        jitter: Every action is later by a random time up to this, but never beyond the next action.
        time_zone_name: Zone of calendars and cron expressions, ``"Europe/Berlin"`` say; UTC if ``None``.
    """

    calendars: Sequence[ScheduleCalendarSpec] = field(default_factory=list)
    intervals: Sequence[ScheduleIntervalSpec] = field(default_factory=list)
    cron_expressions: Sequence[str] = field(default_factory=list)
    skip: Sequence[ScheduleCalendarSpec] = field(default_factory=list)
    start_at: datetime | None = None
    end_at: datetime | None = None
    jitter: timedelta | None = None
    time_zone_name: str | None = None

    def __eq__(self, other: object) -> bool:
        """Whether all of it is the same."""
        return _same(self, other)
