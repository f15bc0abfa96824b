"""Calls of activities and child workflows by methods of what is decorated: arguments, options, and what is refused."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from invincible import _native, activity, workflow
from invincible.common import RawValue
from invincible.exceptions import ChildWorkflowError
from tests.support.engine import (
    Driver,
    application_failure,
    child_done,
    child_failure,
    child_started,
    completed,
    value,
    values,
)


@workflow.defn
async def greeting(name: str, *, times: int = 1, loud: bool = False) -> str:
    return ", ".join([name.upper() if loud else name] * times)


@workflow.defn(name="the-sum")
class Sum:
    @workflow.run
    async def run(self, a: int, b: int = 10, *, negative: bool = False) -> int:
        return -(a + b) if negative else a + b


class Shop:
    @activity.defn(start_to_close_timeout=timedelta(seconds=1))
    async def ship(self, item: str, *, gift: bool = False) -> str:
        return item


def child_of(call: Any) -> _native.StartChildWorkflowExecution:
    """The command that a call issues from workflow code."""

    @workflow.defn
    async def parent() -> None:
        await call()

    (command,) = Driver(parent).start()
    assert isinstance(command, _native.StartChildWorkflowExecution)
    return command


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: greeting.start("Ada"), ["Ada"]),
        (lambda: greeting.start(name="Ada"), ["Ada"]),
        (lambda: greeting.start("Ada", times=2), ["Ada", 2]),
        (lambda: greeting.execute("Ada", loud=True), ["Ada", 1, True]),
        (lambda: greeting.execute(loud=True, times=3, name="Ada"), ["Ada", 3, True]),
        (lambda: Sum.run.start(1), [1]),
        (lambda: Sum.run.start(1, 2), [1, 2]),
        (lambda: Sum.run.execute(b=2, a=1), [1, 2]),
        (lambda: Sum.run.execute(1, negative=True), [1, 10, True]),
    ],
)
def test_arguments_are_sent_by_position(call: Any, expected: list[Any]) -> None:
    assert values(child_of(call).input) == expected


def test_a_child_is_started_under_its_own_name_and_on_the_queue_of_its_parent() -> None:
    command = child_of(lambda: greeting.start("Ada"))
    assert (command.workflow_type, command.task_queue, command.namespace) == ("greeting", "engine", "default")
    assert command.workflow_id
    assert child_of(lambda: Sum.run.start(1)).workflow_type == "the-sum"


def test_typed_calls_issue_the_command_that_calls_by_reference_issue() -> None:
    typed = child_of(lambda: Sum.run.with_options(id="sum", run_timeout=timedelta(seconds=3)).start(1, 2))
    by_reference = child_of(
        lambda: workflow.start_child_workflow(Sum.run, args=[1, 2], id="sum", run_timeout=timedelta(seconds=3))
    )
    properties = [name for name, kind in vars(type(typed)).items() if type(kind).__name__ == "getset_descriptor"]
    assert "input" in properties
    for name in properties:
        assert getattr(typed, name) == getattr(by_reference, name), name


def test_options_add_up_and_the_last_one_counts() -> None:
    patient = greeting.with_options(
        id="hello",
        run_timeout=timedelta(seconds=5),
        parent_close_policy=workflow.ParentClosePolicy.ABANDON,
        static_summary="first",
    )
    command = child_of(lambda: patient.with_options(run_timeout=timedelta(seconds=7), task_queue="q").start("Ada"))
    assert (command.workflow_id, command.run_timeout, command.task_queue) == ("hello", 7.0, "q")
    assert command.parent_close_policy == workflow.ParentClosePolicy.ABANDON
    assert value(command.summary) == "first"
    unchanged = child_of(lambda: patient.start("Ada"))
    assert (unchanged.run_timeout, unchanged.task_queue) == (5.0, "engine")
    plain = child_of(lambda: greeting.start("Ada"))
    assert (plain.run_timeout, plain.parent_close_policy) == (None, workflow.ParentClosePolicy.TERMINATE)


def test_start_returns_when_the_child_has_started_and_its_handle_has_the_result() -> None:
    @workflow.defn
    async def parent() -> list[Any]:
        child = await greeting.with_options(id="hello").start("Ada", times=2)
        return [child.id, child.first_execution_run_id, await child]

    driver = Driver(parent)
    driver.start()
    assert driver.activate(child_started(run_id="first")) == []
    assert completed(driver.activate(child_done("Ada, Ada"))) == ["hello", "first", "Ada, Ada"]


def test_execute_returns_the_result_in_the_annotated_type() -> None:
    @workflow.defn
    async def pairs() -> tuple[int, int]:
        return 1, 2

    @workflow.defn
    async def parent() -> str:
        return type(await pairs.execute()).__name__

    driver = Driver(parent)
    driver.start()
    driver.activate(child_started())
    assert completed(driver.activate(child_done([1, 2]))) == "tuple"


def test_execute_raises_what_failed_the_child() -> None:
    @workflow.defn
    async def parent() -> str:
        try:
            return f"no error: {await Sum.run.execute(1, 2)}"
        except ChildWorkflowError as error:
            return str(error.cause)

    driver = Driver(parent)
    driver.start()
    driver.activate(child_started())
    failure = child_failure(application_failure("overflow"))
    assert "overflow" in completed(driver.activate(_native.ResolveChildWorkflowExecution(seq=1, failure=failure)))


def test_children_run_side_by_side() -> None:
    @workflow.defn
    async def parent() -> list[int]:
        return list(await asyncio.gather(Sum.run.execute(1, 2), Sum.run.execute(3, 4)))

    driver = Driver(parent)
    assert [values(each.input) for each in driver.start()] == [[1, 2], [3, 4]]
    driver.activate(child_started(seq=1, run_id="1"), child_started(seq=2, run_id="2"))
    driver.activate(child_done(7, seq=2))
    assert completed(driver.activate(child_done(3, seq=1))) == [3, 7]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: greeting.start(), "workflow 'greeting' takes .*'name' is missing"),  # type: ignore[call-arg]
        (lambda: greeting.execute(), "'name' is missing"),  # type: ignore[call-arg]
        (lambda: greeting.start("Ada", 2), "2 positional arguments were given"),  # type: ignore[call-arg]
        (lambda: greeting.start("Ada", time=2), "there is no parameter 'time'"),  # type: ignore[call-arg]
        (lambda: Sum.run.execute(1, a=1), "'a' was given twice"),  # type: ignore[misc]
        (lambda: Sum.run.start(1, 2, True), "workflow 'the-sum' takes .*3 positional"),  # type: ignore[call-arg]
    ],
)
def test_wrong_arguments_are_refused_by_the_call_itself(call: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        call()


def test_wrong_options_are_named() -> None:
    with pytest.raises(TypeError, match="'run_timeot' is not a child workflow option"):
        greeting.with_options(run_timeot=timedelta(1))  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="run_timeout must not be negative"):
        Sum.run.with_options(run_timeout=timedelta(-1))


def test_children_are_started_by_workflow_code_alone() -> None:
    async def call() -> None:
        await greeting.start("Ada")

    with pytest.raises(workflow.NotInWorkflowError):
        asyncio.run(call())


def test_what_has_no_name_cannot_be_called() -> None:
    class Undecorated:
        @workflow.run
        async def run(self) -> None: ...

    @workflow.defn(dynamic=True)
    class Dynamic:
        @workflow.run
        async def run(self, arguments: Sequence[RawValue]) -> None: ...

    with pytest.raises(TypeError, match=r"Undecorated.run is not a workflow"):
        _ = Undecorated.run.start()
    with pytest.raises(TypeError, match="is the dynamic workflow: give the workflow's name instead"):
        _ = Dynamic.run.start([])


def test_an_override_is_called_under_the_name_of_its_class() -> None:
    @workflow.defn
    class Doubled(Sum):
        @workflow.run
        async def run(self, a: int, b: int = 10, *, negative: bool = False) -> int:
            return 2 * await super().run(a, b, negative=negative)

    assert child_of(lambda: Doubled.run.start(1)).workflow_type == "Doubled"
    assert child_of(lambda: Sum.run.start(1)).workflow_type == "the-sum"


async def test_decorated_functions_and_methods_stay_what_they_are() -> None:
    assert await greeting("Ada", times=2, loud=True) == "ADA, ADA"
    assert await Sum().run(1, negative=True) == -11
    assert await Sum.run(Sum(), 1, 2) == 3
    assert inspect.iscoroutinefunction(greeting)
    assert inspect.iscoroutinefunction(Sum.run)


@pytest.mark.parametrize("ship", [Shop.ship, Shop().ship])
def test_methods_that_are_activities_are_called_without_an_object(ship: Any) -> None:
    @workflow.defn
    async def parent() -> None:
        ship.start("book", gift=True)
        await ship.with_options(summary="fast").execute_local("pen")

    schedule, local = Driver(parent).start()
    assert isinstance(schedule, _native.ScheduleActivity)
    assert (schedule.activity_type, values(schedule.arguments)) == ("ship", ["book", True])
    assert isinstance(local, _native.ScheduleLocalActivity)
    assert (values(local.arguments), value(local.summary)) == (["pen"], "fast")
