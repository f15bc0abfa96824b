"""Continue-as-new: the command, who may ask for it, and what does not stop it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from invincible import _native, workflow
from invincible.common import RetryPolicy, SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from tests.support.engine import Driver, greet, kinds, query, signal, update, value, values


@workflow.defn
class Target:
    @workflow.run
    async def run(self, number: int) -> None: ...


def continued(commands: list[Any]) -> _native.ContinueAsNewWorkflowExecution:
    (command,) = commands
    assert isinstance(command, _native.ContinueAsNewWorkflowExecution), command
    return command


def test_by_default_the_run_goes_on_as_it_is() -> None:
    @workflow.defn
    async def again(number: int) -> None:
        workflow.continue_as_new(number + 1)

    command = continued(Driver(again, 1).start())
    assert values(command.arguments) == [2]
    assert (command.workflow_type, command.task_queue) == ("", "")
    assert (command.run_timeout, command.task_timeout, command.backoff_start_interval) == (None, None, None)
    assert (command.memo, command.search_attributes, command.retry_policy) == (None, None, None)
    assert (command.versioning_intent, command.initial_versioning_behavior, command.event_groups) == (0, 0, [])


def test_every_option_arrives_in_the_command() -> None:
    colour = SearchAttributeKey.for_keyword("Colour")

    @workflow.defn
    async def again() -> None:
        workflow.continue_as_new(
            args=[5],
            workflow=Target.run,
            task_queue="elsewhere",
            run_timeout=timedelta(seconds=1),
            task_timeout=timedelta(seconds=2),
            backoff_start_interval=timedelta(seconds=3),
            retry_policy=RetryPolicy(maximum_attempts=4),
            memo={"note": "again"},
            search_attributes=TypedSearchAttributes([SearchAttributePair(colour, "red")]),
            versioning_intent=workflow.VersioningIntent.DEFAULT,
            initial_versioning_behavior=workflow.ContinueAsNewVersioningBehavior.AUTO_UPGRADE,
            event_groups=[workflow.create_event_group("group")],
        )

    command = continued(Driver(again).start())
    assert (command.workflow_type, command.task_queue, values(command.arguments)) == ("Target", "elsewhere", [5])
    assert (command.run_timeout, command.task_timeout, command.backoff_start_interval) == (1.0, 2.0, 3.0)
    assert command.retry_policy is not None
    assert command.retry_policy.maximum_attempts == 4
    assert command.memo is not None
    assert value(command.memo["note"]) == "again"
    assert command.search_attributes is not None
    assert value(command.search_attributes["Colour"]) == "red"
    assert (command.versioning_intent, command.initial_versioning_behavior) == (2, 1)
    assert [each.id for each in command.event_groups] == ["group"]


def test_the_other_workflow_may_be_named() -> None:
    @workflow.defn
    async def again() -> None:
        workflow.continue_as_new(3, workflow="Other")

    assert continued(Driver(again).start()).workflow_type == "Other"


def test_it_may_be_asked_for_from_anywhere_the_main_code_waits_for() -> None:
    @workflow.defn
    async def again(number: int) -> None:
        async def deep() -> None:
            try:
                workflow.continue_as_new(number + 1)
            except Exception:
                raise AssertionError("is no Exception") from None

        await deep()

    assert values(continued(Driver(again, 1).start()).arguments) == [2]


def test_it_raises_and_says_why() -> None:
    @workflow.defn
    async def again() -> str:
        try:
            workflow.continue_as_new()
        except workflow.ContinueAsNewError as error:
            return str(error)

    (command,) = Driver(again).start()
    assert value(command.result) == "the workflow continues as new"


@workflow.defn
class Restarting:
    @workflow.run
    async def run(self, number: int) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.signal
    async def restart(self, number: int) -> None:
        await asyncio.sleep(0)
        workflow.continue_as_new(number)

    @workflow.query
    def meddle(self) -> None:
        workflow.continue_as_new(1)

    @workflow.update
    async def renew(self) -> None:
        workflow.continue_as_new(1)


def test_a_signal_handler_may_ask_for_it() -> None:
    driver = Driver(Restarting, 1)
    driver.start()
    assert values(continued(driver.activate(signal("restart", 9))).arguments) == [9]


def test_a_query_may_not() -> None:
    driver = Driver(Restarting, 1)
    driver.start()
    (answer,) = driver.activate(query("meddle"))
    assert "continuing as new is not possible in a query or validator" in answer.failure.message


def test_an_update_handler_may_not_and_the_error_says_what_to_do() -> None:
    driver = Driver(Restarting, 1)
    driver.start()
    with pytest.raises(RuntimeError, match=r"update 'renew' cannot continue .* as new, .*: set a flag, and call cont"):
        driver.activate(update("renew"))


def test_commands_before_it_are_sent_and_its_own_arguments_checked() -> None:
    @workflow.defn
    async def again(number: int) -> None:
        greet.start("Ada")
        workflow.continue_as_new(number)

    assert kinds(Driver(again, 1).start()) == [_native.ScheduleActivity, _native.ContinueAsNewWorkflowExecution]


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (
            lambda: workflow.continue_as_new(),
            TypeError,
            "workflow 'again' takes .number: int., but 'number' is missing",
        ),
        (lambda: workflow.continue_as_new(1, args=[2]), ValueError, "give either arg or args, not both"),
        (lambda: workflow.continue_as_new(args=[1, 2]), TypeError, "workflow 'again' takes .*2 positional arguments"),
        (lambda: workflow.continue_as_new(1, workflow=print), TypeError, "print is not a workflow"),
        (lambda: workflow.continue_as_new(workflow=Target), TypeError, "workflow 'Target' takes .*'number' is missing"),
        (lambda: workflow.continue_as_new(object()), TypeError, "the arguments of workflow 'again' cannot be encoded"),
        (
            lambda: workflow.continue_as_new(1, run_timeout=timedelta(-1)),
            ValueError,
            "run_timeout must not be negative",
        ),
        (lambda: workflow.continue_as_new(1, retry_policy=3), TypeError, "retry_policy must be a RetryPolicy"),  # type: ignore[arg-type]
        (lambda: workflow.continue_as_new(1, memo={"m": object()}), TypeError, "memo 'm' cannot be encoded"),
    ],
)
def test_wrong_calls_say_what_is_wrong(call: Any, error: type[Exception], match: str) -> None:
    @workflow.defn
    async def again(number: int) -> None:
        call()

    with pytest.raises(error, match=match):
        Driver(again, 1).start()


def test_a_dynamic_workflow_continues_with_any_arguments() -> None:
    @workflow.defn(dynamic=True)
    class Anything:
        @workflow.run
        async def run(self, args: Any) -> None:
            workflow.continue_as_new(args=[1, "two"])

    command = continued(Driver(Anything, "x", workflow_type="Unknown").start())
    assert values(command.arguments) == [1, "two"]
