"""Options that say when a schedule acts, and what it does when things do not go as planned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .._options import taken_as
from .._units import duration, moment, name
from ._calendar import calendar

if TYPE_CHECKING:
    from invincible.client import (
        ScheduleIntervalSpec,
        ScheduleOverlapPolicy,
        SchedulePolicy,
        ScheduleSpec,
        ScheduleState,
    )

_Function = TypeVar("_Function", bound=Callable[..., Any])

_SECOND = timedelta(seconds=1)
_OVERLAPS = ("skip", "buffer-one", "buffer-all", "cancel-other", "terminate-other", "allow-all")


def overlap_option(summary: str) -> Callable[[_Function], _Function]:
    """The option ``--overlap``."""
    return click.option(
        "--overlap",
        type=click.Choice(_OVERLAPS, case_sensitive=False),
        help=summary,
    )


def overlap_policy(given: str | None) -> ScheduleOverlapPolicy | None:
    """The policy that the option says."""
    from invincible.client import ScheduleOverlapPolicy

    return None if given is None else ScheduleOverlapPolicy[given.replace("-", "_").upper()]


def overlap_text(policy: ScheduleOverlapPolicy) -> str:
    """The policy as the option says it."""
    return policy.name.lower().replace("_", "-")


_OPTIONS = (
    click.option(
        "--cron", type=name, multiple=True, metavar="EXPR", help="'30 9 * * MON-FRI', '@hourly' ...; repeatable."
    ),
    click.option(
        "--interval",
        "intervals",
        type=name,
        multiple=True,
        metavar="EVERY[/OFFSET]",
        help="1h, 24h/7h30m ...; repeatable.",
    ),
    click.option(
        "--calendar",
        "calendars",
        multiple=True,
        metavar="JSON",
        help="""'{"hour": "9-17", "dayOfWeek": "Mon-Fri"}' ...; repeatable.""",
    ),
    click.option("--skip", multiple=True, metavar="JSON", help="A calendar of times to leave out; repeatable."),
    click.option(
        "--time-zone", type=name, metavar="NAME", help="Of cron and calendars: Europe/Berlin.  [default: UTC]"
    ),
    click.option("--jitter", type=duration, metavar="DURATION", help="Be late by a random time up to this."),
    click.option("--start-time", type=moment, metavar="TIME", help="Do nothing before."),
    click.option("--end-time", type=moment, metavar="TIME", help="Do nothing after."),
    overlap_option("What to do when the last workflow still runs.  [default: skip]"),
    click.option(
        "--catchup-window", type=duration, metavar="DURATION", help="How late a start may be.  [default: 365d]"
    ),
    click.option(
        "--pause-on-failure/--no-pause-on-failure", default=None, help="Whether to pause after a workflow that fails."
    ),
    click.option("--note", metavar="TEXT", help="A text for those who look at it."),
    click.option(
        "--remaining-actions", type=click.IntRange(min=0), metavar="N", help="Act so many times, and not again."
    ),
)


@dataclass(frozen=True)
class Timing:
    """What the options say; ``None`` and nothing for those that are not given."""

    cron: tuple[str, ...]
    intervals: tuple[str, ...]
    calendars: tuple[str, ...]
    skip: tuple[str, ...]
    time_zone: str | None
    jitter: timedelta | None
    start_time: datetime | None
    end_time: datetime | None
    overlap: str | None
    catchup_window: timedelta | None
    pause_on_failure: bool | None
    note: str | None
    remaining_actions: int | None

    @property
    def any_time(self) -> bool:
        """Whether points in time are given."""
        return bool(self.cron or self.intervals or self.calendars)

    def change_spec(self, spec: ScheduleSpec) -> None:
        """Put what is given into a spec. Points in time take the place of all that it has.

        Raises:
            UsageError: A calendar or an interval is none.
        """
        if self.any_time:
            spec.cron_expressions = list(self.cron)
            spec.intervals = [_interval(text) for text in self.intervals]
            spec.calendars = [
                calendar(text, _option("--calendar", self.calendars, i)) for i, text in _each(self.calendars)
            ]
        if self.skip:
            spec.skip = [calendar(text, _option("--skip", self.skip, i)) for i, text in _each(self.skip)]
        if self.time_zone is not None:
            spec.time_zone_name = self.time_zone
        if self.jitter is not None:
            spec.jitter = self.jitter
        if self.start_time is not None:
            spec.start_at = self.start_time
        if self.end_time is not None:
            spec.end_at = self.end_time

    def change_policy(self, policy: SchedulePolicy) -> None:
        """Put what is given into a policy."""
        policy.overlap = overlap_policy(self.overlap) or policy.overlap
        if self.catchup_window is not None:
            policy.catchup_window = self.catchup_window
        if self.pause_on_failure is not None:
            policy.pause_on_failure = self.pause_on_failure

    def change_state(self, state: ScheduleState) -> None:
        """Put what is given into a state."""
        if self.note is not None:
            state.note = self.note or None
        if self.remaining_actions is not None:
            state.limited_actions = True
            state.remaining_actions = self.remaining_actions


# A decorator; the command takes the values as ``timing: Timing``.
timing_options = taken_as("timing", Timing, _OPTIONS)


def _interval(text: str) -> ScheduleIntervalSpec:
    from invincible.client import ScheduleIntervalSpec

    every, separator, offset = text.partition("/")
    try:
        interval = ScheduleIntervalSpec(duration(every), duration(offset) if separator else None)
    except click.BadParameter as error:
        raise click.UsageError(f"--interval takes EVERY or EVERY/OFFSET: {error.message}") from None
    if interval.every < _SECOND or interval.every % _SECOND or (interval.offset or _SECOND) % _SECOND:
        raise click.UsageError(f"--interval takes whole seconds, at least one, not {text!r}")
    if interval.offset is not None and interval.offset >= interval.every:
        raise click.UsageError(f"--interval takes an offset that is shorter than the interval, not {text!r}")
    return interval


def _each(items: Sequence[str]) -> list[tuple[int, str]]:
    return list(enumerate(items, 1))


def _option(option: str, items: Sequence[str], number: int) -> str:
    return option if len(items) == 1 else f"{option} number {number}"
