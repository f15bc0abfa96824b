"""What one run, query or converter does must not reach another, nor get lost."""

from __future__ import annotations

import asyncio
import contextvars
from typing import Any

import pytest

from invincible import _native, workflow
from invincible.exceptions import ApplicationError
from tests.support.engine import Driver, completed, greet, kinds, query

TENANT: contextvars.ContextVar[str] = contextvars.ContextVar("tenant", default="nobody")


def test_context_variables_stay_in_their_run() -> None:
    @workflow.defn
    class Setting:
        def __init__(self) -> None:
            TENANT.set("A")

        @workflow.run
        async def run(self) -> str:
            return TENANT.get()

        @workflow.query
        def tenant(self) -> str:
            TENANT.set("query")
            return TENANT.get()

    @workflow.defn
    async def reading() -> str:
        return TENANT.get()

    driver = Driver(Setting)
    assert completed(driver.start()) == "A"
    driver.activate(query("tenant"))
    assert completed(Driver(reading).start()) == "nobody"
    assert TENANT.get() == "nobody"


@workflow.defn
class Asked:
    def __init__(self) -> None:
        self.handle: Any = None

    @workflow.run
    async def run(self) -> None:
        self.handle = greet.start("Ada")
        await self.handle

    @workflow.query
    def task(self) -> str:
        asyncio.ensure_future(asyncio.sleep(50))  # noqa: RUF006
        return "started"

    @workflow.query
    def cancel(self) -> str:
        self.handle.cancel()
        return "cancelled"

    @workflow.query
    def dice(self) -> float:
        return workflow.random().random()

    @workflow.query
    def name(self) -> str:
        return str(workflow.uuid4())


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("task", "starting a task"),
        ("cancel", "cancelling activity 'greet'"),
        ("dice", "taking random numbers"),
        ("name", "taking random numbers"),
    ],
)
def test_a_query_can_start_cancel_and_take_nothing(name: str, what: str) -> None:
    driver = Driver(Asked)
    driver.start()
    (answer,) = driver.activate(query(name))
    assert answer.failure is not None
    assert f"{what} is not possible in a query" in answer.failure.message
    assert kinds(driver.activate(query("task"))) == [_native.QueryResult]


def test_what_fails_a_workflow_fails_it_in_its_constructor_too() -> None:
    @workflow.defn
    class Broken:
        def __init__(self) -> None:
            raise ApplicationError("no such customer")

        @workflow.run
        async def run(self) -> None: ...

    (end,) = Driver(Broken).start()
    assert isinstance(end, _native.FailWorkflowExecution)
    assert end.failure.message == "no such customer"


def test_arguments_that_do_not_fit_fail_a_workflow_that_declares_it() -> None:
    @workflow.defn(failure_exception_types=[Exception])
    async def counting(number: int) -> None: ...

    (end,) = Driver(counting, "three").start()
    assert isinstance(end, _native.FailWorkflowExecution)
    assert "workflow 'counting', argument number" in end.failure.message


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), None])
@pytest.mark.parametrize("sleep", [workflow.sleep, asyncio.sleep])
def test_a_sleep_without_an_end_is_refused(sleep: Any, seconds: Any) -> None:
    @workflow.defn
    async def nap() -> None:
        await sleep(seconds)

    with pytest.raises((TypeError, ValueError)):
        Driver(nap).start()


def test_generators_of_their_own_are_kept_no_longer_than_their_users() -> None:
    @workflow.defn
    async def drawing() -> None:
        for _ in range(100):
            workflow.new_random("dice")

    driver = Driver(drawing)
    driver.start()
    assert len(driver.run.randomness._generators) == 0


def test_a_lone_event_group_is_refused_with_what_to_do() -> None:
    @workflow.defn
    async def grouped() -> None:
        group: Any = workflow.create_event_group("billing")
        await workflow.sleep(1, event_groups=group)

    with pytest.raises(TypeError, match="must be a list of event groups: put the group in one"):
        Driver(grouped).start()
