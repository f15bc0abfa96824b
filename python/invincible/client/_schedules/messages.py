"""Schedules as protobuf messages, and back. Imports protobuf."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from google.protobuf.timestamp_pb2 import Timestamp

from invincible.api.schedule.v1 import (
    BackfillRequest,
    IntervalSpec,
    Range,
    SchedulePolicies,
    StructuredCalendarSpec,
)
from invincible.api.schedule.v1 import Schedule as ScheduleMessage
from invincible.api.schedule.v1 import ScheduleAction as ScheduleActionMessage
from invincible.api.schedule.v1 import ScheduleSpec as ScheduleSpecMessage
from invincible.api.schedule.v1 import ScheduleState as ScheduleStateMessage

from .._proto import duration, time_of, timedelta_of
from .action import ScheduleAction, ScheduleActionStartWorkflow
from .checks import check_backfill, check_policy, check_spec, check_state
from .schedule import Schedule, ScheduleBackfill, ScheduleOverlapPolicy, SchedulePolicy, ScheduleState
from .spec import ScheduleCalendarSpec, ScheduleIntervalSpec, ScheduleRange, ScheduleSpec

if TYPE_CHECKING:
    from .._client import Client

_CALENDAR_FIELDS = ("second", "minute", "hour", "day_of_month", "month", "year", "day_of_week")


async def schedule_message(client: Client, schedule: Schedule) -> ScheduleMessage:
    """The message of a schedule, the values of its action converted by the client.

    Raises:
        ValueError: A field makes no sense; the message names it.
        TypeError: A field is not of its type.
        ConversionError: A value cannot be converted.
    """
    check_spec(schedule.spec)
    check_policy(schedule.policy)
    check_state(schedule.state)
    if not isinstance(schedule.action, ScheduleAction):
        raise TypeError(f"action must be a ScheduleActionStartWorkflow, got {type(schedule.action).__name__}")
    return ScheduleMessage(
        spec=_spec_message(schedule.spec),
        action=await schedule.action._message(client),
        policies=SchedulePolicies(
            overlap_policy=schedule.policy.overlap,  # type: ignore[arg-type]
            catchup_window=duration(schedule.policy.catchup_window),
            pause_on_failure=schedule.policy.pause_on_failure,
            keep_original_workflow_id=schedule.policy._keep_original_workflow_id,
        ),
        state=ScheduleStateMessage(
            notes=schedule.state.note or "",
            paused=schedule.state.paused,
            limited_actions=schedule.state.limited_actions,
            remaining_actions=schedule.state.remaining_actions,
        ),
    )


def schedule_of(message: ScheduleMessage) -> Schedule:
    """The schedule that a message describes."""
    policy = SchedulePolicy(
        overlap=ScheduleOverlapPolicy(message.policies.overlap_policy or ScheduleOverlapPolicy.SKIP),
        catchup_window=timedelta_of(message.policies, "catchup_window"),
        pause_on_failure=message.policies.pause_on_failure,
    )
    policy._keep_original_workflow_id = message.policies.keep_original_workflow_id
    return Schedule(
        action=_action_of(message.action),
        spec=spec_of(message.spec),
        policy=policy,
        state=ScheduleState(
            note=message.state.notes or None,
            paused=message.state.paused,
            limited_actions=message.state.limited_actions,
            remaining_actions=message.state.remaining_actions,
        ),
    )


def spec_of(message: ScheduleSpecMessage) -> ScheduleSpec:
    """The spec that a message describes."""
    return ScheduleSpec(
        calendars=[_calendar_of(calendar) for calendar in message.structured_calendar],
        intervals=[
            ScheduleIntervalSpec(every=interval.interval.ToTimedelta(), offset=timedelta_of(interval, "phase"))
            for interval in message.interval
        ],
        cron_expressions=list(message.cron_string),
        skip=[_calendar_of(calendar) for calendar in message.exclude_structured_calendar],
        start_at=time_of(message, "start_time"),
        end_at=time_of(message, "end_time"),
        jitter=timedelta_of(message, "jitter"),
        time_zone_name=message.timezone_name or None,
    )


def backfill_messages(backfills: Sequence[ScheduleBackfill]) -> list[BackfillRequest]:
    """The messages of backfills.

    Raises:
        ValueError: One has times without a time zone, or ends before it begins.
        TypeError: One is no backfill.
    """
    for number, backfill in enumerate(backfills):
        check_backfill(backfill, f"backfill[{number}]")
    return [
        BackfillRequest(
            start_time=_timestamp(backfill.start_at),
            end_time=_timestamp(backfill.end_at),
            overlap_policy=backfill.overlap or 0,  # type: ignore[arg-type]
        )
        for backfill in backfills
    ]


def _spec_message(spec: ScheduleSpec) -> ScheduleSpecMessage:
    return ScheduleSpecMessage(
        structured_calendar=[_calendar_message(calendar) for calendar in spec.calendars],
        interval=[
            IntervalSpec(interval=duration(interval.every), phase=duration(interval.offset))
            for interval in spec.intervals
        ],
        cron_string=spec.cron_expressions,
        exclude_structured_calendar=[_calendar_message(calendar) for calendar in spec.skip],
        start_time=_timestamp(spec.start_at),
        end_time=_timestamp(spec.end_at),
        jitter=duration(spec.jitter),
        timezone_name=spec.time_zone_name or "",
    )


def _calendar_message(calendar: ScheduleCalendarSpec) -> StructuredCalendarSpec:
    message = StructuredCalendarSpec(comment=calendar.comment or "")
    for name in _CALENDAR_FIELDS:
        ranges: Sequence[ScheduleRange] = getattr(calendar, name)
        getattr(message, name).extend(Range(start=each.start, end=each.end, step=each.step) for each in ranges)
    return message


def _calendar_of(message: StructuredCalendarSpec) -> ScheduleCalendarSpec:
    ranges = {
        name: tuple(ScheduleRange(each.start, each.end, each.step) for each in getattr(message, name))
        for name in _CALENDAR_FIELDS
    }
    return ScheduleCalendarSpec(**ranges, comment=message.comment or None)


def _action_of(message: ScheduleActionMessage) -> ScheduleAction:
    if not message.HasField("start_workflow"):
        raise ValueError(f"the server tells of an action that is not known: {message.WhichOneof('action')}")
    return ScheduleActionStartWorkflow(message.start_workflow.workflow_type.name, raw_info=message.start_workflow)


def _timestamp(time: datetime | None) -> Timestamp | None:
    if time is None:
        return None
    timestamp = Timestamp()
    timestamp.FromDatetime(time)
    return timestamp
