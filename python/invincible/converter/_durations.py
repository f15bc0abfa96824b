"""Dates and durations as ISO 8601 text."""

from __future__ import annotations

import re
import sys
from datetime import datetime, timedelta

_DURATION = re.compile(
    r"(?P<sign>[+-]?)P(?!$)(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?!$)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)(?:[.,](?P<fraction>\d+))?S)?)?"
)


def format_duration(duration: timedelta) -> str:
    """A duration as ``P1DT2H3M4.5S``."""
    sign = "-" if duration < timedelta(0) else ""
    duration = abs(duration)
    minutes, seconds = divmod(duration.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{duration.microseconds:06d}".rstrip("0") if duration.microseconds else ""
    time = "".join(
        (
            f"{hours}H" if hours else "",
            f"{minutes}M" if minutes else "",
            f"{seconds}{fraction}S" if seconds or fraction else "",
        )
    )
    days = f"{duration.days}D" if duration.days else ""
    if not days and not time:
        return "PT0S"
    return f"{sign}P{days}{'T' if time else ''}{time}"


def parse_duration(text: str) -> timedelta:
    """Reads what :func:`format_duration` writes, weeks too; months and years have no fixed length.

    Raises:
        ValueError: The text is no such duration.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError("not an ISO 8601 duration")
    parts = {name: int(match[name] or 0) for name in ("weeks", "days", "hours", "minutes", "seconds")}
    microseconds = int((match["fraction"] or "")[:6].ljust(6, "0"))
    duration = timedelta(**parts, microseconds=microseconds)
    return -duration if match["sign"] == "-" else duration


if sys.version_info >= (3, 11):
    parse_datetime = datetime.fromisoformat
else:
    _DATETIME = re.compile(
        r"(?P<year>\d{4})-?(?P<month>\d\d)-?(?P<day>\d\d)"
        r"(?:[T ](?P<hour>\d\d):?(?P<minute>\d\d)(?::?(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?)?"
        r"(?:(?P<utc>[Zz])|(?P<sign>[+-])(?P<offset_hour>\d\d):?(?P<offset_minute>\d\d)?)?)?"
    )

    def parse_datetime(text: str) -> datetime:
        """Reads ISO 8601 text as Python 3.11 does: ``Z``, any number of decimals and the compact form included.

        Raises:
            ValueError: The text is no point in time.
        """
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            match = _DATETIME.fullmatch(text)
        if match is None:
            raise ValueError("not an ISO 8601 date and time")
        date = f"{match['year']}-{match['month']}-{match['day']}"
        time = f"{match['hour'] or '00'}:{match['minute'] or '00'}:{match['second'] or '00'}"
        fraction = (match["fraction"] or "")[:6].ljust(6, "0")
        offset = "+00:00" if match["utc"] else ""
        if match["sign"]:
            offset = f"{match['sign']}{match['offset_hour']}:{match['offset_minute'] or '00'}"
        return datetime.fromisoformat(f"{date}T{time}.{fraction}{offset}")
