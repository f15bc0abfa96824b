"""`invincible schedule` on the real server."""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from invincible.client import Client, ScheduleActionStartWorkflow, ScheduleOverlapPolicy
from invincible.service import RPCError
from tests.support.cli import Command
from tests.support.conditions import eventually
from tests.support.server import server_process

STARTS = ("--type", "Report", "--task-queue", "reports")


@pytest.fixture
def command(address: str) -> Command:
    return Command(address)


@pytest.fixture
async def id(client: Client) -> AsyncIterator[str]:
    id = f"schedule-{uuid.uuid4()}"
    yield id
    try:
        await client.get_schedule_handle(id).delete()
    except RPCError:
        return


async def test_create_with_everything(command: Command, client: Client, id: str) -> None:
    result = await command(
        *("schedule", "create", id, *STARTS),
        *("--workflow-id", "report", "--input", '"Berlin"', "--input", "3", "--run-timeout", "1h"),
        *("--cron", "30 7 * * MON-FRI", "--interval", "24h/7h30m", "--time-zone", "Europe/Berlin"),
        *("--calendar", '{"hour": "9-17/4", "dayOfWeek": ["Mon-Wed", "Fri"], "minute": 30, "comment": "office"}'),
        *("--skip", '{"month": "jan", "day_of_month": 1, "hour": "*", "minute": "*"}'),
        *("--jitter", "1m", "--start-time", "2027-01-01T00:00:00Z", "--end-time", "2099-01-01T00:00:00+01:00"),
        *("--overlap", "buffer-one", "--catchup-window", "1h", "--pause-on-failure", "--paused", "--note", "later"),
        *("--remaining-actions", "5", "--memo", 'owner={"name": "Ada"}', "--schedule-memo", "team=7"),
        *("--retry-maximum-attempts", "3", "--static-summary", "daily", "--priority-key", "2"),
    )
    assert result.stdout == f"schedule {id} created: it is paused\n"
    described = await client.get_schedule_handle(id).describe()
    schedule, action = described.schedule, described.schedule.action
    assert isinstance(action, ScheduleActionStartWorkflow)
    assert (action.workflow, action.id, action.task_queue) == ("Report", "report", "reports")
    assert await client.data_converter.decode(action.args) == ["Berlin", 3]
    assert action.run_timeout == timedelta(hours=1)
    assert action.retry_policy is not None
    assert action.retry_policy.maximum_attempts == 3
    assert action.priority.priority_key == 2
    spec = schedule.spec
    assert {calendar.comment for calendar in spec.calendars} == {None, "office"}
    office = next(calendar for calendar in spec.calendars if calendar.comment)
    assert [(each.start, each.end, each.step) for each in office.hour] == [(9, 17, 4)]
    assert [(each.start, each.end) for each in office.day_of_week] == [(1, 3), (5, 5)]
    assert [(each.every, each.offset) for each in spec.intervals] == [(timedelta(days=1), timedelta(hours=7.5))]
    assert [calendar.month[0].start for calendar in spec.skip] == [1]
    assert spec.jitter == timedelta(minutes=1)
    assert spec.time_zone_name == "Europe/Berlin"
    assert spec.start_at is not None
    assert spec.start_at.isoformat() == "2027-01-01T00:00:00+00:00"
    assert spec.end_at is not None
    assert spec.end_at.isoformat() == "2098-12-31T23:00:00+00:00"
    assert schedule.policy.overlap is ScheduleOverlapPolicy.BUFFER_ONE
    assert schedule.policy.catchup_window == timedelta(hours=1)
    assert schedule.policy.pause_on_failure
    state = schedule.state
    assert (state.note, state.paused, state.limited_actions, state.remaining_actions) == ("later", True, True, 5)
    assert await described.memo() == {"team": 7}


async def test_search_attributes_are_of_the_types_that_the_server_has(id: str) -> None:
    types = {"AText": "Text", "AnInt": "Int", "ADouble": "Double", "ABool": "Bool", "ATime": "Datetime"}
    async with server_process(search_attributes=[f"{name}={type}" for name, type in types.items()]) as server:
        command = Command(server.address)
        given = ('AText="seven"', "AnInt=7", "ADouble=7", "ABool=true", 'ATime="2027-01-01T00:00:00Z"')
        options = [option for each in given for option in ("--search-attribute", each)]
        await command("schedule", "create", id, *STARTS, *options, "--schedule-search-attribute", "AnInt=8")
        described = await command.json("schedule", "describe", id)
        time = "2027-01-01T00:00:00+00:00"
        values = {"AText": "seven", "AnInt": 7, "ADouble": 7.0, "ABool": True, "ATime": time}
        assert described["action"]["search_attributes"] == values
        assert described["search_attributes"] == {"AnInt": [8]}
        await command(
            "schedule", "update", id, "--search-attribute", "AnInt=9", "--schedule-search-attribute", "AnInt=1"
        )
        described = await command.json("schedule", "describe", id)
        assert described["action"]["search_attributes"] == {**values, "AnInt": 9}
        for wrong, message in {
            'AnInt="x"': "--search-attribute AnInt is of type Int: it takes a whole number",
            "AnInt=true": "--search-attribute AnInt is of type Int: it takes a whole number",
            "AText=7": "--search-attribute AText is of type Text: it takes a JSON string",
            'ATime="soon"': "--search-attribute ATime: 'soon' is no time: write",
            'Nobody="x"': "--search-attribute: the namespace has no search attribute 'Nobody'",
            "AText=x": "--search-attribute AText is no JSON",
        }.items():
            said = await command.error("schedule", "update", id, "--search-attribute", wrong, exit_code=2)
            assert said.startswith(message)


