"""Calendars of schedules as JSON of the command line, and in words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from .._input import checked_json
from .._output import duration_text

if TYPE_CHECKING:
    from invincible.client import ScheduleCalendarSpec, ScheduleIntervalSpec, ScheduleRange, ScheduleSpec

_DAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_BOUNDS = {
    "second": (0, 59),
    "minute": (0, 59),
    "hour": (0, 23),
    "day_of_month": (1, 31),
    "month": (1, 12),
    "year": (2000, 2100),
    "day_of_week": (0, 6),
}
_NAMES: dict[str, dict[str, int]] = {
    "month": {name.lower(): number for number, name in enumerate(_MONTHS, 1)},
    "day_of_week": {name.lower(): number for number, name in enumerate(_DAYS)},
}
_LISTED = 6  # numbers that are told one by one
_RANGE = re.compile(r"(\*|\w+)(?:-(\w+))?(?:/(\d+))?")
_EXAMPLE = '{"hour": "9-17", "minute": 30, "dayOfWeek": "Mon-Fri"}'


def calendar(text: str, option: str) -> ScheduleCalendarSpec:
    """The calendar of a JSON object; names of fields with or without underscores, values as numbers or as in cron.

    Args:
        text: The object.
        option: How errors name it.

    Raises:
        UsageError: It is none.
    """
    from invincible.client import ScheduleCalendarSpec

    given = checked_json(text, option)
    if not isinstance(given, dict):
        raise click.UsageError(f"{option} takes a JSON object, {_EXAMPLE} say")
    fields: dict[str, Any] = {}
    for key, value in given.items():
        name = re.sub("[A-Z]", lambda match: f"_{match[0].lower()}", key)
        if name == "comment" and isinstance(value, str):
            fields[name] = value
        elif name in _BOUNDS:
            fields[name] = [_range(item, name, f"{option}: {key}") for item in _items(value)]
        else:
            raise click.UsageError(f"{option} has no field {key!r}: there are {', '.join(_BOUNDS)} and comment")
    return ScheduleCalendarSpec(**fields)


def calendar_text(calendar: ScheduleCalendarSpec) -> str:
    """``at 09:30 on Mon-Fri``, ``at 09:00, 13:00 on day 1 of Jan, Jul``."""
    words = [_time_text(calendar)]
    if not _is_all(calendar.day_of_week, "day_of_week"):
        words.append(f"on {_ranges_text(calendar.day_of_week, 'day_of_week')}")
    if not _is_all(calendar.day_of_month, "day_of_month"):
        words.append(f"on day {_ranges_text(calendar.day_of_month, 'day_of_month')}")
    if not _is_all(calendar.month, "month"):
        words.append(f"of {_ranges_text(calendar.month, 'month')}")
    if calendar.year:
        words.append(f"in {_ranges_text(calendar.year, 'year')}")
    return " ".join(words) + (f" ({calendar.comment})" if calendar.comment else "")


def calendar_json(calendar: ScheduleCalendarSpec) -> dict[str, Any]:
    """The object that stands for a calendar."""
    fields = {name: ",".join(map(_cron_text, getattr(calendar, name))) for name in _BOUNDS if getattr(calendar, name)}
    return fields | ({"comment": calendar.comment} if calendar.comment else {})


def interval_text(interval: ScheduleIntervalSpec) -> str:
    """``every 1h``, ``every 1h, offset 5m``."""
    offset = f", offset {duration_text(interval.offset)}" if interval.offset else ""
    return f"every {duration_text(interval.every)}{offset}"


def spec_lines(spec: ScheduleSpec) -> list[str]:
    """All times of a schedule, a line each; one that says so if there are none."""
    times = [f"cron {each}" for each in spec.cron_expressions]
    times += [calendar_text(each) for each in spec.calendars] + [interval_text(each) for each in spec.intervals]
    if not times:
        return ["only when triggered or backfilled"]
    zone = spec.time_zone_name or "UTC"
    if spec.calendars or spec.cron_expressions:
        times[0] += f" ({zone})"
    return times + [f"except {calendar_text(each)}" for each in spec.skip]


def _items(value: Any) -> list[Any]:
    items = value if isinstance(value, list) else [value]
    return [part for item in items for part in (item.split(",") if isinstance(item, str) else [item])]


def _range(value: Any, field: str, where: str) -> ScheduleRange:
    from invincible.client import ScheduleRange

    if isinstance(value, int):
        value = str(value)
    match = _RANGE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise click.UsageError(f'{where} takes a number, "9-17", "*/15" or a list of such, not {value!r}')
    start, end, step = match.groups()
    if step is not None and not int(step):
        raise click.UsageError(f"{where} has a step of 0 in {value!r}")
    if start == "*":
        return ScheduleRange(*_BOUNDS[field], int(step or 1))
    first = _number(start, field, where)
    # As in cron, a step without an end goes as far as possible.
    last = _number(end, field, where) if end else _BOUNDS[field][1] if step else first
    if last < first:
        raise click.UsageError(f'{where} goes backwards in {value!r}: write two ranges, as in "22-23,0-5"')
    return ScheduleRange(first, last, int(step or 1))


def _number(text: str, field: str, where: str) -> int:
    named = _NAMES.get(field, {}).get(text[:3].lower())
    if not text.isdecimal() and named is None:
        raise click.UsageError(f"{where} takes numbers, not {text!r}")
    number = int(text) if named is None else named
    least, most = _BOUNDS[field]
    if not least <= number <= most:
        raise click.UsageError(f"{where} goes from {least} to {most}: {number} is beyond")
    return number


def _time_text(calendar: ScheduleCalendarSpec) -> str:
    hours, minutes, seconds = (_numbers(each) for each in (calendar.hour, calendar.minute, calendar.second))
    if len(hours) * len(minutes) * len(seconds) <= _LISTED:
        times = [
            f"{hour:02}:{minute:02}" + (f":{second:02}" if seconds != [0] else "")
            for hour in hours
            for minute in minutes
            for second in seconds
        ]
        return f"at {', '.join(times)}"
    words = [_unit_text(calendar.second, "second")] if seconds != [0] else []
    words.append(_unit_text(calendar.minute, "minute"))
    if words[-1] != "every minute" or not _is_all(calendar.hour, "hour"):
        words.append(_unit_text(calendar.hour, "hour"))
    return " of ".join(words)


def _unit_text(ranges: Sequence[ScheduleRange], field: str) -> str:
    return f"every {field}" if _is_all(ranges, field) else f"{field} {_ranges_text(ranges, field)}"


def _ranges_text(ranges: Sequence[ScheduleRange], field: str) -> str:
    return ", ".join(_range_text(each, field) for each in ranges)


def _range_text(each: ScheduleRange, field: str) -> str:
    if each.step == 1:
        return _named(each.start, field) + (f"-{_named(each.end, field)}" if each.end > each.start else "")
    numbers = _numbers([each])
    if len(numbers) <= _LISTED:
        return ", ".join(_named(number, field) for number in numbers)
    return f"{_named(each.start, field)}-{_named(each.end, field)} in steps of {each.step}"


def _cron_text(each: ScheduleRange) -> str:
    step = f"/{each.step}" if each.step > 1 else ""
    return f"{each.start}" + (f"-{each.end}{step}" if each.end > each.start else "")


def _named(number: int, field: str) -> str:
    names: Mapping[int, str] = dict(enumerate(_DAYS)) if field == "day_of_week" else {}
    names = dict(enumerate(_MONTHS, 1)) if field == "month" else names
    return names.get(number, str(number))


def _numbers(ranges: Sequence[ScheduleRange]) -> list[int]:
    return sorted({number for each in ranges for number in range(each.start, each.end + 1, each.step)})


def _is_all(ranges: Sequence[ScheduleRange], field: str) -> bool:
    first, last = _BOUNDS[field]
    return len(_numbers(ranges)) == last - first + 1
