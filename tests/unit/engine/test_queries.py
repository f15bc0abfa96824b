"""Queries: answers, errors, and that they change nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest

from invincible import _native, workflow
from invincible.common import RawValue, SearchAttributeKey
from invincible.exceptions import ApplicationError
from tests.support.engine import Driver, completed, greet, query, signal, value


@workflow.defn
class Shelf:
    def __init__(self) -> None:
        self.items = ["book"]

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.sleep(60)
        return self.items

    @workflow.query
    def count(self) -> int:
        return len(self.items)

    @workflow.query(name="item-at")
    def item(self, index: int, default: str = "nothing") -> str:
        return self.items[index] if index < len(self.items) else default

    @workflow.query
    def fail(self) -> None:
        raise ApplicationError("no", type="Refused")

    @workflow.query
    def break_down(self) -> None:
        raise KeyError("bug")

    @workflow.query
    def secret(self) -> Any:
        return object()


def test_a_query_is_answered_under_its_id() -> None:
    driver = Driver(Shelf)
    driver.start()
    answer = driver.query("count")
    assert (answer.query_id, value(answer.result), answer.failure) == ("q", 1, None)
    assert value(driver.query("item-at", 0).result) == "book"
    assert value(driver.query("item-at", 7).result) == "nothing"


def test_several_queries_are_answered_in_order() -> None:
    driver = Driver(Shelf)
    driver.start()
    answers = driver.activate(query("count"), query("item-at", 0))
    assert [value(each.result) for each in answers] == [1, "book"]


def test_a_query_sees_what_the_jobs_before_it_have_done() -> None:
    @workflow.defn
    class Counter:
        def __init__(self) -> None:
            self.total = 0

        @workflow.run
        async def run(self) -> None:
            self.total += 1
            await workflow.sleep(1)

        @workflow.signal
        def add(self) -> None:
            self.total += 1

        @workflow.query
        def current(self) -> int:
            return self.total

    driver = Driver(Counter)
    _, answer = driver.start(query("current"), signal("add"))
    assert value(answer.result) == 2


@pytest.mark.parametrize(
    ("job", "match"),
    [
        (query("missing"), "workflow 'Shelf' has no query 'missing'; its queries are: .*count.*item-at"),
        (query("item-at"), "query 'item-at' takes .*index: int.*, but 0 arguments arrived, 'index' is missing"),
        (query("item-at", "first"), "query 'item-at'.*index.*int"),
        (query("fail"), "no"),
        (query("break_down"), "bug"),
        (query("secret"), "the result of query 'secret' cannot be encoded: .*object"),
    ],
)
def test_errors_go_to_the_caller_and_leave_the_workflow_alone(job: Any, match: str) -> None:
    driver = Driver(Shelf)
    driver.start()
    (answer,) = driver.activate(job)
    assert answer.result is None
    assert re.search(match, answer.failure.message), answer.failure.message
    assert completed(driver.activate(_native.FireTimer(seq=1))) == ["book"]


def test_the_type_of_an_error_reaches_the_caller() -> None:
    driver = Driver(Shelf)
    driver.start()
    failure = driver.query("fail").failure
    assert failure is not None
    assert isinstance(failure.info, _native.ApplicationFailureInfo)
    assert failure.info.type == "Refused"


# Nothing may change


CHANGES: dict[str, tuple[Any, str]] = {
    "activity": (lambda: greet.start("Ada"), "scheduling an activity"),
    "local activity": (lambda: greet.start_local("Ada"), "scheduling a local activity"),
    "timer": (lambda: workflow.sleep(1).send(None), "starting a timer"),
    "condition": (lambda: workflow.wait_condition(lambda: True).send(None), "waiting for a condition"),
    "child": (lambda: workflow.start_child_workflow("Child").send(None), "starting a child workflow"),
    "nexus": (
        lambda: workflow.create_nexus_client(service="s", endpoint="e").start_operation("o", None).send(None),
        "starting a Nexus operation",
    ),
    "memo": (lambda: workflow.upsert_memo({"key": 1}), "changing the memo"),
    "search attributes": (
        lambda: workflow.upsert_search_attributes([SearchAttributeKey.for_int("N").value_set(1)]),
        "changing search attributes",
    ),
    "details": (lambda: workflow.set_current_details("x"), "setting the current details"),
    "patch": (lambda: workflow.patched("x"), "using a patch"),
    "deprecated patch": (lambda: workflow.deprecate_patch("x"), "using a patch"),
    "query handler": (lambda: workflow.set_query_handler("x", None), "setting a query handler"),
    "dynamic query handler": (lambda: workflow.set_dynamic_query_handler(None), "setting a query handler"),
    "signal handler": (lambda: workflow.set_signal_handler("x", None), "setting a signal handler"),
    "update handler": (lambda: workflow.set_update_handler("x", None), "setting an update handler"),
    "dynamic update handler": (lambda: workflow.set_dynamic_update_handler(None), "setting an update handler"),
}


@workflow.defn
class Meddling:
    @workflow.run
    async def run(self) -> str:
        await workflow.sleep(60)
        return "unchanged"

    @workflow.query
    def meddle(self, change: str) -> None:
        assert workflow.unsafe.is_read_only()
        CHANGES[change][0]()


@pytest.mark.parametrize("change", CHANGES)
def test_a_query_may_change_nothing(change: str) -> None:
    driver = Driver(Meddling)
    driver.start()
    (answer,) = driver.activate(query("meddle", change))
    what = CHANGES[change][1]
    assert f"{what} is not possible in a query or validator: it would change the workflow" in answer.failure.message
    assert completed(driver.activate(_native.FireTimer(seq=1))) == "unchanged"


# Handlers set at run time


def test_handlers_can_be_set_replaced_read_and_removed() -> None:
    @workflow.defn
    class Changing(Shelf):
        @workflow.run
        async def run(self) -> list[str]:
            count = workflow.get_query_handler("count")
            assert count is not None
            assert count() == 1
            assert workflow.get_query_handler("missing") is None
            assert workflow.get_dynamic_query_handler() is None
            workflow.set_query_handler("count", lambda: 99)
            workflow.set_query_handler("added", self.added)
            workflow.set_dynamic_query_handler(self.anything)
            assert workflow.get_query_handler("added") == self.added
            assert workflow.get_dynamic_query_handler() == self.anything
            await workflow.sleep(1)
            workflow.set_query_handler("count", None)
            workflow.set_dynamic_query_handler(None)
            await workflow.sleep(1)
            return []

        def added(self, number: int) -> int:
            return number + 1

        def anything(self, name: str, args: list[RawValue]) -> list[Any]:
            return [name, *[value(each.payload) for each in args]]

    driver = Driver(Changing)
    driver.start()
    assert value(driver.query("count").result) == 99
    assert value(driver.query("added", 1).result) == 2
    failure = driver.query("added", "one").failure
    assert failure is not None
    assert "query 'added'" in failure.message
    assert value(driver.query("unheard", 1, "two").result) == ["unheard", 1, "two"]
    driver.activate(_native.FireTimer(seq=1))
    failure = driver.query("count").failure
    assert failure is not None
    assert "has no query 'count'; its queries are: added, break_down, fail, item-at, secret" in failure.message


def test_the_dynamic_handler_of_the_class() -> None:
    @workflow.defn
    class Dynamic:
        @workflow.run
        async def run(self) -> None:
            await workflow.sleep(1)

        @workflow.query(dynamic=True)
        def anything(self, name: str, args: list[RawValue]) -> str:
            return f"{name} of {len(args)}"

    driver = Driver(Dynamic)
    driver.start()
    assert value(driver.query("state", 1, 2).result) == "state of 2"


def test_a_query_is_answered_after_the_workflow_has_ended() -> None:
    @workflow.defn
    class Short:
        @workflow.run
        async def run(self) -> None: ...

        @workflow.query
        def state(self) -> str:
            return "over"

    driver = Driver(Short)
    driver.start()
    assert value(driver.query("state").result) == "over"


@pytest.mark.parametrize("name", ["late", None])
def test_async_handlers_are_refused_where_they_are_set(name: str | None) -> None:
    async def late(*_: Any) -> str:
        return "never"

    @workflow.defn
    async def odd() -> None:
        if name is None:
            workflow.set_dynamic_query_handler(late)
        else:
            workflow.set_query_handler(name, late)

    with pytest.raises(TypeError, match=r"a query handler cannot be async, because a query may not wait: .*late"):
        Driver(odd).start()