async def test_describe_tells_what_comes_next(command: Command, id: str) -> None:
    created = await command.json(
        *("schedule", "create", id, *STARTS, "--cron", "0 8 * * *", "--input", '"Paris"', "--note", "a note")
    )
    assert created["schedule_id"] == id
    assert created["next_action_times"][0].endswith("T08:00:00+00:00")
    lines = (await command("schedule", "describe", id)).stdout.splitlines()
    told = {name: value for name, _, value in (re.split("(  +)", line, maxsplit=1) for line in lines)}
    shown = {name: told[name] for name in ("schedule", "status", "note", "starts", "task queue", "when", "started")}
    assert shown == {
        "schedule": id,
        "status": "active",
        "note": "a note",
        "starts": 'Report("Paris")',
        "task queue": "reports",
        "when": "at 08:00 (UTC)",
        "started": "0",
    }
    assert "(in " in told["next"]
    described = await command.json("schedule", "describe", id)
    assert described["action"]["input"] == ["Paris"]
    assert described["spec"]["calendars"][0]["hour"] == "8"
    assert described["policy"] == {"overlap": "skip", "catchup_window": 31_536_000.0, "pause_on_failure": False}


async def test_update_changes_only_what_is_given(command: Command, client: Client, id: str) -> None:
    await command(
        *("schedule", "create", id, *STARTS, "--cron", "0 8 * * *", "--jitter", "1m", "--note", "a note"),
        *("--input", '"Paris"', "--memo", "a=1", "--overlap", "allow-all", "--run-timeout", "1h"),
    )
    before = await command.json("schedule", "describe", id)
    assert (await command("schedule", "update", id, "--time-zone", "Asia/Tokyo")).stdout == f"schedule {id} updated\n"
    after = await command.json("schedule", "describe", id)
    assert after["spec"] == {**before["spec"], "time_zone_name": "Asia/Tokyo"}
    assert {key: after[key] for key in ("action", "policy", "state")} == {
        key: before[key] for key in ("action", "policy", "state")
    }
    await command(
        *("schedule", "update", id, "--interval", "2h", "--input", '"Rome"', "--memo", "b=2", "--unset", "jitter"),
        *("--unset", "run-timeout", "--type", "Other"),
    )
    changed = await command.json("schedule", "describe", id)
    assert changed["spec"]["calendars"] == []
    assert changed["spec"]["intervals"] == [{"every": 7200.0, "offset": None}]
    assert changed["spec"]["jitter"] is None
    assert changed["action"]["workflow"] == "Other"
    assert changed["action"]["input"] == ["Rome"]
    assert changed["action"]["memo"] == {"a": 1, "b": 2}
    assert changed["action"]["run_timeout"] is None
    assert changed["state"] == before["state"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "there is nothing to change: give options"),
        (("--unset", "jitter", "--jitter", "1m"), "--unset jitter contradicts the value that is given"),
        (("--unset", "input", "--input", "1"), "--unset input contradicts the value that is given"),
        (("--unset", "retry", "--retry-maximum-attempts", "1"), "--unset retry contradicts the value that is given"),
        (
            ("--unset", "search-attributes", "--search-attribute", "A=1"),
            "--unset search-attributes contradicts the value that is given",
        ),
    ],
)
async def test_updates_that_make_no_sense(command: Command, id: str, options: tuple[str, ...], said: str) -> None:
    assert await command.error("schedule", "update", id, *options, exit_code=2) == said


async def test_pause_trigger_backfill_and_delete(command: Command, client: Client, id: str) -> None:
    await command("schedule", "create", id, *STARTS, "--cron", "0 8 * * *")
    assert (await command("schedule", "pause", id, "--note", "why")).stdout == f"schedule {id} paused\n"
    assert "nothing while it is paused" in (await command("schedule", "describe", id)).stdout
    assert (await command("schedule", "trigger", id, "--overlap", "allow-all")).stdout == f"schedule {id} triggered\n"
    assert await command.json(
        *("schedule", "backfill", id, "--overlap", "allow-all"),
        *("--from", "2026-03-01T00:00:00Z", "--to", "2026-03-03T00:00:00Z"),
    ) == {"schedule_id": id, "backfilled": True}

    async def started() -> list[str]:
        info = (await command.json("schedule", "describe", id))["info"]
        ids = sorted(each["action"]["workflow_id"] for each in info["recent_actions"])
        return ids if len(ids) == 3 else []

    ids = await eventually(started, what="three workflows were started")
    assert ids[:2] == [f"{id}-2026-03-01T08:00:00Z", f"{id}-2026-03-02T08:00:00Z"]
    for each in ids:
        await client.get_workflow_handle(each).terminate()
    assert (await command("schedule", "unpause", id)).stdout == f"schedule {id} unpaused\n"
    assert (await command.json("schedule", "describe", id))["state"]["paused"] is False
    assert (await command("schedule", "delete", id)).stdout == f"schedule {id} deleted\n"


