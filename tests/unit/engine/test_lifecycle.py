"""A run in the cache: the stages of an activation, and what happens when it leaves."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import sys
import weakref
from typing import Any

import pytest

from invincible import _native, workflow
from tests.support.engine import Driver, activity_done, completed, greet, kinds, query, signal, update, value

SEEN: list[Any] = []


@pytest.fixture(autouse=True)
def _nothing_seen() -> None:
    SEEN.clear()


# Stages of an activation


@workflow.defn
class Staged:
    """Notes in which order things happen."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        self.steps.append(f"run patched={workflow.patched('change')}")
        await asyncio.gather(self.sleep(), self.act())
        return self.steps

    async def sleep(self) -> None:
        await workflow.sleep(1)
        self.steps.append("timer")

    async def act(self) -> None:
        await greet.execute("Ada")
        self.steps.append("activity")

    @workflow.signal
    def signalled(self) -> None:
        self.steps.append("signal")

    @workflow.update
    def updated(self) -> None:
        self.steps.append("update")

    @workflow.query
    def asked(self) -> list[str]:
        return self.steps


def test_patches_come_before_messages_before_the_rest_before_queries() -> None:
    driver = Driver(Staged)
    jobs = (query("asked"), update("updated"), signal("signalled"), _native.NotifyHasPatch(patch_id="change"))
    *_, answer = driver.start(*jobs, is_replaying=True)
    assert value(answer.result) == ["update", "signal", "run patched=True"]
    driver.activate(_native.FireTimer(seq=1), signal("signalled"), activity_done("done"))
    assert driver.run.instance.steps[3:] == ["signal", "timer", "activity"]


def test_commands_are_handed_over_once() -> None:
    driver = Driver(Staged)
    assert len(driver.start()) == 3
    assert driver.activate(signal("signalled")) == []


def test_an_activation_leaves_no_running_loop_behind() -> None:
    driver = Driver(Staged)
    driver.start()
    with pytest.raises(RuntimeError, match="no running event loop"):
        asyncio.get_running_loop()
    driver.evict()
    with pytest.raises(RuntimeError, match="no running event loop"):
        asyncio.get_running_loop()


def test_two_runs_have_their_own_state() -> None:
    first, second = Driver(Staged), Driver(Staged)
    first.start()
    second.start()
    first.activate(signal("signalled"))
    assert value(second.query("asked").result) == ["run patched=True"]
    assert value(first.query("asked").result) == ["run patched=True", "signal"]


# Leaving the cache


def test_finally_blocks_run_and_ask_for_nothing() -> None:
    @workflow.defn
    async def held() -> None:
        try:
            await workflow.sleep(60)
        finally:
            SEEN.append("closed")
            greet.start("nobody")
            SEEN.append("never")

    driver = Driver(held)
    driver.start()
    driver.evict()
    assert SEEN == ["closed"]
    assert driver.run._commands == []


