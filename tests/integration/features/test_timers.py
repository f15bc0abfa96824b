"""Timers and conditions."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from invincible import workflow
from tests.support.features import MINUTE, Feature, attributes, data, of_kind, recorded, rested, summary


@workflow.defn
class Timers:
    @workflow.run
    async def run(self) -> list[str]:
        order: list[str] = []

        async def sleeping(name: str, seconds: float) -> None:
            await workflow.sleep(seconds, summary=f"the *{name}* one")
            order.append(name)

        await asyncio.gather(sleeping("later", 0.2), sleeping("earlier", 0.01), rested())
        await workflow.sleep(timedelta(milliseconds=1))
        assert workflow.now() - workflow.info().start_time >= timedelta(seconds=0.2)
        return order


async def test_timers_fire_in_the_order_of_their_times_and_are_summarised(feature: Feature) -> None:
    async with feature.worker([Timers]):
        handle = await feature.start(Timers.run)
        assert await handle.result() == ["earlier", "later"]
    events = await feature.events(handle)
    started = of_kind(events, "timer_started")
    assert [summary(event) for event in started] == ["the *later* one", "the *earlier* one", None]
    durations = [each.start_to_fire_timeout.ToMilliseconds() for each in attributes(events, "timer_started")]
    assert durations == [200, 10, 1]
    assert len(of_kind(events, "timer_fired")) == 3


@workflow.defn
class Cancelled:
    @workflow.run
    async def run(self) -> list[str]:
        long = asyncio.create_task(workflow.sleep(MINUTE, summary="cancelled"))
        loop = asyncio.get_running_loop()
        called = loop.create_future()
        never = loop.call_later(60, called.set_result, "never")
        loop.call_at(loop.time() + 0.01, called.set_result, "at")
        await rested()
        never.cancel()
        long.cancel()
        try:
            await long
        except asyncio.CancelledError:
            return ["cancelled", await called]
        return ["slept"]


async def test_a_cancelled_timer_is_taken_back(feature: Feature) -> None:
    async with feature.worker([Cancelled]):
        handle = await feature.start(Cancelled.run)
        assert await handle.result() == ["cancelled", "at"]
    events = await feature.events(handle)
    by_duration = {
        each.start_to_fire_timeout.ToMilliseconds(): each.timer_id for each in attributes(events, "timer_started")
    }
    assert len(attributes(events, "timer_started")) == 3
    assert [each.timer_id for each in attributes(events, "timer_fired")] == [by_duration[10]]
    cancelled = {each.timer_id for each in attributes(events, "timer_canceled")}
    assert cancelled == {each.timer_id for each in attributes(events, "timer_started")} - {by_duration[10]}


@workflow.defn
class Conditions:
    def __init__(self) -> None:
        self.count = 0

    @workflow.signal
    def add(self, number: int) -> None:
        self.count += number

    @workflow.run
    async def run(self) -> list[str]:
        order: list[str] = []

        async def waiting(least: int) -> None:
            await workflow.wait_condition(lambda: self.count >= least)
            order.append(f"{least} of {self.count}")

        tasks = [asyncio.create_task(waiting(least)) for least in (2, 1, 3)]
        await rested()
        await asyncio.gather(*tasks)
        try:
            await workflow.wait_condition(lambda: self.count > 3, timeout=0.01, timeout_summary="more than 3")
        except asyncio.TimeoutError:
            order.append("timed out")
        # A condition that holds at once needs no timer to end its wait.
        await workflow.wait_condition(lambda: self.count == 3, timeout=MINUTE, timeout_summary="at once")
        return order


async def test_conditions_are_met_by_signals_or_time_out(feature: Feature) -> None:
    async with feature.worker([Conditions]):
        handle = await feature.start(Conditions.run)
        await handle.signal(Conditions.add, 1)
        await handle.signal(Conditions.add, 2)
        result = await handle.result()
    assert sorted(result[:3]) in (["1 of 1", "2 of 3", "3 of 3"], ["1 of 3", "2 of 3", "3 of 3"])
    assert result[3:] == ["timed out"]
    started = of_kind(await feature.events(handle), "timer_started")
    assert "more than 3" in [summary(event) for event in started]


@workflow.defn
class Clock:
    @workflow.run
    async def run(self) -> None:
        for _ in range(2):
            assert abs(workflow.now().timestamp() - workflow.time()) < 1e-5
            assert workflow.now().tzinfo is not None
            await recorded([workflow.now().isoformat(), workflow.time(), str(workflow.time_ns())])
            await recorded(asyncio.get_running_loop().time())
            await rested()


async def test_time_stands_still_within_a_task_and_is_the_same_on_replay(feature: Feature) -> None:
    async with feature.worker([Clock]):
        handle = await feature.start(Clock.run)
        await handle.result()
    events = await feature.events(handle)
    (first, *_) = of_kind(events, "workflow_task_started")
    (said, *_) = attributes(events, "activity_task_scheduled")
    assert f'"{first.event_time.ToNanoseconds()}"'.encode() in data(said.input.payloads[0])