async def test_list(command: Command, id: str) -> None:
    await command("schedule", "create", id, *STARTS, "--interval", "1h", "--note", "every hour")

    async def listed() -> list[str]:
        lines = (await command("schedule", "list")).stdout.splitlines()
        assert lines[0].split() == ["ID", "STATUS", "WORKFLOW", "TIMES", "LAST", "NEXT", "NOTE"]
        return [line for line in lines if line.startswith(f"{id} ") and "every 1h" in line]

    [line] = await eventually(listed, what="the schedule is listed")
    assert line.split()[1:3] == ["active", "Report"]
    assert line.endswith("every hour")
    found = {each["schedule_id"]: each for each in await command.json("schedule", "list")}
    assert found[id]["spec"]["intervals"] == [{"every": 3600.0, "offset": None}]
    assert len(await command.json("schedule", "list", "--limit", "1")) == 1


@pytest.mark.parametrize(
    ("options", "exit_code", "message"),
    [
        (["--cron", "a b"], 1, "Invalid schedule spec: CronString does not have 5-7 fields"),
        (["--cron", "@daily", "--time-zone", "Nowhere"], 1, "unknown time zone Nowhere"),
        (["--input", "{a"], 2, "--input is no JSON: Expecting property name"),
        (["--memo", "a"], 2, "--memo takes NAME=JSON"),
        (["--start-time", "tomorrow"], 2, "'tomorrow' is no time: write 2027-01-31T09:00:00Z"),
        (
            ["--start-time", "2027-02-01", "--end-time", "2027-01-01", "--interval", "1h"],
            2,
            "nothing would ever happen",
        ),
        (["--interval", "1h/2h"], 2, "--interval takes an offset that is shorter than the interval, not '1h/2h'"),
        (["--interval", "soon"], 2, "--interval takes EVERY or EVERY/OFFSET: 'soon' is no duration"),
        (["--interval", "1.5s"], 2, "--interval takes whole seconds, at least one, not '1.5s'"),
        (["--calendar", "[]"], 2, "--calendar takes a JSON object"),
        (["--calendar", '{"hours": 3}'], 2, "--calendar has no field 'hours': there are second, minute, hour"),
        (["--calendar", '{"hour": 25}'], 2, "--calendar: hour goes from 0 to 23: 25 is beyond"),
        (["--calendar", '{"hour": "22-5"}'], 2, "hour goes backwards in '22-5': write two ranges"),
        (["--calendar", '{"dayOfWeek": "Foo"}'], 2, "--calendar: dayOfWeek takes numbers, not 'Foo'"),
        (["--calendar", '{"hour": "*/0"}'], 2, "has a step of 0"),
        (["--remaining-actions", "0"], 2, "remaining_actions is 0: nothing would ever happen"),
    ],
)
async def test_wrong_options(command: Command, id: str, options: list[str], exit_code: int, message: str) -> None:
    said = await command.error("schedule", "create", id, *STARTS, *options, exit_code=exit_code)
    assert message in said


async def test_errors(command: Command, id: str) -> None:
    said = await command.error("schedule", "create", id, "--type", "Report", exit_code=2)
    assert said == "--task-queue is missing: a schedule starts workflows of a type, on a task queue"
    missing = f"there is no schedule '{id}' in the namespace 'default'"
    for name in ("describe", "pause", "unpause", "trigger", "delete"):
        assert await command.error("schedule", name, id) == missing
    assert await command.error("schedule", "update", id, "--note", "why") == missing
    times = ("--from", "2026-03-02T00:00:00Z", "--to", "2026-03-03T00:00:00Z")
    assert await command.error("schedule", "backfill", id, *times) == missing
    said = await command.error("schedule", "backfill", id, "--from", "2026-03-02", "--to", "2026-03-01", exit_code=2)
    assert "is before --from" in said
    assert "invalid query" in await command.error("schedule", "list", "--query", "nonsense")
    await command("schedule", "create", id, *STARTS)
    said = await command.error("schedule", "create", id, *STARTS)
    assert said == f"there is a schedule '{id}' already: `invincible schedule update` changes it"
    said = await command.error("schedule", "describe", id, "--address", "127.0.0.1:1")
    assert said.startswith("cannot connect to 127.0.0.1:1")
