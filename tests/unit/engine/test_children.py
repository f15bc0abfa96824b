"""Child workflows: their command, their start, their end, signals to them and their cancellation."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import pytest

from invincible import _native, workflow
from invincible.common import (
    AutoUpgradeVersioningOverride,
    PinnedVersioningOverride,
    Priority,
    RetryPolicy,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkerDeploymentVersion,
    WorkflowIDReusePolicy,
)
from invincible.exceptions import (
    ChildWorkflowError,
    InvalidVersioningOverrideError,
    WorkflowAlreadyStartedError,
)
from tests.support.engine import (
    Driver,
    application_failure,
    cancelled_failure,
    child_done,
    child_failure,
    child_started,
    completed,
    failed,
    greet,
    kinds,
    value,
    values,
)


@workflow.defn
class Child:
    @workflow.run
    async def run(self, name: str, times: int = 1) -> str:
        return name * times

    @workflow.signal
    def poke(self, where: str) -> None: ...

    @workflow.signal(name="wake-up")
    def wake(self) -> None: ...

    @workflow.query
    def state(self) -> str:
        return ""

    @workflow.signal(dynamic=True)
    def anything(self, name: str, args: Any) -> None: ...


@workflow.defn
async def small(number: int) -> int:
    return number


CALLS: dict[str, Any] = {
    "execute_child_workflow": lambda: workflow.execute_child_workflow(Child.run, "Ada"),
    "by class": lambda: workflow.execute_child_workflow(Child, "Ada"),
    "args": lambda: workflow.execute_child_workflow(Child.run, args=["Ada"]),
    "by name": lambda: workflow.execute_child_workflow("Child", "Ada"),
    "execute": lambda: Child.run.execute("Ada"),
    "with_options": lambda: Child.run.with_options(task_queue=None).execute("Ada"),
    "by keyword": lambda: Child.run.execute(name="Ada"),
}


@pytest.mark.parametrize("call", CALLS)
def test_all_forms_of_a_call_are_one(call: str) -> None:
    @workflow.defn
    async def parent() -> Any:
        return await CALLS[call]()

    driver = Driver(parent)
    (command,) = driver.start()
    assert isinstance(command, _native.StartChildWorkflowExecution)
    assert (command.seq, command.workflow_type, command.task_queue) == (1, "Child", "engine")
    assert command.namespace == "default"
    assert values(command.input) == ["Ada"]
    assert uuid.UUID(command.workflow_id).version == 4
    assert driver.activate(child_started()) == []
    assert completed(driver.activate(child_done("Ada"))) == "Ada"


def test_a_function_workflow_is_a_child_too() -> None:
    @workflow.defn
    async def parent() -> list[int]:
        return [await small.execute(3), await workflow.execute_child_workflow(small, 4)]

    driver = Driver(parent)
    (command,) = driver.start()
    assert (command.workflow_type, values(command.input)) == ("small", [3])
    driver.activate(child_started())
    (command,) = driver.activate(child_done(3))
    assert (command.seq, values(command.input)) == (2, [4])
    driver.activate(child_started(seq=2))
    assert completed(driver.activate(child_done(4, seq=2))) == [3, 4]


def test_a_child_that_has_started_is_a_handle() -> None:
    @workflow.defn
    async def parent() -> list[Any]:
        for start in (
            workflow.start_child_workflow(Child.run, "Ada", id="child"),
            Child.run.with_options(id="child").start("Ada"),
        ):
            child = await start
            assert isinstance(child, workflow.ChildWorkflowHandle)
            assert (child.id, child.first_execution_run_id, child.done()) == ("child", "child-run", False)
        return [child.id, await child]

    driver = Driver(parent)
    driver.start()
    driver.activate(child_started())
    driver.activate(child_started(seq=2))
    assert completed(driver.activate(child_done("Ada", seq=2))) == ["child", "Ada"]


def test_start_and_end_may_come_at_once() -> None:
    @workflow.defn
    async def parent() -> str:
        return await Child.run.execute("Ada")

    driver = Driver(parent)
    driver.start()
    assert completed(driver.activate(child_started(), child_done("Ada"))) == "Ada"


def test_every_option_arrives_in_the_command() -> None:
    colour = SearchAttributeKey.for_keyword("Colour")

    @workflow.defn
    async def parent() -> None:
        await workflow.start_child_workflow(
            "anything",
            args=["one", 2],
            id="chosen",
            task_queue="elsewhere",
            cancellation_type=workflow.ChildWorkflowCancellationType.ABANDON,
            parent_close_policy=workflow.ParentClosePolicy.REQUEST_CANCEL,
            execution_timeout=timedelta(seconds=1),
            run_timeout=timedelta(seconds=2),
            task_timeout=timedelta(seconds=3),
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            retry_policy=RetryPolicy(maximum_attempts=4),
            cron_schedule="* * * * *",
            memo={"note": "first"},
            search_attributes=TypedSearchAttributes([SearchAttributePair(colour, "red")]),
            versioning_intent=workflow.VersioningIntent.COMPATIBLE,
            versioning_override=PinnedVersioningOverride(WorkerDeploymentVersion("shop", "b1")),
            static_summary="summary",
            static_details="details",
            event_groups=[workflow.create_event_group("group")],
            priority=Priority(priority_key=5),
        )

    (command,) = Driver(parent).start()
    assert (command.workflow_type, command.workflow_id, command.task_queue) == ("anything", "chosen", "elsewhere")
    assert values(command.input) == ["one", 2]
    assert (command.cancellation_type, command.parent_close_policy, command.id_reuse_policy) == (0, 3, 3)
    assert (command.execution_timeout, command.run_timeout, command.task_timeout) == (1.0, 2.0, 3.0)
    assert command.retry_policy.maximum_attempts == 4
    assert command.cron_schedule == "* * * * *"
    assert {key: value(each) for key, each in command.memo.items()} == {"note": "first"}
    assert {key: value(each) for key, each in command.search_attributes.items()} == {"Colour": "red"}
    assert command.versioning_intent == 1
    assert command.versioning_override == ("pinned", ("shop", "b1"))
    assert (value(command.summary), value(command.details)) == ("summary", "details")
    assert [each.id for each in command.event_groups] == ["group"]
    assert command.priority.priority_key == 5


def test_defaults_are_those_of_the_official_sdk() -> None:
    @workflow.defn
    async def parent() -> None:
        await workflow.start_child_workflow("anything")

    (command,) = Driver(parent).start()
    assert command.cancellation_type == workflow.ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED
    assert command.parent_close_policy == workflow.ParentClosePolicy.TERMINATE
    assert command.id_reuse_policy == WorkflowIDReusePolicy.ALLOW_DUPLICATE
    assert (command.execution_timeout, command.run_timeout, command.task_timeout) == (None, None, None)
    assert (command.retry_policy, command.cron_schedule, command.versioning_intent) == (None, "", 0)
    assert (command.memo, command.search_attributes, command.priority) == (None, None, None)
    assert (command.versioning_override, command.summary, command.details) == (None, None, None)
    assert (command.input, command.event_groups) == ([], [])


def test_untyped_search_attributes_and_the_other_override() -> None:
    @workflow.defn
    async def parent() -> None:
        await workflow.start_child_workflow(
            "anything",
            search_attributes={"Colour": ["red"]},
            versioning_override=AutoUpgradeVersioningOverride(),
        )

    (command,) = Driver(parent).start()
    assert {key: value(each) for key, each in command.search_attributes.items()} == {"Colour": ["red"]}
    assert command.versioning_override[1] is None


# What is refused


@workflow.defn(dynamic=True)
class Dynamic:
    @workflow.run
    async def run(self, args: Any) -> None: ...


# For calls that type checkers refuse too.
untyped: Any = workflow
run: Any = Child.run


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (
            lambda: untyped.execute_child_workflow(print),
            TypeError,
            "print is not a workflow: give a class or function",
        ),
        (
            lambda: untyped.execute_child_workflow(Dynamic.run),
            TypeError,
            "is the dynamic workflow: give the workflow's",
        ),
        (
            lambda: untyped.execute_child_workflow(Child.run),
            TypeError,
            "workflow 'Child' takes .*, but 'name' is missing",
        ),
        (lambda: untyped.execute_child_workflow(Child.run, "a", args=["b"]), ValueError, "give either arg or args"),
        (lambda: run.execute("a", tone="low"), TypeError, "there is no parameter 'tone'"),
        (
            lambda: untyped.execute_child_workflow("C", object()),
            TypeError,
            "arguments of child workflow 'C' cannot be",
        ),
        (lambda: untyped.execute_child_workflow("C", memo={"m": object()}), TypeError, "memo 'm' cannot be encoded"),
        (lambda: untyped.execute_child_workflow("C", memo=["m"]), TypeError, "memo must be a Mapping, got list"),
        (
            lambda: untyped.execute_child_workflow("C", search_attributes=["m"]),
            TypeError,
            "search_attributes must be a Mapping, got list",
        ),
        (
            lambda: untyped.execute_child_workflow("C", colour="red"),
            TypeError,
            "'colour' is not a child workflow option",
        ),
        (lambda: run.with_options(id=3), TypeError, "id must be a str, got int"),
        (lambda: run.with_options(run_timeout=-1), ValueError, "run_timeout must not be negative"),
        (lambda: run.with_options(parent_close_policy=9), ValueError, "must be a ParentClosePolicy, got 9"),
        (lambda: run.with_options(id_reuse_policy=9), ValueError, "must be a WorkflowIDReusePolicy, got 9"),
        (lambda: run.with_options(versioning_override=9), TypeError, "must be a VersioningOverride, got int"),
    ],
)
def test_wrong_calls_say_what_is_wrong(call: Any, error: type[Exception], match: str) -> None:
    @workflow.defn
    async def parent() -> None:
        await call()

    with pytest.raises(error, match=match):
        Driver(parent).start()


# Starts that fail


def start_fails(**job: Any) -> Any:
    @workflow.defn
    async def parent() -> list[Any]:
        try:
            await workflow.start_child_workflow("Child", id="child")
        except (WorkflowAlreadyStartedError, InvalidVersioningOverrideError, ChildWorkflowError, RuntimeError) as error:
            details = [error.workflow_id, error.workflow_type] if isinstance(error, WorkflowAlreadyStartedError) else []
            return [type(error).__name__, str(error), *details]
        return []

    driver = Driver(parent)
    driver.start()
    return completed(driver.activate(_native.ResolveChildWorkflowExecutionStart(seq=1, **job)))


def test_an_id_that_is_taken_raises() -> None:
    name, _, *ids = start_fails(cause=1, workflow_id="child", workflow_type="Child")
    assert (name, ids) == ("WorkflowAlreadyStartedError", ["child", "Child"])


def test_a_missing_namespace_and_an_invalid_override_raise() -> None:
    assert start_fails(cause=3)[0] == "InvalidVersioningOverrideError"
    name, message = start_fails(cause=2)
    assert name == "RuntimeError"
    assert message == "the server could not start child workflow 'child': cause 2"


def test_a_start_that_was_cancelled_raises() -> None:
    assert start_fails(failure=child_failure(cancelled_failure()))[0] == "ChildWorkflowError"


def test_a_start_that_nobody_asked_for_is_nondeterminism() -> None:
    @workflow.defn
    async def alone() -> None:
        await workflow.sleep(1)

    driver = Driver(alone)
    driver.start()
    with pytest.raises(workflow.NondeterminismError, match="an event for child workflow 1, but the workflow code has"):
        driver.activate(child_started())
    with pytest.raises(workflow.NondeterminismError, match="an event for child workflow 3"):
        driver.activate(child_done(seq=3))


# Ends


def test_a_failed_child_raises_with_its_cause() -> None:
    @workflow.defn
    async def parent() -> str:
        try:
            await Child.run.execute("Ada")
        except ChildWorkflowError as error:
            cause: Any = error.cause
            return f"{error.workflow_type} {error.workflow_id}: {type(cause).__name__}: {cause.message}"
        return "no error"

    driver = Driver(parent)
    driver.start()
    driver.activate(child_started())
    failure = child_failure(application_failure())
    ended = driver.activate(_native.ResolveChildWorkflowExecution(seq=1, failure=failure))
    assert completed(ended) == "Child child: ApplicationError: no voice"


def test_results_have_the_type_that_the_call_says() -> None:
    @workflow.defn
    async def parent() -> bool:
        child = await workflow.start_child_workflow("Child", result_type=uuid.UUID)
        return isinstance(await child, uuid.UUID)

    driver = Driver(parent)
    driver.start()
    driver.activate(child_started())
    assert completed(driver.activate(child_done("12345678-1234-5678-1234-567812345678"))) is True


# Cancellation


@workflow.defn
async def waiting_parent() -> str:
    try:
        return await Child.run.execute("Ada")
    except ChildWorkflowError as error:
        return type(error.cause).__name__


def test_cancelling_before_the_start_asks_for_it_and_waits() -> None:
    driver = Driver(waiting_parent)
    driver.start()
    (request,) = driver.activate(_native.CancelWorkflow())
    assert isinstance(request, _native.CancelChildWorkflowExecution)
    assert request.child_workflow_seq == 1
    failure = child_failure(cancelled_failure())
    ended = driver.activate(_native.ResolveChildWorkflowExecutionStart(seq=1, failure=failure))
    assert completed(ended) == "CancelledError"


def test_cancelling_after_the_start_asks_for_it_and_waits() -> None:
    driver = Driver(waiting_parent)
    driver.start()
    driver.activate(child_started())
    (request,) = driver.activate(_native.CancelWorkflow())
    assert isinstance(request, _native.CancelChildWorkflowExecution)
    failure = child_failure(cancelled_failure())
    assert completed(driver.activate(_native.ResolveChildWorkflowExecution(seq=1, failure=failure))) == "CancelledError"


def test_a_child_that_has_ended_cannot_be_cancelled() -> None:
    @workflow.defn
    async def parent() -> list[bool]:
        child = await workflow.start_child_workflow("Child")
        asked = child.cancel()
        await child
        return [asked, child.cancel()]

    driver = Driver(parent)
    driver.start()
    assert kinds(driver.activate(child_started())) == [_native.CancelChildWorkflowExecution]
    assert completed(driver.activate(child_done("all the same"))) == [True, False]


def test_a_request_is_not_sent_when_the_child_ends_in_the_same_task() -> None:
    @workflow.defn
    async def parent() -> None:
        child = await workflow.start_child_workflow("Child")
        await workflow.sleep(1)
        child.cancel()
        await workflow.sleep(1)

    driver = Driver(parent)
    driver.start()
    driver.activate(child_started())
    assert kinds(driver.activate(_native.FireTimer(seq=1), child_done())) == [_native.StartTimer]


# Signals


@pytest.mark.parametrize(
    ("send", "name", "arguments"),
    [
        (lambda child: child.signal(Child.poke, "ribs"), "poke", ["ribs"]),
        (lambda child: child.signal(Child.poke, args=["ribs"]), "poke", ["ribs"]),
        (lambda child: child.signal(Child.wake), "wake-up", []),
        (lambda child: child.signal("by-name", 1), "by-name", [1]),
        (lambda child: child.signal("by-name", args=[1, 2]), "by-name", [1, 2]),
    ],
)
def test_signals_to_a_child(send: Any, name: str, arguments: list[Any]) -> None:
    @workflow.defn
    async def parent() -> str:
        child = await workflow.start_child_workflow("Child", id="child")
        await send(child)
        return "sent"

    driver = Driver(parent)
    driver.start()
    (command,) = driver.activate(child_started())
    assert isinstance(command, _native.SignalExternalWorkflowExecution)
    assert (command.seq, command.child_workflow_id, command.signal_name) == (1, "child", name)
    assert values(command.arguments) == arguments
    assert completed(driver.activate(_native.ResolveSignalExternalWorkflow(seq=1))) == "sent"


def test_a_signal_to_a_child_has_event_groups() -> None:
    @workflow.defn
    async def parent() -> None:
        child = await workflow.start_child_workflow("Child", id="child")
        await child.signal("poke", event_groups=[workflow.create_event_group("group")])

    driver = Driver(parent)
    driver.start()
    (command,) = driver.activate(child_started())
    assert [each.id for each in command.event_groups] == ["group"]


@pytest.mark.parametrize(
    ("send", "match"),
    [
        (
            lambda child: child.signal(Child.state),
            "Child.state is not a signal: give a method decorated with @workflow.s",
        ),
        (
            lambda child: child.signal(Child.anything, "x"),
            "Child.anything is the dynamic signal handler: give the signal",
        ),
        (lambda child: child.signal(Child.poke), "signal 'poke' takes .*'where' is missing"),
        (lambda child: child.signal("poke", object()), "the arguments of signal 'poke' cannot be encoded"),
    ],
)
def test_wrong_signals_are_refused(send: Any, match: str) -> None:
    @workflow.defn
    async def parent() -> None:
        child = await workflow.start_child_workflow("Child", id="child")
        await send(child)

    driver = Driver(parent)
    driver.start()
    with pytest.raises(TypeError, match=match):
        driver.activate(child_started())


def test_children_run_side_by_side() -> None:
    @workflow.defn
    async def parent() -> list[str]:
        return list(await asyncio.gather(Child.run.execute("a"), Child.run.execute("b"), greet.execute("c")))

    driver = Driver(parent)
    first, second, third = driver.start()
    assert (first.seq, second.seq, third.seq) == (1, 2, 1)
    assert first.workflow_id != second.workflow_id
    driver.activate(child_started(seq=2), child_started(seq=1))
    driver.activate(child_done("B", seq=2), child_done("A", seq=1))
    assert completed(driver.activate(_native.ResolveActivity(seq=1, result=first.input[0]))) == ["A", "B", "a"]


def test_a_child_that_cannot_be_started_fails_the_workflow_if_nobody_catches_it() -> None:
    @workflow.defn
    async def parent() -> None:
        await Child.run.execute("Ada")

    driver = Driver(parent)
    driver.start()
    taken = _native.ResolveChildWorkflowExecutionStart(seq=1, cause=1, workflow_id="child", workflow_type="Child")
    assert "already" in failed(driver.activate(taken)).message
