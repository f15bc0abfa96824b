"""Calendars of schedules: read from JSON, told in words, and written as JSON again."""

from __future__ import annotations

import json
from datetime import timedelta

import click
import pytest

from invincible.cli.schedule._calendar import calendar, calendar_json, calendar_text, spec_lines
from invincible.client import ScheduleIntervalSpec, ScheduleSpec


def read(**fields: object) -> str:
    return calendar_text(calendar(json.dumps(fields), "--calendar"))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "at 00:00"),
        ({"hour": 9, "minute": "30"}, "at 09:30"),
        ({"hour": [9, "13"], "second": 5}, "at 09:00:05, 13:00:05"),
        ({"hour": "9-17/4", "dayOfWeek": "Mon-Fri"}, "at 09:00, 13:00, 17:00 on Mon-Fri"),
        ({"hour": "9-17", "day_of_week": "tuesday,0"}, "minute 0 of hour 9-17 on Tue, Sun"),
        ({"hour": "*"}, "minute 0 of every hour"),
        ({"hour": "*", "minute": "*/20"}, "minute 0, 20, 40 of every hour"),
        ({"hour": "*", "minute": "*"}, "every minute"),
        ({"hour": "*", "minute": "*", "second": "*"}, "every second of every minute"),
        ({"hour": "*", "minute": "10-59/7"}, "minute 10-59 in steps of 7 of every hour"),
        ({"dayOfMonth": "1,15", "month": "jan-mar", "year": "2027"}, "at 00:00 on day 1, 15 of Jan-Mar in 2027"),
        ({"month": "2/5"}, "at 00:00 of Feb, Jul, Dec"),
        ({"comment": "why"}, "at 00:00 (why)"),
    ],
)
def test_words(fields: dict[str, object], words: str) -> None:
    assert read(**fields) == words


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("7", "--calendar takes a JSON object"),
        ('{"hours": 1}', "--calendar has no field 'hours'"),
        ('{"hour": 24}', "--calendar: hour goes from 0 to 23: 24 is beyond"),
        ('{"hour": -1}', "--calendar: hour takes a number"),
        ('{"hour": true}', "--calendar: hour takes numbers, not 'True'"),
        ('{"hour": 1.5}', "--calendar: hour takes a number"),
        ('{"hour": "Mon"}', "--calendar: hour takes numbers, not 'Mon'"),
        ('{"month": "1-13"}', "--calendar: month goes from 1 to 12: 13 is beyond"),
        ('{"minute": "*/0"}', "--calendar: minute has a step of 0"),
        ('{"hour": "22-5"}', "--calendar: hour goes backwards in '22-5'"),
        ('{"comment": 7}', "--calendar has no field 'comment'"),
    ],
)
def test_what_is_none(text: str, message: str) -> None:
    with pytest.raises(click.UsageError) as raised:
        calendar(text, "--calendar")
    assert raised.value.message.startswith(message)


@pytest.mark.parametrize(
    "fields",
    [{}, {"hour": "9-17/4,20", "dayOfWeek": "Mon-Fri", "comment": "office"}, {"second": "*", "year": "2027-2030/2"}],
)
def test_what_is_written_can_be_read(fields: dict[str, object]) -> None:
    made = calendar(json.dumps(fields), "--calendar")
    assert calendar(json.dumps(calendar_json(made)), "--calendar") == made


def test_all_times_of_a_schedule() -> None:
    spec = ScheduleSpec(
        calendars=[calendar('{"hour": 9}', "--calendar")],
        intervals=[ScheduleIntervalSpec(timedelta(hours=24), timedelta(minutes=90))],
        cron_expressions=["@daily"],
        skip=[calendar('{"month": "dec"}', "--skip")],
        time_zone_name="Asia/Tokyo",
    )
    assert spec_lines(spec) == [
        "cron @daily (Asia/Tokyo)",
        "at 09:00",
        "every 1d, offset 1h 30m",
        "except at 00:00 of Dec",
    ]
    assert spec_lines(ScheduleSpec()) == ["only when triggered or backfilled"]
