"""Signals: handlers of the class, dynamic ones and those set at run time."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Sequence

import pytest

from invincible import workflow
from invincible.client import WorkflowFailureError
from invincible.common import RawValue
from invincible.exceptions import ApplicationError
from tests.support.features import Feature, attributes, recorded, rested


@workflow.defn
class Listening:
    @workflow.init
    def __init__(self, count: int) -> None:
        self.count = count
        self.heard: list[str] = []

    @workflow.signal
    def plain(self, text: str) -> None:
        self.heard.append(f"plain {text}")

    @workflow.signal(name="renamed")
    async def waiting(self, text: str, number: int = 7) -> None:
        await recorded(text)
        self.heard.append(f"waiting {text} {number}")

    @workflow.signal(dynamic=True)
    async def anything(self, name: str, arguments: Sequence[RawValue]) -> None:
        values = [workflow.payload_converter().from_payload(each.payload) for each in arguments]
        self.heard.append(f"dynamic {name} {values}")

    @workflow.run
    async def run(self, count: int) -> list[str]:
        # What came before the first task is handled before its first step.
        before = len(self.heard)
        await recorded(before)
        await rested()
        await workflow.wait_condition(lambda: len(self.heard) == self.count and workflow.all_handlers_finished())
        return [f"{before} before", *self.heard]


async def test_signals_are_handled_by_their_names(feature: Feature) -> None:
    handle = await feature.start(Listening.run, 5, start_signal="plain", start_signal_args=["with the start"])
    await handle.signal(Listening.plain, "before the first task")
    async with feature.worker([Listening]):
        await feature.resting(handle)
        await handle.signal("plain", "by name")
        await handle.signal(Listening.waiting, "some time")
        await handle.signal("unknown", args=[1, {"two": 3}])
        heard = await handle.result()
    assert heard[:4] == ["2 before", "plain with the start", "plain before the first task", "plain by name"]
    assert sorted(heard[4:]) == ["dynamic unknown [1, {'two': 3}]", "waiting some time 7"]
    signals = attributes(await feature.events(handle), "workflow_execution_signaled")
    assert [each.signal_name for each in signals] == ["plain", "plain", "plain", "renamed", "unknown"]


@workflow.defn
class AtRunTime:
    @workflow.run
    async def run(self) -> list[str]:
        heard: list[str] = []

        def hear(text: str) -> None:
            heard.append(f"{text}")

        async def hear_any(name: str, arguments: Sequence[RawValue]) -> None:
            heard.append(f"{name} of {len(arguments)}")
            await recorded(name)

        assert workflow.get_signal_handler("late") is None
        await rested()
        assert not heard
        workflow.set_signal_handler("late", hear)
        assert workflow.get_signal_handler("late") is hear
        await workflow.wait_condition(lambda: len(heard) == 2)
        await rested()
        workflow.set_dynamic_signal_handler(hear_any)
        assert workflow.get_dynamic_signal_handler() is hear_any
        await workflow.wait_condition(lambda: len(heard) == 3)
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.set_signal_handler("late", None)
        assert workflow.get_signal_handler("late") is None
        return heard


async def test_signals_wait_for_handlers_set_at_run_time(feature: Feature) -> None:
    async with feature.worker([AtRunTime]):
        handle = await feature.start(AtRunTime.run)
        await handle.signal("late", "one")
        await handle.signal("other", args=["x", "y"])
        await handle.signal("late", "two")
        assert await handle.result() == ["one", "two", "other of 2"]


@workflow.defn
class Failing:
    @workflow.signal
    async def fail(self) -> None:
        await rested()
        raise ApplicationError("by its handler", type="Sorry")

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)


async def test_a_failure_in_a_signal_handler_fails_the_workflow(feature: Feature) -> None:
    async with feature.worker([Failing]):
        handle = await feature.start(Failing.run)
        await handle.signal(Failing.fail)
        with pytest.raises(WorkflowFailureError) as failure:
            await handle.result()
    error = failure.value.cause
    assert isinstance(error, ApplicationError)
    assert (error.message, error.type) == ("by its handler", "Sorry")


@workflow.defn
class Unfinished:
    def __init__(self) -> None:
        self.begun = 0

    @workflow.signal
    async def missed(self) -> None:
        self.begun += 1
        await workflow.wait_condition(lambda: False)

    @workflow.signal(unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
    async def abandoned(self) -> None:
        self.begun += 1
        await workflow.wait_condition(lambda: False)

    @workflow.run
    async def run(self) -> bool:
        await workflow.wait_condition(lambda: self.begun == 2)
        await rested()
        return workflow.all_handlers_finished()


async def test_unfinished_handlers_are_warned_of_unless_abandoned(feature: Feature) -> None:
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        async with feature.worker([Unfinished]):
            handle = await feature.start(Unfinished.run)
            await handle.signal(Unfinished.missed)
            await handle.signal(Unfinished.abandoned)
            assert await handle.result() is False
    (warning,) = [each for each in warned if each.category is workflow.UnfinishedSignalHandlersWarning]
    assert "missed" in str(warning.message)
    assert "abandoned" not in str(warning.message)


@workflow.defn
class Ordered:
    def __init__(self) -> None:
        self.order: list[str] = []
        self.lock = asyncio.Lock()

    @workflow.signal
    async def step(self, number: int) -> None:
        self.order.append(f"{number} begins")
        async with self.lock:
            await workflow.sleep(0.01 / number)
            self.order.append(f"{number} ends")

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.wait_condition(lambda: len(self.order) >= 3)
        await rested()
        await workflow.wait_condition(workflow.all_handlers_finished)
        await recorded(self.order)
        return self.order


async def test_handlers_begin_in_the_order_of_the_signals(feature: Feature) -> None:
    handle = await feature.start(Ordered.run)
    for number in (1, 2, 3):
        await handle.signal(Ordered.step, number)
    async with feature.worker([Ordered]):
        order = await handle.result()
    assert order == ["1 begins", "2 begins", "3 begins", "1 ends", "2 ends", "3 ends"]
