"""Exceptions: which fail the workflow and which its task, and what happens to those that nobody expects."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from invincible import _native, workflow
from invincible.common import RawValue, VersioningBehavior
from invincible.exceptions import ApplicationError, FailureError
from tests.support.engine import (
    Driver,
    activity_done,
    activity_failed,
    application_failure,
    completed,
    failed,
    greet,
    kinds,
    signal,
    value,
)


class OrderError(Exception):
    """What a workflow of ours may raise."""


def raising(error: BaseException, **options: Any) -> Any:
    async def broken() -> None:
        raise error

    return workflow.defn(**options)(broken)


# What fails the workflow


def test_a_failure_fails_the_workflow_with_all_it_tells() -> None:
    error = ApplicationError("sold out", {"left": 0}, type="SoldOut", non_retryable=True)
    failure = failed(Driver(raising(error)).start())
    assert (failure.message, failure.cause) == ("sold out", None)
    info = failure.info
    assert isinstance(info, _native.ApplicationFailureInfo)
    assert (info.type, info.non_retryable) == ("SoldOut", True)
    assert info.details is not None
    assert [value(each) for each in info.details] == [{"left": 0}]
    assert "test_failures.py" in failure.stack_trace


def test_a_timeout_that_nobody_catches_fails_the_workflow() -> None:
    assert failed(Driver(raising(asyncio.TimeoutError())).start()).message is not None


def test_the_cause_of_a_failure_is_sent_along() -> None:
    @workflow.defn
    async def broken() -> None:
        try:
            raise KeyError("number")
        except KeyError as error:
            raise ApplicationError("no such order") from error

    failure = failed(Driver(broken).start())
    assert failure.cause is not None
    assert isinstance(failure.cause.info, _native.ApplicationFailureInfo)
    assert failure.cause.info.type == "KeyError"


@pytest.mark.parametrize(
    ("options", "of_worker"),
    [
        ({"failure_exception_types": [OrderError]}, ()),
        ({}, (OrderError,)),
        ({"failure_exception_types": [Exception]}, ()),
    ],
)
def test_exceptions_declared_as_failures_fail_the_workflow(options: Any, of_worker: Any) -> None:
    driver = Driver(raising(OrderError("unknown"), **options), failure_exception_types=of_worker)
    info = failed(driver.start()).info
    assert isinstance(info, _native.ApplicationFailureInfo)
    assert info.type == "OrderError"


def test_code_can_ask_which_exceptions_fail_the_workflow() -> None:
    @workflow.defn(failure_exception_types=[OrderError])
    async def asking() -> list[bool]:
        errors = [ApplicationError("x"), FailureError("x"), asyncio.TimeoutError(), OrderError(), KeyError()]
        return [workflow.is_failure_exception(error) for error in errors]

    assert completed(Driver(asking).start()) == [True, True, True, True, False]


# What fails the task


@pytest.mark.parametrize("error", [KeyError("typo"), OrderError("unknown"), RuntimeError(), AssertionError()])
def test_other_exceptions_fail_the_task_and_not_the_workflow(error: Exception) -> None:
    with pytest.raises(type(error)) as raised:
        Driver(raising(error)).start()
    assert raised.value is error
    assert any(entry.name == "broken" for entry in raised.traceback)


class Stop(BaseException):
    """No ``Exception``."""


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), Stop(), BaseException()])
def test_exceptions_that_are_no_exceptions_fail_the_task_too(error: BaseException) -> None:
    with pytest.raises(type(error)):
        Driver(raising(error)).start()
    with pytest.raises(RuntimeError, match="no running event loop"):
        asyncio.get_running_loop()


@pytest.mark.parametrize("error", [SystemExit(3), GeneratorExit(), Stop(), KeyError()])
def test_they_do_so_from_signal_and_update_handlers_too(error: BaseException) -> None:
    @workflow.defn
    class Fragile:
        @workflow.run
        async def run(self) -> None:
            await workflow.sleep(60)

        @workflow.signal
        async def signalled(self) -> None:
            raise error

        @workflow.update
        async def updated(self) -> None:
            raise error

    for job in (
        signal("signalled"),
        _native.DoUpdate(id="u", protocol_instance_id="p", name="updated"),
    ):
        driver = Driver(Fragile)
        driver.start()
        with pytest.raises(type(error)):
            driver.activate(job)


def test_what_a_task_raises_is_raised_to_whoever_awaits_it() -> None:
    @workflow.defn
    async def waiting() -> str:
        async def stop() -> None:
            raise Stop

        try:
            await asyncio.create_task(stop())
        except Stop:
            return "stopped"
        return "went on"

    assert completed(Driver(waiting).start()) == "stopped"


def test_the_first_failure_of_a_task_is_the_one_that_is_told() -> None:
    @workflow.defn
    class Twice:
        @workflow.run
        async def run(self) -> None: ...

        @workflow.signal
        def fail(self, word: str) -> None:
            raise KeyError(word)

    with pytest.raises(KeyError, match="first"):
        Driver(Twice).start(signal("fail", "first"), signal("fail", "second"))


def test_stop_iteration_becomes_an_error_that_is_told() -> None:
    with pytest.raises(RuntimeError, match="StopIteration"):
        Driver(raising(StopIteration())).start()


def test_a_constructor_that_raises_fails_the_task() -> None:
    @workflow.defn
    class Broken:
        def __init__(self) -> None:
            raise KeyError("in the constructor")

        @workflow.run
        async def run(self) -> None: ...

    with pytest.raises(KeyError, match="in the constructor"):
        Driver(Broken).start()


# Arguments and results


@workflow.defn
class Typed:
    @workflow.init
    def __init__(self, number: int, *, word: str = "default") -> None:
        self.from_init = [number, word]

    @workflow.run
    async def run(self, number: int, *, word: str = "default") -> list[Any]:
        return [*self.from_init, number, word]


def test_init_gets_the_arguments_of_run() -> None:
    assert completed(Driver(Typed, 1, "two").start()) == [1, "two", 1, "two"]
    assert completed(Driver(Typed, 1).start()) == [1, "default", 1, "default"]


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (("one",), "workflow 'Typed'.*number.*int"),
        ((), r"workflow 'Typed' takes \(number: int, .*\), but 0 arguments arrived, 'number' is missing"),
        ((1, "two", 3), "workflow 'Typed' takes .*, but 3 arguments arrived"),
    ],
)
def test_wrong_arguments_name_workflow_and_parameter(arguments: Any, match: str) -> None:
    with pytest.raises(TypeError, match=match):
        Driver(Typed, *arguments).start()


def test_a_result_that_cannot_be_encoded_names_the_workflow() -> None:
    @workflow.defn
    async def secretive() -> Any:
        return object()

    with pytest.raises(TypeError, match=r"the result of workflow 'secretive' cannot be encoded: .*object"):
        Driver(secretive).start()


# Dynamic workflows


@workflow.defn(dynamic=True)
class Dynamic:
    @workflow.run
    async def run(self, args: list[RawValue]) -> list[Any]:
        return [workflow.info().workflow_type, *[value(each.payload) for each in args]]


def test_a_dynamic_workflow_gets_raw_arguments_and_knows_its_type() -> None:
    assert completed(Driver(Dynamic, 1, "two", workflow_type="Unknown").start()) == ["Unknown", 1, "two"]


@workflow.defn(dynamic=True, failure_exception_types=[KeyError])
class Configured:
    config = workflow.DynamicWorkflowConfig()

    @workflow.run
    async def run(self, args: list[RawValue]) -> None:
        raise KeyError("x") if value(args[0].payload) == "key" else OrderError("x")

    @workflow.dynamic_config
    def choose(self) -> workflow.DynamicWorkflowConfig:
        return self.config


@pytest.mark.parametrize(
    ("types", "failing", "raised"), [(None, "key", OrderError), ([OrderError], "order", KeyError), ([], None, KeyError)]
)
def test_the_dynamic_config_says_what_fails_the_run(
    types: Any, failing: str | None, raised: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = workflow.DynamicWorkflowConfig(failure_exception_types=types)
    monkeypatch.setattr(Configured, "config", config)
    if failing is not None:
        failed(Driver(Configured, failing).start())
    with pytest.raises(raised):
        Driver(Configured, "key" if raised is KeyError else "order").start()


def test_the_failures_of_the_worker_hold_with_a_dynamic_config_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Configured, "config", workflow.DynamicWorkflowConfig(failure_exception_types=[]))
    failed(Driver(Configured, "order", failure_exception_types=(OrderError,)).start())


def test_the_versioning_behaviour_is_that_of_the_definition_or_the_config(monkeypatch: pytest.MonkeyPatch) -> None:
    @workflow.defn(versioning_behavior=VersioningBehavior.PINNED)
    async def pinned() -> None: ...

    driver = Driver(pinned)
    driver.start()
    assert driver.run.versioning_behavior is VersioningBehavior.PINNED
    assert Driver(raising(KeyError())).run.versioning_behavior is VersioningBehavior.UNSPECIFIED

    config = workflow.DynamicWorkflowConfig(versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
    monkeypatch.setattr(Configured, "config", config)
    driver = Driver(Configured, "key")
    driver.start()
    assert driver.run.versioning_behavior is VersioningBehavior.AUTO_UPGRADE


# After the end


def test_only_the_first_end_counts_and_what_was_asked_for_before_is_sent() -> None:
    @workflow.defn
    class Ending:
        @workflow.run
        async def run(self) -> str:
            greet.start("Ada")
            return "done"

        @workflow.signal
        async def fail(self) -> None:
            await asyncio.sleep(0)
            raise ApplicationError("too late")

    commands = Driver(Ending).start(signal("fail"))
    ends = [each for each in kinds(commands) if each is not _native.ScheduleActivity]
    assert len(ends) == 1


def test_exceptions_that_nobody_retrieves_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    @workflow.defn
    async def forgetful() -> None:
        async def lost() -> None:
            raise OrderError("lost")

        task = asyncio.create_task(lost())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del task

    completed(Driver(forgetful).start())
    (record,) = [each for each in caplog.records if each.name == "invincible.workflow"]
    assert "never retrieved" in record.getMessage()
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], OrderError)


def test_a_handler_of_the_workflows_own_gets_them_instead(caplog: pytest.LogCaptureFixture) -> None:
    @workflow.defn
    async def handling() -> list[Any]:
        loop = asyncio.get_running_loop()
        assert loop.get_exception_handler() is None
        got: list[str] = []

        def handler(loop: Any, context: dict[str, Any]) -> None:
            got.append(str(context["exception"]))

        loop.set_exception_handler(handler)
        assert loop.get_exception_handler() is handler

        async def lost() -> None:
            raise OrderError("lost")

        coroutine: Coroutine[Any, Any, None] = lost()
        task = asyncio.create_task(coroutine)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del task
        return got

    assert completed(Driver(handling).start()) == ["lost"]
    assert not caplog.records


def test_a_callback_that_raises_is_told_and_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    @workflow.defn
    async def calling() -> str:
        def broken() -> None:
            raise OrderError("in a callback")

        asyncio.get_running_loop().call_soon(broken)
        await asyncio.sleep(0)
        return "went on"

    assert completed(Driver(calling).start()) == "went on"
    assert "in a callback" in caplog.text


def test_a_failure_converter_that_raises_fails_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    @workflow.defn
    async def hello() -> str:
        return await greet.execute("Ada")

    driver = Driver(hello)
    driver.start()

    def broken(*_: Any) -> Any:
        raise OrderError("cannot be converted")

    monkeypatch.setattr(type(driver.run.worker.failure_converter), "from_native", broken)
    with pytest.raises(OrderError, match="cannot be converted"):
        driver.activate(activity_failed(application_failure()))


def test_an_outcome_that_cannot_be_told_does_not_stop_those_that_came_with_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    @workflow.defn
    async def two() -> str:
        greet.start("Ada")
        return await greet.start("Grace")

    driver = Driver(two)
    driver.start()
    # No future takes it.
    monkeypatch.setattr(type(driver.run.worker.failure_converter), "from_native", lambda *_: StopIteration())
    assert completed(driver.activate(activity_failed(application_failure()), activity_done("there", seq=2))) == "there"
    assert "activity 'greet' cannot end" in caplog.text
