"""Updates: validation, acceptance, completion, rejection, and what fails the task instead."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from invincible import _native, workflow
from invincible.common import RawValue
from invincible.exceptions import ApplicationError
from tests.support.engine import Driver, completed, greet, kinds, payload, signal, update, value

ACCEPTED, COMPLETED, REJECTED = _native.UpdateAccepted, _native.UpdateCompleted, _native.UpdateRejected


@workflow.defn
class Account:
    def __init__(self) -> None:
        self.balance = 0
        self.closed = False

    @workflow.run
    async def run(self) -> int:
        await workflow.wait_condition(lambda: self.closed)
        return self.balance

    @workflow.update
    def deposit(self, amount: int) -> int:
        self.balance += amount
        return self.balance

    @deposit.validator
    def check_deposit(self, amount: int) -> None:
        if amount <= 0:
            raise ValueError("the amount must be positive")
        if amount > 1000:
            greet.start("Ada")

    @workflow.update(name="deposit-later")
    async def deposit_later(self, amount: int) -> int:
        await workflow.sleep(1)
        self.balance += amount
        return self.balance

    @workflow.update
    async def fail(self, late: bool) -> None:
        if late:
            await workflow.sleep(1)
        raise ApplicationError("refused", type="Refused")

    @workflow.update
    def break_down(self) -> None:
        raise KeyError("bug")

    @workflow.update
    def secret(self) -> Any:
        return object()

    @workflow.update
    async def who(self) -> list[str]:
        info = workflow.current_update_info()
        assert info is not None
        await workflow.sleep(1)
        assert workflow.current_update_info() == info
        return [info.id, info.name]

    @workflow.update
    def nothing(self) -> None: ...

    @workflow.signal
    def close(self) -> None:
        self.closed = True


def started() -> Driver:
    driver = Driver(Account)
    driver.start()
    return driver


def rejection(commands: list[Any]) -> str:
    (command,) = commands
    assert isinstance(command, REJECTED)
    assert command.protocol_instance_id == "u-protocol"
    return command.failure.message


def test_an_update_is_accepted_and_completed_in_one_task() -> None:
    accepted, done = started().activate(update("deposit", 5))
    assert isinstance(accepted, ACCEPTED)
    assert isinstance(done, COMPLETED)
    assert (accepted.protocol_instance_id, done.protocol_instance_id) == ("u-protocol", "u-protocol")
    assert value(done.result) == 5


def test_an_update_may_take_time() -> None:
    driver = started()
    assert kinds(driver.activate(update("deposit-later", 5))) == [ACCEPTED, _native.StartTimer]
    (done,) = driver.activate(_native.FireTimer(seq=1))
    assert value(done.result) == 5


def test_an_update_without_result_completes_with_none() -> None:
    _, done = started().activate(update("nothing"))
    assert value(done.result) is None


def test_updates_that_come_with_the_start_are_handled_before_the_workflow_runs() -> None:
    assert kinds(Driver(Account).start(update("deposit", 5))) == [ACCEPTED, COMPLETED]


def test_a_validator_rejects_without_a_trace() -> None:
    driver = started()
    assert rejection(driver.activate(update("deposit", 0))) == "the amount must be positive"
    assert value(driver.activate(update("deposit", 5))[1].result) == 5


def test_a_validator_may_change_nothing() -> None:
    message = rejection(started().activate(update("deposit", 2000)))
    assert "scheduling an activity is not possible in a query or validator" in message


def test_on_replay_the_validator_does_not_run() -> None:
    driver = started()
    commands = driver.activate(update("deposit", 0, run_validator=False), is_replaying=True)
    assert kinds(commands) == [ACCEPTED, COMPLETED]


@pytest.mark.parametrize(
    ("job", "match"),
    [
        (update("missing"), "workflow 'Account' has no update 'missing'; its updates are: .*deposit, deposit-later"),
        (update("deposit", "much"), "update 'deposit'.*amount.*int"),
        (update("deposit"), r"update 'deposit' takes \(amount: int\), but 0 arguments arrived, 'amount' is missing"),
    ],
)
def test_what_cannot_be_called_is_rejected_with_the_reason(job: Any, match: str) -> None:
    message = rejection(started().activate(job))
    assert re.search(match, message), message


def test_on_replay_what_cannot_be_called_fails_the_task() -> None:
    driver = started()
    with pytest.raises(LookupError, match="has no update 'missing'"):
        driver.activate(update("missing", run_validator=False), is_replaying=True)


@pytest.mark.parametrize("late", [False, True])
def test_a_failure_in_the_handler_goes_to_the_caller(late: bool) -> None:
    driver = started()
    commands = driver.activate(update("fail", late))
    if late:
        commands = [*commands, *driver.activate(_native.FireTimer(seq=1))]
    assert [each for each in kinds(commands) if each is not _native.StartTimer] == [ACCEPTED, REJECTED]
    assert commands[-1].failure.message == "refused"
    assert completed(driver.activate(signal("close"))) == 0


def test_a_bug_in_the_handler_fails_the_task() -> None:
    with pytest.raises(KeyError, match="bug"):
        started().activate(update("break_down"))


def test_a_result_that_cannot_be_encoded_fails_the_task_and_names_the_update() -> None:
    with pytest.raises(TypeError, match=r"the result of update 'secret' cannot be encoded: .*object"):
        started().activate(update("secret"))


def test_the_handler_knows_its_update_and_nobody_else_does() -> None:
    driver = Driver(Account)
    driver.start()
    driver.activate(update("who", id="1"), update("who", id="2"))
    (first,) = driver.activate(_native.FireTimer(seq=1))
    (second,) = driver.activate(_native.FireTimer(seq=2))
    assert (value(first.result), value(second.result)) == (["1", "who"], ["2", "who"])

    @workflow.defn
    async def alone() -> bool:
        return workflow.current_update_info() is None

    assert completed(Driver(alone).start()) is True


def test_the_validator_knows_its_update_and_that_it_is_read_only() -> None:
    seen: list[Any] = []

    @workflow.defn
    class Curious:
        @workflow.run
        async def run(self) -> None:
            await workflow.sleep(60)

        @workflow.update
        def ask(self) -> None:
            seen.append(workflow.unsafe.is_read_only())

        @ask.validator
        def check(self) -> None:
            info = workflow.current_update_info()
            seen.append((info.name if info else None, workflow.unsafe.is_read_only()))

    driver = Driver(Curious)
    driver.start()
    driver.activate(update("ask"))
    assert seen == [("ask", True), False]


def test_a_handler_that_is_cancelled_tells_its_caller() -> None:
    @workflow.defn
    class Cancelling:
        @workflow.run
        async def run(self) -> None:
            await workflow.sleep(60)

        @workflow.update
        async def stop(self) -> None:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            await asyncio.sleep(0)

    driver = Driver(Cancelling)
    driver.start()
    assert kinds(driver.activate(update("stop"))) == [ACCEPTED, REJECTED]


def test_exceptions_declared_as_failures_go_to_the_caller() -> None:
    driver = Driver(Account, failure_exception_types=(KeyError,))
    driver.start()
    assert kinds(driver.activate(update("break_down"))) == [ACCEPTED, REJECTED]


# Handlers set at run time


@workflow.defn
class Changing:
    def __init__(self) -> None:
        self.words: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        own = workflow.get_update_handler("own")
        assert own is not None
        own("by hand")
        assert workflow.get_update_handler("added") is None
        assert workflow.get_dynamic_update_handler() is None
        workflow.set_update_handler("added", self.add, validator=self.check)
        workflow.set_dynamic_update_handler(self.anything, validator=self.check_anything)
        assert workflow.get_update_handler("added") == self.add
        assert workflow.get_dynamic_update_handler() == self.anything
        await workflow.sleep(1)
        workflow.set_update_handler("added", None)
        workflow.set_dynamic_update_handler(None)
        await workflow.sleep(1)
        return self.words

    @workflow.update
    def own(self, word: str) -> None:
        self.words.append(word)

    async def add(self, word: str) -> str:
        self.words.append(word)
        return word.upper()

    def check(self, word: str) -> None:
        if not word:
            raise ValueError("empty")

    def anything(self, name: str, args: list[RawValue]) -> str:
        return f"{name} of {len(args)}"

    def check_anything(self, name: str, args: list[RawValue]) -> None:
        if name == "forbidden":
            raise ValueError("forbidden")


def test_handlers_and_validators_can_be_set_and_removed() -> None:
    driver = Driver(Changing)
    driver.start()
    assert value(driver.activate(update("added", "word"))[1].result) == "WORD"
    assert rejection(driver.activate(update("added", ""))) == "empty"
    assert value(driver.activate(update("unheard", 1, 2))[1].result) == "unheard of 2"
    assert rejection(driver.activate(update("forbidden"))) == "forbidden"
    driver.activate(_native.FireTimer(seq=1))
    assert "has no update 'added'; its updates are: own" in rejection(driver.activate(update("added", "word")))
    assert completed(driver.activate(_native.FireTimer(seq=2))) == ["by hand", "word"]


def test_the_dynamic_handler_of_the_class_is_found_and_given_bound() -> None:
    @workflow.defn
    class Dynamic:
        @workflow.run
        async def run(self) -> str:
            dynamic = workflow.get_dynamic_update_handler()
            assert dynamic is not None
            result: str = dynamic("by hand", [RawValue(payload(1))])
            await workflow.sleep(1)
            return result

        @workflow.update(dynamic=True)
        def anything(self, name: str, args: list[RawValue]) -> str:
            return f"{name} of {len(args)}"

    driver = Driver(Dynamic)
    driver.start()
    assert value(driver.activate(update("unheard"))[1].result) == "unheard of 0"
    assert completed(driver.activate(_native.FireTimer(seq=1))) == "by hand of 1"


@pytest.mark.parametrize("name", ["late", None])
def test_async_validators_are_refused_where_they_are_set(name: str | None) -> None:
    async def late(*_: Any) -> None: ...

    @workflow.defn
    async def odd() -> None:
        if name is None:
            workflow.set_dynamic_update_handler(late, validator=late)
        else:
            workflow.set_update_handler(name, late, validator=late)

    with pytest.raises(TypeError, match=r"a validator cannot be async, because it may not wait: .*late"):
        Driver(odd).start()


# The end of the workflow


@workflow.defn
class Leaving:
    def __init__(self) -> None:
        self.leave = False

    @workflow.run
    async def run(self, wait: bool) -> bool:
        await workflow.wait_condition(lambda: self.leave)
        if wait:
            await workflow.wait_condition(workflow.all_handlers_finished)
        return workflow.all_handlers_finished()

    @workflow.update
    async def linger(self) -> None:
        await workflow.sleep(60)

    @workflow.update(unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
    async def loiter(self) -> None:
        await workflow.sleep(60)

    @workflow.signal
    def go(self) -> None:
        self.leave = True


def test_a_handler_that_the_end_cuts_off_is_warned_of() -> None:
    driver = Driver(Leaving, False)
    driver.start()
    driver.activate(update("linger", id="first"), update("loiter", id="second"))
    with pytest.warns(
        workflow.UnfinishedUpdateHandlersWarning,
        match=r"workflow Leaving 'engine-test' ended while update handlers still ran: linger .*first.*its caller gets "
        r"an error.*@workflow.update\(unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON\)",
    ) as warned:
        assert completed(driver.activate(signal("go"))) is False
    assert "second" not in str(warned[0].message)


def test_a_workflow_can_wait_for_its_handlers() -> None:
    driver = Driver(Leaving, True)
    driver.start()
    driver.activate(update("linger"))
    assert driver.activate(signal("go")) == []
    commands = driver.activate(_native.FireTimer(seq=1))
    assert kinds(commands) == [COMPLETED, _native.CompleteWorkflowExecution]
    assert value(commands[1].result) is True


def test_an_update_and_the_end_of_the_workflow_in_one_task_are_both_sent() -> None:
    driver = started()
    commands = driver.activate(signal("close"), update("deposit", 5))
    assert set(kinds(commands)) == {ACCEPTED, COMPLETED, _native.CompleteWorkflowExecution}
