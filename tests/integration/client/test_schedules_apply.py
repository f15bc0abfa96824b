"""Schedules kept in code: ``Client.apply_schedule`` on the real server."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from invincible._native import Payload
from invincible.client import (
    AppliedSchedule,
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
)
from invincible.common import RetryPolicy
from invincible.converter import PayloadCodec
from invincible.service import RPCError, RPCStatusCode

UNCHANGED = AppliedSchedule(created=False, changes=())


def nightly(task_queue: str, *args: Any, **options: Any) -> Schedule:
    """As code has it: cron, defaults, values."""
    return Schedule(
        action=ScheduleActionStartWorkflow(
            "report",
            args=args or ["Berlin", {"pages": 3}],
            id="report",
            task_queue=task_queue,
            memo={"by": "code"},
            static_summary="the report",
            retry_policy=RetryPolicy(maximum_attempts=3),
            **options,
        ),
        spec=ScheduleSpec(cron_expressions=["0 3 * * MON-FRI"], time_zone_name="Europe/Berlin"),
        state=ScheduleState(note="from code"),
    )


async def test_the_first_time_creates_and_others_change_nothing(client: Client, task_queue: str) -> None:
    assert await client.apply_schedule(task_queue, nightly(task_queue)) == AppliedSchedule(created=True, changes=())
    assert await client.apply_schedule(task_queue, nightly(task_queue)) == UNCHANGED
    assert await client.apply_schedule(task_queue, nightly(task_queue)) == UNCHANGED
    described = await client.get_schedule_handle(task_queue).describe()
    assert described.schedule.state.note == "from code"


async def test_it_tells_what_changed(client: Client, task_queue: str) -> None:
    schedule = nightly(task_queue)
    await client.apply_schedule(task_queue, schedule)

    async def changes(**fields: Any) -> Sequence[str]:
        nonlocal schedule
        schedule = dataclasses.replace(schedule, **fields)
        applied = await client.apply_schedule(task_queue, schedule)
        assert not applied.created
        assert await client.apply_schedule(task_queue, schedule) == UNCHANGED
        return applied.changes

    assert await changes(spec=ScheduleSpec(cron_expressions=["0 4 * * MON-FRI"])) == ("spec",)
    assert await changes(policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.ALLOW_ALL)) == ("policy",)
    assert await changes(action=nightly(task_queue, "Paris").action) == ("action",)
    assert await changes(action=nightly(task_queue, "Paris", run_timeout=timedelta(hours=1)).action) == ("action",)
    everything = {"spec": ScheduleSpec(), "policy": SchedulePolicy(), "action": nightly(task_queue).action}
    assert await changes(**everything) == ("action", "spec", "policy")


async def test_the_state_of_a_schedule_that_is_there_stays(client: Client, task_queue: str) -> None:
    await client.apply_schedule(task_queue, nightly(task_queue))
    handle = client.get_schedule_handle(task_queue)
    await handle.pause(note="not now")
    changed = dataclasses.replace(nightly(task_queue), spec=ScheduleSpec())
    assert (await client.apply_schedule(task_queue, changed)).changes == ("spec",)
    assert (await handle.describe()).schedule.state == ScheduleState(note="not now", paused=True)


class Wrapping(PayloadCodec):
    """Puts payloads into others, each time another one; knows only its own."""

    def __init__(self, key: bytes) -> None:
        self.key = key
        self.count = 0

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        self.count += 1
        metadata = {"encoding": b"wrapped", "key": self.key, "number": str(self.count).encode()}
        return [Payload(metadata, each.SerializeToString()) for each in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        if any(each.metadata["key"] != self.key for each in payloads):
            raise RuntimeError("unknown key")
        return [Payload.FromString(each.data) for each in payloads]


async def test_values_that_a_codec_encodes_anew_are_no_change(client: Client, task_queue: str) -> None:
    def coded(key: bytes) -> Client:
        converter = dataclasses.replace(client.data_converter, payload_codec=Wrapping(key))
        return Client(client.service_client, data_converter=converter)

    first, second = coded(b"first"), coded(b"second")
    await first.apply_schedule(task_queue, nightly(task_queue))
    assert await first.apply_schedule(task_queue, nightly(task_queue)) == UNCHANGED
    assert (await first.apply_schedule(task_queue, nightly(task_queue, "Paris"))).changes == ("action",)
    assert (await second.apply_schedule(task_queue, nightly(task_queue, "Paris"))).changes == ("action",)
    assert await second.apply_schedule(task_queue, nightly(task_queue, "Paris")) == UNCHANGED


async def test_a_schedule_that_makes_no_sense_is_refused_whether_it_is_there_or_not(
    client: Client, task_queue: str
) -> None:
    wrong = dataclasses.replace(
        nightly(task_queue), spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(0))])
    )
    refused = dataclasses.replace(nightly(task_queue), spec=ScheduleSpec(cron_expressions=["often"]))

    async def refuse() -> None:
        with pytest.raises(ValueError, match=r"intervals\[0\]\.every must be at least a second"):
            await client.apply_schedule(task_queue, wrong)
        with pytest.raises(RPCError) as caught:
            await client.apply_schedule(task_queue, refused)
        assert caught.value.status is RPCStatusCode.INVALID_ARGUMENT

    await refuse()
    await client.apply_schedule(task_queue, nightly(task_queue))
    await refuse()
    assert await client.apply_schedule(task_queue, nightly(task_queue)) == UNCHANGED
