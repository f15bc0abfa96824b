"""Other workflows by their id: signals to them and requests to cancel them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from invincible import _native, workflow
from invincible.exceptions import ApplicationError
from tests.support.engine import Driver, application_failure, completed, greet, kinds, query, value, values


@workflow.defn
class Other:
    @workflow.run
    async def run(self) -> None: ...

    @workflow.signal
    def poke(self, where: str) -> None: ...


@workflow.defn
async def other() -> None: ...


def test_a_signal_waits_until_it_has_arrived() -> None:
    @workflow.defn
    async def sender() -> str:
        handle = workflow.get_external_workflow_handle("other", run_id="its-run")
        assert (handle.id, handle.run_id) == ("other", "its-run")
        await handle.signal(Other.poke, "ribs", event_groups=[workflow.create_event_group("group")])
        return "sent"

    driver = Driver(sender)
    (command,) = driver.start()
    assert isinstance(command, _native.SignalExternalWorkflowExecution)
    assert (command.seq, command.signal_name, values(command.arguments)) == (1, "poke", ["ribs"])
    assert (command.namespace, command.workflow_id, command.run_id) == ("default", "other", "its-run")
    assert command.child_workflow_id is None
    assert [each.id for each in command.event_groups] == ["group"]
    assert completed(driver.activate(_native.ResolveSignalExternalWorkflow(seq=1))) == "sent"


@pytest.mark.parametrize("workflow_of", [Other, Other.run, other])
def test_a_handle_may_be_typed_by_the_workflow(workflow_of: Any) -> None:
    @workflow.defn
    async def sender() -> None:
        handle = workflow.get_external_workflow_handle_for(workflow_of, "other")
        assert (handle.id, handle.run_id) == ("other", None)
        await handle.signal("poke", args=[1, 2])

    (command,) = Driver(sender).start()
    assert (command.workflow_id, command.run_id, values(command.arguments)) == ("other", "", [1, 2])


def test_a_handle_for_what_is_no_workflow_is_refused() -> None:
    @workflow.defn
    async def sender() -> None:
        workflow.get_external_workflow_handle_for(print, "other")  # type: ignore[call-overload]

    with pytest.raises(TypeError, match="print is not a workflow"):
        Driver(sender).start()


def test_a_signal_that_cannot_be_delivered_raises() -> None:
    @workflow.defn
    async def sender() -> str:
        try:
            await workflow.get_external_workflow_handle("nobody").signal("poke")
        except ApplicationError as error:
            return error.message
        return "sent"

    driver = Driver(sender)
    driver.start()
    failure = application_failure("no such workflow", type="")
    assert (
        completed(driver.activate(_native.ResolveSignalExternalWorkflow(seq=1, failure=failure))) == "no such workflow"
    )


def test_cancelling_the_wait_withdraws_the_signal() -> None:
    @workflow.defn
    async def sender() -> str:
        try:
            await workflow.get_external_workflow_handle("other").signal("poke")
        except ApplicationError as error:
            return error.message
        return "sent"

    driver = Driver(sender)
    driver.start()
    (withdrawal,) = driver.activate(_native.CancelWorkflow())
    assert isinstance(withdrawal, _native.CancelSignalWorkflow)
    assert withdrawal.seq == 1
    failure = application_failure("withdrawn")
    assert completed(driver.activate(_native.ResolveSignalExternalWorkflow(seq=1, failure=failure))) == "withdrawn"


@pytest.mark.parametrize(
    ("failure", "commands", "result"),
    [
        (None, [_native.CancelSignalWorkflow, _native.CompleteWorkflowExecution], "sent"),
        # Core does not take the withdrawal of a signal that has failed.
        (application_failure("no such workflow"), [_native.CompleteWorkflowExecution], "cancelled"),
    ],
)
def test_a_signal_that_is_cancelled_in_the_task_of_its_answer(failure: Any, commands: list[type], result: str) -> None:
    @workflow.defn
    async def sender() -> str:
        task = asyncio.create_task(workflow.get_external_workflow_handle("other").signal("poke"))
        await workflow.sleep(1)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return "cancelled"
        return "sent"

    driver = Driver(sender)
    driver.start()
    ended = driver.activate(_native.FireTimer(seq=1), _native.ResolveSignalExternalWorkflow(seq=1, failure=failure))
    assert kinds(ended) == commands
    assert value(ended[-1].result) == result


def test_a_failed_signal_is_not_withdrawn_by_code_that_is_told_of_a_message_first() -> None:
    @workflow.defn
    class Sender:
        @workflow.run
        async def run(self) -> str:
            self.task = asyncio.create_task(workflow.get_external_workflow_handle("other").signal("poke"))
            try:
                await self.task
            except ApplicationError as error:
                return error.message
            return "sent"

        @workflow.signal
        def stop(self) -> None:
            self.task.cancel()

    driver = Driver(Sender)
    driver.start()
    failure = application_failure("no such workflow")
    ended = driver.activate(
        _native.SignalWorkflow(signal_name="stop"), _native.ResolveSignalExternalWorkflow(seq=1, failure=failure)
    )
    # Core, which knows of the failure already, would refuse the withdrawal for ever.
    assert kinds(ended) == [_native.CompleteWorkflowExecution]
    assert value(ended[0].result) == "no such workflow"


def test_a_cancellation_request_waits_until_it_has_arrived() -> None:
    @workflow.defn
    async def canceller() -> str:
        handle = workflow.get_external_workflow_handle("other", run_id="its-run")
        await handle.cancel(reason="enough", event_groups=[workflow.create_event_group("group")])
        return "asked"

    driver = Driver(canceller)
    (command,) = driver.start()
    assert isinstance(command, _native.RequestCancelExternalWorkflowExecution)
    assert (command.seq, command.namespace, command.workflow_id, command.run_id) == (1, "default", "other", "its-run")
    assert command.reason == "enough"
    assert [each.id for each in command.event_groups] == ["group"]
    assert completed(driver.activate(_native.ResolveRequestCancelExternalWorkflow(seq=1))) == "asked"


def test_a_cancellation_request_that_cannot_be_delivered_raises() -> None:
    @workflow.defn
    async def canceller() -> str:
        try:
            await workflow.get_external_workflow_handle("nobody").cancel()
        except ApplicationError as error:
            return error.message
        return "asked"

    driver = Driver(canceller)
    (command,) = driver.start()
    assert (command.reason, command.run_id) == ("", "")
    failure = application_failure("no such workflow")
    answer = driver.activate(_native.ResolveRequestCancelExternalWorkflow(seq=1, failure=failure))
    assert completed(answer) == "no such workflow"


@pytest.mark.parametrize("failure", [None, application_failure()])
def test_an_answer_that_nobody_waits_for_any_more_does_no_harm(failure: Any) -> None:
    @workflow.defn
    async def canceller() -> str:
        task = asyncio.create_task(workflow.get_external_workflow_handle("other").cancel())
        await workflow.sleep(1)
        task.cancel()
        await workflow.sleep(1)
        return "left"

    driver = Driver(canceller)
    driver.start()
    driver.activate(_native.FireTimer(seq=1))
    assert driver.activate(_native.ResolveRequestCancelExternalWorkflow(seq=1, failure=failure)) == []
    assert completed(driver.activate(_native.FireTimer(seq=2))) == "left"


def test_signals_and_requests_are_numbered_apart() -> None:
    @workflow.defn
    async def busy() -> None:
        handle = workflow.get_external_workflow_handle("other")
        greet.start("Ada")
        await asyncio.gather(handle.signal("a"), handle.cancel(), handle.signal("b"), handle.cancel())

    _, *commands = Driver(busy).start()
    assert [command.seq for command in commands] == [1, 1, 2, 2]


@pytest.mark.parametrize(
    ("job", "kind"),
    [
        (_native.ResolveSignalExternalWorkflow(seq=1), "signal to another workflow"),
        (_native.ResolveRequestCancelExternalWorkflow(seq=1), "cancellation request to another workflow"),
    ],
)
def test_answers_to_what_was_not_asked_are_nondeterminism(job: Any, kind: str) -> None:
    @workflow.defn
    async def alone() -> None:
        await workflow.sleep(1)

    driver = Driver(alone)
    driver.start()
    with pytest.raises(workflow.NondeterminismError, match=f"an event for {kind} 1, but"):
        driver.activate(job)


def test_a_query_can_reach_nobody() -> None:
    @workflow.defn
    class Meddler:
        @workflow.run
        async def run(self) -> None:
            await workflow.wait_condition(lambda: False)

        @workflow.query
        def signalling(self) -> None:
            workflow.get_external_workflow_handle("other").signal("poke").send(None)

        @workflow.query
        def cancelling(self) -> None:
            workflow.get_external_workflow_handle("other").cancel().send(None)

    driver = Driver(Meddler)
    driver.start()
    for name in ("signalling", "cancelling"):
        (answer,) = driver.activate(query(name))
        assert f"{name} another workflow is not possible in a query or validator" in answer.failure.message
