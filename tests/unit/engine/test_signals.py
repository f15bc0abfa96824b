"""Signals: handlers of all kinds, arguments, order, buffering, and what their failure does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from invincible import _native, workflow
from invincible.common import RawValue
from invincible.exceptions import ApplicationError
from tests.support.engine import Driver, completed, failed, kinds, payload, query, signal, update, value


@workflow.defn
class Counter:
    def __init__(self) -> None:
        self.total = 0

    @workflow.run
    async def run(self, goal: int) -> int:
        await workflow.wait_condition(lambda: self.total >= goal)
        return self.total

    @workflow.signal
    def add(self, amount: int) -> None:
        self.total += amount

    @workflow.signal(name="add-later")
    async def add_later(self, amount: int) -> None:
        await workflow.sleep(1)
        self.total += amount

    @workflow.signal
    async def fail(self) -> None:
        raise ApplicationError("signalled to fail")

    @workflow.signal
    def break_down(self) -> None:
        raise KeyError("bug")


@workflow.defn
class Logbook:
    """Notes the messages it gets; ends when told to."""

    def __init__(self) -> None:
        self.entries: list[Any] = []
        self.done = False

    @workflow.run
    async def run(self) -> list[Any]:
        self.entries.append("run")
        await workflow.wait_condition(lambda: self.done)
        return self.entries

    @workflow.signal
    def note(self, text: str) -> None:
        self.entries.append(text)

    @workflow.signal
    def finish(self) -> None:
        self.done = True

    @workflow.signal(dynamic=True)
    def other(self, name: str, args: list[RawValue]) -> None:
        self.entries.append([name, [value(each.payload) for each in args]])


def test_signals_change_state_and_wake_conditions() -> None:
    driver = Driver(Counter, 5)
    assert driver.start() == []
    assert driver.activate(signal("add", 2)) == []
    (timer,) = driver.activate(signal("add-later", 3))
    assert isinstance(timer, _native.StartTimer)
    assert completed(driver.activate(_native.FireTimer(seq=1))) == 5


def test_signals_that_come_with_the_start_are_handled_before_the_workflow_runs() -> None:
    assert completed(Driver(Logbook).start(signal("note", "early"), signal("finish"))) == ["early", "run"]


def test_signals_are_handled_in_the_order_of_their_arrival() -> None:
    driver = Driver(Logbook)
    driver.start()
    ended = driver.activate(signal("note", "1"), signal("note", "2"), signal("note", "3"), signal("finish"))
    assert completed(ended) == ["run", "1", "2", "3"]


def test_the_dynamic_handler_gets_name_and_raw_arguments_of_all_others() -> None:
    driver = Driver(Logbook)
    driver.start()
    driver.activate(signal("unheard", 1, "two"))
    assert completed(driver.activate(signal("finish"))) == ["run", ["unheard", [1, "two"]]]


def test_an_async_handler_runs_beside_the_workflow() -> None:
    driver = Driver(Counter, 5)
    driver.start()
    assert kinds(driver.activate(signal("add-later", 1), signal("add-later", 4))) == [_native.StartTimer] * 2
    assert driver.activate(_native.FireTimer(seq=2)) == []
    assert completed(driver.activate(_native.FireTimer(seq=1))) == 5


def test_signals_without_a_handler_do_no_harm() -> None:
    driver = Driver(Counter, 1)
    driver.start()
    assert driver.activate(signal("unknown", 1)) == []
    assert completed(driver.activate(signal("add", 1))) == 1


def test_missing_arguments_keep_the_defaults_of_the_handler() -> None:
    @workflow.defn
    class Defaults:
        def __init__(self) -> None:
            self.given: list[Any] = []

        @workflow.run
        async def run(self) -> list[Any]:
            await workflow.wait_condition(lambda: bool(self.given))
            return self.given

        @workflow.signal
        def give(self, first: int, second: str = "default", *, third: bool = True) -> None:
            self.given = [first, second, third]

    assert completed(Driver(Defaults).start(signal("give", 1))) == [1, "default", True]
    assert completed(Driver(Defaults).start(signal("give", 1, "two", False))) == [1, "two", False]


@pytest.mark.parametrize(
    ("job", "match"),
    [
        (signal("add"), r"signal 'add' takes \(amount: int\), but 0 arguments arrived, 'amount' is missing"),
        (signal("add", 1, 2), r"signal 'add' takes \(amount: int\), but 2 arguments arrived"),
    ],
)
def test_a_wrong_number_of_arguments_names_handler_and_parameter(job: Any, match: str) -> None:
    driver = Driver(Counter, 1)
    driver.start()
    with pytest.raises(TypeError, match=match):
        driver.activate(job)


def test_a_signal_that_cannot_be_read_is_dropped_and_logged_but_not_on_replay(caplog: pytest.LogCaptureFixture) -> None:
    driver = Driver(Counter, 1)
    driver.start()
    assert driver.activate(signal("add", "many"), is_replaying=True) == []
    assert caplog.records == []
    assert driver.activate(signal("add", "many")) == []
    (record,) = caplog.records
    assert "signal 'add' of workflow Counter 'engine-test' is dropped" in record.getMessage()
    assert record.exc_info is not None
    assert "amount" in str(record.exc_info[1])
    assert completed(driver.activate(signal("add", 1))) == 1


def test_a_failure_in_a_handler_fails_the_workflow() -> None:
    driver = Driver(Counter, 1)
    driver.start()
    assert failed(driver.activate(signal("fail"))).message == "signalled to fail"


def test_a_bug_in_a_handler_fails_the_task() -> None:
    driver = Driver(Counter, 1)
    driver.start()
    with pytest.raises(KeyError, match="bug"):
        driver.activate(signal("break_down"))


# Handlers set at run time


@workflow.defn
class Changing:
    def __init__(self) -> None:
        self.got: list[Any] = []

    @workflow.run
    async def run(self) -> list[Any]:
        await workflow.sleep(1)
        workflow.set_signal_handler("late", self.got.append)
        await workflow.sleep(1)
        workflow.set_dynamic_signal_handler(self.anything)
        await workflow.sleep(1)
        workflow.set_dynamic_signal_handler(None)
        workflow.set_signal_handler("late", None)
        await workflow.sleep(1)
        return self.got

    def anything(self, name: str, args: Any) -> None:
        self.got.append(f"dynamic {name}")

    @workflow.signal
    def own(self, word: str) -> None:
        self.got.append(word)


def test_signals_wait_until_there_is_a_handler() -> None:
    driver = Driver(Changing)
    driver.start(signal("late", "first"), signal("other"), signal("own", "at once"))
    driver.activate(signal("late", "second"))
    driver.activate(_native.FireTimer(seq=1))
    driver.activate(signal("late", "third"))
    driver.activate(_native.FireTimer(seq=2))
    driver.activate(signal("another"))
    driver.activate(_native.FireTimer(seq=3))
    driver.activate(signal("late", "never"), signal("another"))
    assert completed(driver.activate(_native.FireTimer(seq=4))) == [
        "at once",
        "first",
        "second",
        "third",
        "dynamic other",
        "dynamic another",
    ]


def test_handlers_can_be_read_and_replaced() -> None:
    @workflow.defn
    class Reading(Changing):
        @workflow.run
        async def run(self) -> list[Any]:
            own = workflow.get_signal_handler("own")
            assert own is not None
            own("called")
            assert workflow.get_signal_handler("late") is None
            assert workflow.get_dynamic_signal_handler() is None
            workflow.set_signal_handler("late", self.got.append)
            workflow.set_dynamic_signal_handler(self.anything)
            assert workflow.get_signal_handler("late") == self.got.append
            assert workflow.get_dynamic_signal_handler() == self.anything
            workflow.set_signal_handler("own", lambda word: self.got.append(word * 2))
            await workflow.sleep(1)
            workflow.set_signal_handler("own", None)
            assert workflow.get_signal_handler("own") is None
            return self.got

    driver = Driver(Reading)
    driver.start()
    driver.activate(signal("own", "ha"))
    assert completed(driver.activate(_native.FireTimer(seq=1))) == ["called", "haha"]


def test_the_own_dynamic_handler_is_given_bound() -> None:
    @workflow.defn
    class Bound(Logbook):
        @workflow.run
        async def run(self) -> list[Any]:
            dynamic = workflow.get_dynamic_signal_handler()
            assert dynamic is not None
            dynamic("by hand", [RawValue(payload(1))])
            return self.entries

    assert completed(Driver(Bound).start()) == [["by hand", [1]]]


def test_handlers_may_wait_for_each_other() -> None:
    @workflow.defn
    class Locked:
        def __init__(self) -> None:
            self.lock = asyncio.Lock()
            self.steps: list[str] = []

        @workflow.run
        async def run(self) -> list[str]:
            await workflow.wait_condition(lambda: len(self.steps) == 4)
            return self.steps

        @workflow.signal
        async def enter(self, name: str) -> None:
            async with self.lock:
                self.steps.append(f"{name} in")
                await workflow.sleep(1)
                self.steps.append(f"{name} out")

    driver = Driver(Locked)
    driver.start()
    driver.activate(signal("enter", "a"), signal("enter", "b"))
    driver.activate(_native.FireTimer(seq=1))
    assert completed(driver.activate(_native.FireTimer(seq=2))) == ["a in", "a out", "b in", "b out"]


# The end of the workflow


@workflow.defn
class Leaving:
    def __init__(self) -> None:
        self.leave = False

    @workflow.run
    async def run(self) -> bool:
        await workflow.wait_condition(lambda: self.leave)
        return workflow.all_handlers_finished()

    @workflow.signal
    async def linger(self) -> None:
        await workflow.sleep(60)

    @workflow.signal(unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
    async def loiter(self) -> None:
        await workflow.sleep(60)

    @workflow.signal
    def go(self) -> None:
        self.leave = True

    @workflow.signal(dynamic=True)
    async def dynamic(self, name: str, args: Any) -> None:
        await workflow.sleep(60)


def test_a_handler_that_the_end_cuts_off_is_warned_of() -> None:
    driver = Driver(Leaving)
    driver.start()
    driver.activate(signal("linger"), signal("unheard"), signal("loiter"))
    with pytest.warns(
        workflow.UnfinishedSignalHandlersWarning,
        match=r"workflow Leaving 'engine-test' ended while signal handlers still ran: .*linger.*unheard.*; .*its work "
        r"is lost.*wait_condition\(workflow.all_handlers_finished\).*@workflow.signal\(unfinished_policy=",
    ) as warned:
        assert completed(driver.activate(signal("go"))) is False
    assert "loiter" not in str(warned[0].message)


def test_a_handler_that_ends_in_the_same_task_is_not_warned_of() -> None:
    @workflow.defn
    class Ending:
        def __init__(self) -> None:
            self.over = False

        @workflow.run
        async def run(self) -> str:
            await workflow.wait_condition(lambda: self.over)
            return "over"

        @workflow.signal
        async def end(self) -> None:
            self.over = True
            for _ in range(5):
                await asyncio.sleep(0)

        @workflow.signal
        async def fail(self) -> None:
            raise ApplicationError("failed")

    driver = Driver(Ending)
    driver.start()
    assert completed(driver.activate(signal("end"))) == "over"
    driver = Driver(Ending)
    driver.start()
    assert failed(driver.activate(signal("fail"))).message == "failed"


def test_a_handler_that_may_be_abandoned_is_not_warned_of() -> None:
    driver = Driver(Leaving)
    driver.start()
    driver.activate(signal("loiter"))
    assert completed(driver.activate(signal("go"))) is False


def test_nothing_is_said_when_all_have_finished_or_on_replay() -> None:
    driver = Driver(Leaving)
    driver.start()
    driver.activate(signal("linger"))
    driver.activate(_native.FireTimer(seq=1))
    assert completed(driver.activate(signal("go"))) is True
    driver = Driver(Leaving)
    driver.start(is_replaying=True)
    driver.activate(signal("linger"), is_replaying=True)
    assert completed(driver.activate(signal("go"), is_replaying=True)) is False


@pytest.mark.parametrize("job", [query("set"), update("check")])
def test_queries_and_validators_may_set_no_handlers(job: Any) -> None:
    @workflow.defn
    class Meddler(Leaving):
        @workflow.run
        async def run(self) -> bool:
            return await super().run()

        @workflow.query
        def set(self) -> None:
            workflow.set_signal_handler("linger", None)

        @workflow.update
        def check(self) -> None: ...

        @check.validator
        def validate(self) -> None:
            workflow.set_dynamic_signal_handler(None)

    driver = Driver(Meddler)
    driver.start()
    (answer,) = driver.activate(job)
    assert "setting a signal handler is not possible in a query or validator" in answer.failure.message
