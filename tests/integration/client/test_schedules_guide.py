"""The guide to schedules, executed."""

from __future__ import annotations

from typing import Any

import pytest

from invincible.client import AppliedSchedule, Client
from invincible.service import RPCError, RPCStatusCode
from tests.support.guides import blocks, follow


async def test_the_guide_does_what_it_says(client: Client, address: str, capsys: pytest.CaptureFixture[str]) -> None:
    names = await follow("schedules.md", address)
    assert (names["city"], names["pages"]) == ("Berlin", 10)
    assert names["applied"] == AppliedSchedule(created=False, changes=("action", "spec", "policy"))
    assert "False ('action', 'spec', 'policy')\n" in capsys.readouterr().out
    with pytest.raises(RPCError) as caught:
        await names["handle"].describe()
    assert caught.value.status is RPCStatusCode.NOT_FOUND


async def test_the_specs_of_the_guide_are_understood(client: Client, task_queue: str) -> None:
    imports, when = blocks("schedules.md")[:2]
    names: dict[str, Any] = {}
    exec(imports.partition("@workflow.defn")[0] + when, names)
    action = names["ScheduleActionStartWorkflow"]("any", id="any", task_queue=task_queue)
    handle = await client.create_schedule(task_queue, names["Schedule"](action=action, spec=names["spec"]))
    described = await handle.describe()
    comments = [calendar.comment for calendar in described.schedule.spec.calendars]
    assert comments[:2] == ["working hours", "every 20 minutes at night"]
    assert len(comments) == 4
    # The first of January is left out.
    times = described.info.next_action_times
    assert times[0].astimezone(names["timezone"].utc).strftime("%Y-%m-%d %H") == "2027-01-01 23"
    await handle.delete()