FORBIDDEN: dict[str, Any] = {
    "activity": lambda: greet.start("Ada"),
    "local activity": lambda: greet.start_local("Ada"),
    "timer": lambda: workflow.sleep(1).send(None),
    "condition": lambda: workflow.wait_condition(lambda: False).send(None),
    "child": lambda: workflow.start_child_workflow("Child").send(None),
    "signal": lambda: workflow.get_external_workflow_handle("other").signal("poke").send(None),
    "memo": lambda: workflow.upsert_memo({"key": 1}),
    "patch": lambda: workflow.patched("change"),
    "continue as new": lambda: workflow.continue_as_new(),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_nothing_can_be_asked_for_any_more(what: str) -> None:
    @workflow.defn
    async def held() -> None:
        try:
            await workflow.sleep(60)
        finally:
            try:
                FORBIDDEN[what]()
            except Exception:
                SEEN.append("an ordinary exception")
            except BaseException:
                SEEN.append("refused")
                raise

    driver = Driver(held)
    driver.start()
    driver.evict()
    assert SEEN == ["refused"]
    assert driver.run._commands == []


WAITS: dict[str, Any] = {
    "sleep": lambda: workflow.sleep(60),
    "sleep in a group": lambda: workflow.sleep(60, event_groups=[workflow.create_event_group("group")]),
    "asyncio.sleep": lambda: asyncio.sleep(60),
    "condition": lambda: workflow.wait_condition(lambda: False),
    "condition with a timeout": lambda: workflow.wait_condition(lambda: False, timeout=60),
    "wait_for": lambda: asyncio.wait_for(asyncio.Event().wait(), 60),
    "activity": lambda: greet.execute("Ada"),
    "local activity": lambda: greet.execute_local("Ada"),
    "child": lambda: workflow.execute_child_workflow("Child"),
    "external signal": lambda: workflow.get_external_workflow_handle("other").signal("poke"),
    "external cancellation": lambda: workflow.get_external_workflow_handle("other").cancel(),
    "nexus": lambda: workflow.create_nexus_client(service="s", endpoint="e").execute_operation("o", None),
    "gather": lambda: asyncio.gather(greet.execute("Ada"), workflow.sleep(60)),
    "shield": lambda: asyncio.shield(greet.execute("Ada")),
    "event": lambda: asyncio.Event().wait(),
    "queue": lambda: asyncio.Queue[int]().get(),
}


@pytest.mark.parametrize("what", WAITS)
def test_whatever_the_code_waits_for_it_sees_no_exception_but_its_end(what: str) -> None:
    @workflow.defn
    async def held() -> None:
        try:
            await WAITS[what]()
        except BaseException as error:
            SEEN.append(type(error))
            raise

    driver = Driver(held)
    driver.start()
    driver.evict()
    (ending,) = SEEN
    assert not issubclass(ending, (Exception, asyncio.CancelledError))
    assert driver.run._commands == []


if sys.version_info >= (3, 11):  # before, tasks take no context that code could be closed in

    def test_context_variables_can_be_set_back_while_code_is_closed() -> None:
        variable = contextvars.ContextVar("variable", default="outside")

        @workflow.defn
        async def held() -> None:
            token = variable.set("inside")
            try:
                await workflow.sleep(60)
            finally:
                SEEN.append(variable.get())
                variable.reset(token)
                SEEN.append(variable.get())

        driver = Driver(held)
        driver.start()
        driver.evict()
        assert SEEN == ["inside", "outside"]


def test_scopes_end_quietly() -> None:
    @workflow.defn
    async def held() -> None:
        try:
            with workflow.create_event_group("group").scope():
                await workflow.sleep(60)
        except BaseException as error:
            SEEN.append(type(error))
            raise

    driver = Driver(held)
    driver.start()
    driver.evict()
    (ending,) = SEEN
    assert not issubclass(ending, (Exception, asyncio.CancelledError))


def test_all_tasks_are_closed_in_the_order_of_their_creation() -> None:
    @workflow.defn
    class Busy:
        @workflow.run
        async def run(self) -> None:
            await asyncio.gather(self.work("one"), self.work("two"), self.unfriendly())

        async def work(self, name: str) -> None:
            try:
                await workflow.sleep(60)
            finally:
                SEEN.append(name)

        async def unfriendly(self) -> None:
            try:
                await workflow.sleep(60)
            finally:
                raise KeyError("ignored")

        @workflow.signal
        async def signalled(self) -> None:
            await self.work("signal")

        @workflow.update
        async def updated(self) -> None:
            await self.work("update")

    driver = Driver(Busy)
    driver.start()
    driver.activate(signal("signalled"), update("updated"))
    driver.evict()
    assert SEEN == ["one", "two", "signal", "update"]


def test_code_that_suppresses_its_end_is_told_again() -> None:
    @workflow.defn
    async def stubborn() -> None:
        for attempt in range(3):
            with contextlib.suppress(BaseException):
                SEEN.append(attempt)
                await asyncio.Event().wait()

    driver = Driver(stubborn)
    driver.start()
    driver.evict()
    assert SEEN == [0, 1, 2]
    assert not driver.run.loop.unfinished_tasks()


def test_what_closing_code_still_starts_is_closed_too() -> None:
    @workflow.defn
    async def busy() -> None:
        async def other() -> None:
            try:
                await workflow.sleep(1)
            finally:
                SEEN.append("other closed")

        try:
            await workflow.sleep(60)
        finally:
            await asyncio.gather(other())

    driver = Driver(busy)
    driver.start()
    driver.evict()
    Driver.open.remove(driver)
    del driver
    gc.collect()


def test_closing_code_does_not_go_on_in_another_run() -> None:
    @workflow.defn
    class Evicted:
        @workflow.run
        async def run(self) -> None:
            self.cycle = self.work()
            await self.cycle

        async def work(self) -> None:
            try:
                try:
                    await workflow.sleep(60)
                finally:
                    await asyncio.Event().wait()
            finally:
                workflow.upsert_memo({"whose": "the evicted run's"})

    @workflow.defn
    async def other() -> str:
        gc.collect()
        return "clean"

    driver = Driver(Evicted)
    driver.start()
    driver.evict()
    Driver.open.remove(driver)
    del driver
    assert completed(Driver(other).start()) == "clean"


def test_an_evicted_run_is_forgotten() -> None:
    @workflow.defn
    class Held:
        @workflow.run
        async def run(self) -> None:
            await asyncio.gather(workflow.sleep(60), greet.execute("Ada"), workflow.wait_condition(lambda: False))

    driver = Driver(Held)
    driver.start()
    instance = weakref.ref(driver.run.instance)
    driver.evict()
    Driver.open.remove(driver)
    del driver
    gc.collect()
    assert instance() is None


def test_an_evicted_run_says_nothing_of_tasks_that_were_pending(caplog: pytest.LogCaptureFixture) -> None:
    @workflow.defn
    async def held() -> None:
        await asyncio.gather(workflow.sleep(60), greet.execute("Ada"))

    driver = Driver(held)
    driver.start()
    driver.evict()
    Driver.open.remove(driver)
    del driver
    gc.collect()
    assert not caplog.records


def test_a_run_that_has_ended_can_be_evicted() -> None:
    @workflow.defn
    async def short() -> str:
        return "done"

    driver = Driver(short)
    assert completed(driver.start()) == "done"
    driver.evict()
    driver.evict()


def test_a_run_that_never_started_can_be_evicted() -> None:
    driver = Driver(Staged)
    driver.evict()
    assert driver.run.instance is None


def test_finished_tasks_are_not_kept() -> None:
    @workflow.defn
    async def many() -> int:
        for _ in range(1000):
            await asyncio.create_task(asyncio.sleep(0))
        loop: Any = asyncio.get_running_loop()
        return len(loop._tasks)

    assert completed(Driver(many).start()) < 100


def test_a_replayed_run_makes_the_same_commands_as_a_live_one() -> None:
    def commands(**fields: Any) -> list[Any]:
        driver = Driver(Staged)
        first = driver.start(_native.NotifyHasPatch(patch_id="change"), **fields)
        second = driver.activate(signal("signalled"), _native.FireTimer(seq=1), **fields)
        third = driver.activate(activity_done("done"), **fields)
        return [kinds(each) for each in (first, second, third)]

    assert commands() == commands(is_replaying=True)
