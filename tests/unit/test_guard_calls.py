"""What only the interpreter's call events see, from Python 3.12 on: methods of static types."""

from __future__ import annotations

import datetime
import os
import random
import sys
import time
from collections.abc import Callable
from datetime import datetime as renamed
from functools import wraps
from typing import Any
from unittest import mock

import pytest

from invincible import workflow
from invincible._engine.guard import RestrictedWorkflowAccessError, check_definition
from invincible._engine.reference import workflow_definition
from tests.support.guarded import start

SEEN_AT_RUN_TIME = sys.version_info >= (3, 12)


class Instant(datetime.datetime):
    pass


def helper() -> object:
    return renamed.utcnow()


def traced(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    async def wrapper(*args: Any) -> Any:
        return await function(*args)

    return wrapper


@workflow.defn
class Dated:
    @workflow.run
    async def run(self, how: str) -> str:
        return str(getattr(self, how)())

    def now(self) -> object:
        return datetime.datetime.now()

    def now_in_utc(self) -> object:
        return renamed.now(tz=datetime.timezone.utc)

    def today(self) -> object:
        return datetime.date.today()

    def in_a_comprehension(self) -> object:
        return [datetime.datetime.now() for _ in range(1)]

    def in_a_nested_function(self) -> object:
        def inner() -> object:
            return (lambda: datetime.datetime.now())()

        return inner()

    def in_a_function_of_the_module(self) -> object:
        return helper()

    def unseeded(self) -> object:
        return random.Random()

    def of_a_default(self, clock: Callable[[], float] = time.time) -> object:
        return clock()

    def of_a_subclass(self) -> object:
        return Instant.now()

    def lifted(self) -> object:
        with workflow.unsafe.sandbox_unrestricted():
            return datetime.datetime.now()

    def asks_the_system(self) -> object:
        return os.stat(".").st_size

    def asks_the_library(self) -> object:
        return os.path.exists(".")

    def seeded(self) -> object:
        return random.Random(1)

    def for_its_first_time(self) -> object:
        return len("a")


NAMES = {
    "now": "datetime.datetime.now",
    "now_in_utc": "datetime.datetime.now",
    "today": "datetime.date.today",
    "in_a_comprehension": "datetime.datetime.now",
    "in_a_nested_function": "datetime.datetime.now",
    "in_a_function_of_the_module": "datetime.datetime.utcnow",
    "unseeded": "random.Random",
    "asks_the_system": "os.stat",
    "asks_the_library": "os.path.exists",
}
ONLY_AT_RUN_TIME = {"of_a_default": "time.time", "of_a_subclass": "datetime.datetime.now"}


@pytest.mark.parametrize("how", [*NAMES, *ONLY_AT_RUN_TIME])
@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
def test_calls_of_static_types_are_refused_where_the_interpreter_reports_them(how: str) -> None:
    if not SEEN_AT_RUN_TIME:
        if how != "today":  # which asks time.time
            assert start(Dated, how)
        return
    for _ in range(2):
        with pytest.raises(RestrictedWorkflowAccessError) as caught:
            start(Dated, how)
        assert caught.value.qualified_name == {**NAMES, **ONLY_AT_RUN_TIME}[how]


def test_the_static_pass_finds_them_on_each_python() -> None:
    found = {finding.message.partition("(")[0] for finding in check_definition(workflow_definition(Dated))}
    assert found == set(NAMES.values())


@pytest.mark.parametrize("how", ["lifted", "seeded"])
def test_the_same_calls_pass_where_they_are_allowed(how: str) -> None:
    assert start(Dated, how)
    assert start(Dated, how)


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
def test_the_same_function_may_be_called_outside_of_workflows() -> None:
    assert helper()


def test_decorated_functions_are_followed() -> None:
    @workflow.defn
    @traced
    async def decorated() -> str:
        return str(datetime.datetime.now())

    if SEEN_AT_RUN_TIME:
        with pytest.raises(RestrictedWorkflowAccessError):
            start(decorated)
    else:
        assert start(decorated)


def test_older_pythons_do_without_call_events() -> None:
    start(Dated, "seeded")
    assert ("invincible._engine.guard.calls" in sys.modules) is SEEN_AT_RUN_TIME


def test_a_place_that_calls_something_else_is_reported_once() -> None:
    if not SEEN_AT_RUN_TIME:
        return
    from invincible._engine.guard import calls

    with mock.patch.object(calls, "_guarded_name", wraps=calls._guarded_name) as reported:
        start(Dated, "for_its_first_time")
        assert reported.called
        reported.reset_mock()
        start(Dated, "for_its_first_time")
        assert not reported.called
