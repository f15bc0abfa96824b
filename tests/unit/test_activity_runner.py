"""Activities and those who cancel them, where neither waits for the other."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from invincible import activity
from invincible._native import ActivityCancel, ActivityStart, Payload
from invincible.activity._context import Event
from invincible.converter import DataConverter
from invincible.worker import _activities
from invincible.worker._activities import ActivityRunner, registered_activities

LIMIT = 20.0


class Native:
    """Takes the completions of activities."""

    def __init__(self) -> None:
        self.results: list[Any] = []

    def complete_activity(self, token: bytes, payload: Payload) -> None:
        self.results.append(DataConverter.default.payload_converter.from_payload(payload))


@activity.defn(no_thread_cancel_exception=True)
def is_cancelled() -> bool:
    return activity.is_cancelled()


def runner(native: Any) -> ActivityRunner:
    meter: Any = None
    return ActivityRunner(
        native,
        registered_activities([is_cancelled]),
        namespace="default",
        task_queue="activities",
        data_converter=DataConverter.default,
        metric_meter=meter,
    )


def start(token: bytes) -> ActivityStart:
    return ActivityStart(task_token=token, activity_id="1", activity_type="is_cancelled")


async def test_a_cancellation_may_come_before_a_thread_has_taken_the_activity() -> None:
    native = Native()
    activities = runner(native)
    activities.on_task(ActivityCancel(task_token=b"cancelled", worker_shutdown=True))
    await asyncio.to_thread(activities.run_on_this_thread, start(b"another"))
    await asyncio.to_thread(activities.run_on_this_thread, start(b"cancelled"))
    await asyncio.to_thread(activities.run_on_this_thread, start(b"cancelled"))
    assert native.results == [False, True, False]


async def test_a_cancellation_of_what_has_ended_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_activities, "_EARLY_CANCEL_KEPT", 0.0)
    native = Native()
    activities = runner(native)
    activities.on_task(ActivityCancel(task_token=b"ended", cancel_requested=True))
    forgotten = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.001, forgotten.set_result, None)
    await forgotten
    await asyncio.to_thread(activities.run_on_this_thread, start(b"ended"))
    assert native.results == [False]


async def test_an_event_is_set_although_somebody_who_waited_has_closed_his_loop() -> None:
    event = Event()
    loop = asyncio.new_event_loop()
    waits = loop.create_task(event.wait())
    loop.call_soon(loop.stop)
    await asyncio.to_thread(loop.run_forever)
    loop.close()
    others = asyncio.create_task(event.wait())
    await asyncio.sleep(0)
    called: list[str] = []
    event.when_set(lambda: called.append("called"))
    event.set()
    await asyncio.wait_for(others, LIMIT)
    assert called == ["called"]
    assert not waits.done()
    waits._log_destroy_pending = False  # type: ignore[attr-defined]


async def test_an_event_keeps_nothing_of_those_who_have_given_up() -> None:
    event = Event()
    for _ in range(3):
        waits = asyncio.create_task(event.wait())
        await asyncio.sleep(0)
        waits.cancel()
        await asyncio.wait([waits])
    assert event._callbacks == []
