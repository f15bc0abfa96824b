"""What the server would take without a word but not do, or refuse without saying what is meant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from .schedule import ScheduleBackfill, SchedulePolicy, ScheduleState
from .spec import ScheduleCalendarSpec, ScheduleIntervalSpec, ScheduleRange, ScheduleSpec

_NO_TIME = timedelta(0)
_SECOND = timedelta(seconds=1)
# Which years there are is the server's business.
_CALENDAR_BOUNDS = {
    "second": (0, 59),
    "minute": (0, 59),
    "hour": (0, 23),
    "day_of_month": (1, 31),
    "month": (1, 12),
    "year": None,
    "day_of_week": (0, 6),
}


def check_spec(spec: ScheduleSpec) -> None:
    """Refuses a spec that makes no sense."""
    if isinstance(spec.cron_expressions, str):
        raise TypeError("cron_expressions must be a sequence of expressions, got a str: put it into a list")
    for kind in ("calendars", "skip"):
        for number, calendar in enumerate(getattr(spec, kind)):
            _check_calendar(calendar, f"{kind}[{number}]")
    for number, interval in enumerate(spec.intervals):
        _check_interval(interval, f"intervals[{number}]")
    for name in ("start_at", "end_at"):
        if getattr(spec, name) is not None:
            _check_time(getattr(spec, name), name)
    if spec.start_at is not None and spec.end_at is not None and spec.end_at < spec.start_at:
        raise ValueError(f"end_at {spec.end_at} is before start_at {spec.start_at}: nothing would ever happen")
    if spec.jitter is not None:
        _check_duration(spec.jitter, "jitter")


def check_policy(policy: SchedulePolicy) -> None:
    """Refuses a policy that makes no sense."""
    if policy.catchup_window is not None:
        _check_duration(policy.catchup_window, "catchup_window")


def check_state(state: ScheduleState) -> None:
    """Refuses a state that cannot be."""
    if state.remaining_actions < 0:
        raise ValueError(f"remaining_actions cannot be negative, got {state.remaining_actions}")


def check_new_state(state: ScheduleState) -> None:
    """Refuses a state that a schedule can come to, but makes no sense for a new one."""
    if state.limited_actions and not state.remaining_actions:
        raise ValueError("limited_actions is set but remaining_actions is 0: nothing would ever happen")
    if state.remaining_actions and not state.limited_actions:
        raise ValueError("remaining_actions counts only if limited_actions is set: set both or none")


def check_backfill(backfill: ScheduleBackfill, where: str) -> None:
    """Refuses a backfill that makes no sense."""
    if not isinstance(backfill, ScheduleBackfill):
        raise TypeError(f"{where} must be a ScheduleBackfill, got {type(backfill).__name__}")
    _check_time(backfill.start_at, f"{where}.start_at")
    _check_time(backfill.end_at, f"{where}.end_at")
    if backfill.end_at < backfill.start_at:
        raise ValueError(f"{where} ends before it begins: end_at {backfill.end_at}, start_at {backfill.start_at}")


def _check_calendar(calendar: Any, where: str) -> None:
    if not isinstance(calendar, ScheduleCalendarSpec):
        raise TypeError(f"{where} must be a ScheduleCalendarSpec, got {type(calendar).__name__}")
    for name, bounds in _CALENDAR_BOUNDS.items():
        ranges = getattr(calendar, name)
        if not isinstance(ranges, Sequence) or not all(isinstance(each, ScheduleRange) for each in ranges):
            raise TypeError(f"{where}.{name} must be a sequence of ScheduleRange, got {ranges!r}")
        if bounds is None:
            continue
        if not ranges:
            raise ValueError(f"{where}.{name} is empty, so that the calendar would match nothing: leave it out for all")
        least, most = bounds
        for each in ranges:
            if each.start < least or each.end > most:
                raise ValueError(f"{where}.{name} must be from {least} to {most}, got {each}")
    for name in _CALENDAR_BOUNDS:
        for each in getattr(calendar, name):
            if each.step < 1:
                raise ValueError(f"{where}.{name} must have a positive step, got {each}")


def _check_interval(interval: Any, where: str) -> None:
    if not isinstance(interval, ScheduleIntervalSpec):
        raise TypeError(f"{where} must be a ScheduleIntervalSpec, got {type(interval).__name__}")
    _check_whole_seconds(interval.every, f"{where}.every")
    if interval.every < _SECOND:
        raise ValueError(f"{where}.every must be at least a second, got {interval.every!r}")
    if interval.offset is None:
        return
    _check_whole_seconds(interval.offset, f"{where}.offset")
    if interval.offset >= interval.every:
        raise ValueError(
            f"{where}.offset must be less than every, got an offset of {interval.offset!r} to {interval.every!r}"
        )


def _check_whole_seconds(value: Any, where: str) -> None:
    _check_duration(value, where)
    # The server would drop the fraction.
    if value % _SECOND:
        raise ValueError(f"{where} must be whole seconds, got {value!r}")


def _check_duration(value: Any, where: str) -> None:
    if not isinstance(value, timedelta):
        raise TypeError(f"{where} must be a timedelta, got {type(value).__name__}")
    if value < _NO_TIME:
        raise ValueError(f"{where} cannot be negative, got {value!r}")


def _check_time(value: Any, where: str) -> None:
    if not isinstance(value, datetime):
        raise TypeError(f"{where} must be a datetime, got {type(value).__name__}")
    if value.utcoffset() is None:
        raise ValueError(f"{where} must have a time zone, {value} has none: add tzinfo=timezone.utc, say")
