"""Child workflows: how they are named, their options, ends and cancellation."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from invincible import workflow
from invincible.api.enums.v1 import ParentClosePolicy as ClosePolicyNumber
from invincible.api.enums.v1 import WorkflowIdReusePolicy
from invincible.client import WorkflowExecutionStatus, WorkflowFailureError
from invincible.common import (
    Priority,
    RetryPolicy,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDReusePolicy,
)
from invincible.exceptions import (
    ApplicationError,
    CancelledError,
    ChildWorkflowError,
    TerminatedError,
    WorkflowAlreadyStartedError,
)
from invincible.workflow import ChildWorkflowCancellationType, ParentClosePolicy
from tests.support.conditions import eventually
from tests.support.features import MINUTE, SOON, Feature, attributes, details, of_kind, rested, summary

COLOUR = SearchAttributeKey.for_keyword("FeatureKeyword")


@workflow.defn(name="Doubling")
class Double:
    @workflow.run
    async def run(self, number: int, plus: int = 0) -> int:
        await workflow.sleep(SOON)
        return 2 * number + plus


@workflow.defn
async def triple(number: int) -> int:
    return 3 * number


@workflow.defn
class Calls:
    @workflow.run
    async def run(self) -> list[object]:
        own = workflow.info().workflow_id
        handle = await workflow.start_child_workflow(Double.run, args=[1, 1], id=f"{own}-first")
        await rested()
        return [
            handle.id == f"{own}-first",
            bool(handle.first_execution_run_id),
            await handle,
            await workflow.execute_child_workflow(Double.run, 2),
            await workflow.execute_child_workflow("Doubling", 3, result_type=int),
            await workflow.execute_child_workflow(triple, 4),
            sum(await asyncio.gather(*(workflow.execute_child_workflow(triple, number) for number in range(4)))),
        ]


async def test_children_are_called_by_class_function_and_name(feature: Feature) -> None:
    async with feature.worker([Calls, Double, triple]):
        handle = await feature.start(Calls.run)
        assert await handle.result() == [True, True, 3, 4, 6, 12, 18]
    initiated = attributes(await feature.events(handle), "start_child_workflow_execution_initiated")
    ids = [each.workflow_id for each in initiated]
    assert ids[0] == f"{feature.task_queue}-first"
    assert len(set(ids)) == 8
    assert {each.task_queue.name for each in initiated} == {feature.task_queue}


@workflow.defn
class Options:
    @workflow.run
    async def run(self) -> int:
        handle = await workflow.start_child_workflow(
            Double.run,
            21,
            id=f"{workflow.info().workflow_id}-child",
            task_queue=workflow.info().task_queue,
            cancellation_type=ChildWorkflowCancellationType.ABANDON,
            parent_close_policy=ParentClosePolicy.REQUEST_CANCEL,
            execution_timeout=timedelta(seconds=50),
            run_timeout=timedelta(seconds=40),
            task_timeout=timedelta(seconds=8),
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=3), maximum_attempts=2),
            memo={"of": "the child"},
            search_attributes=TypedSearchAttributes([SearchAttributePair(COLOUR, "red")]),
            static_summary="a **child**",
            static_details="two\nlines",
            priority=Priority(priority_key=4),
        )
        await rested()
        result: int = await handle
        return result


async def test_every_option_of_a_child_reaches_the_server(feature: Feature) -> None:
    async with feature.worker([Options, Double]):
        handle = await feature.start(Options.run)
        assert await handle.result() == 42
    (event,) = of_kind(await feature.events(handle), "start_child_workflow_execution_initiated")
    said = event.start_child_workflow_execution_initiated_event_attributes
    assert (said.workflow_type.name, said.workflow_id) == ("Doubling", f"{feature.task_queue}-child")
    assert [said.workflow_execution_timeout.seconds, said.workflow_run_timeout.seconds] == [50, 40]
    assert said.workflow_task_timeout.seconds == 8
    assert said.parent_close_policy == ClosePolicyNumber.PARENT_CLOSE_POLICY_REQUEST_CANCEL
    assert said.workflow_id_reuse_policy == WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
    assert (said.retry_policy.initial_interval.seconds, said.retry_policy.maximum_attempts) == (3, 2)
    assert said.priority.priority_key == 4
    assert (summary(event), details(event)) == ("a **child**", "two\nlines")
    child = await feature.client.get_workflow_handle(f"{feature.task_queue}-child").describe()
    assert await child.memo() == {"of": "the child"}
    assert child.typed_search_attributes[COLOUR] == "red"
    assert (await child.static_summary(), await child.static_details()) == ("a **child**", "two\nlines")
    assert (child.parent_id, child.root_id) == (feature.task_queue, feature.task_queue)


@workflow.defn
class Patient:
    """Ends by a signal, or in the way that it is told to when it is cancelled."""

    def __init__(self) -> None:
        self.done = False

    @workflow.signal
    def finish(self, result: str) -> None:
        self.result = result
        self.done = True

    @workflow.run
    async def run(self, when_cancelled: str = "") -> str:
        try:
            await workflow.wait_condition(lambda: self.done)
        except asyncio.CancelledError:
            if when_cancelled == "finishes later":
                await workflow.wait_condition(lambda: self.done)
            elif when_cancelled:
                return when_cancelled
            else:
                raise
        return self.result


@workflow.defn
class SignalsChild:
    @workflow.run
    async def run(self) -> str:
        child = await workflow.start_child_workflow(Patient.run)
        await rested()
        await child.signal(Patient.finish, "by its method")
        first: str = await child
        child = await workflow.start_child_workflow(Patient.run)
        await child.signal("finish", "by its name")
        try:
            return f"{first}, {await child}"
        finally:
            try:
                await child.signal(Patient.finish, "too late")
            except ApplicationError as error:
                first = str(error)


async def test_a_parent_signals_its_child(feature: Feature) -> None:
    async with feature.worker([SignalsChild, Patient]):
        handle = await feature.start(SignalsChild.run)
        assert await handle.result() == "by its method, by its name"
    events = await feature.events(handle)
    signals = attributes(events, "signal_external_workflow_execution_initiated")
    assert [each.child_workflow_only for each in signals] == [True, True, True]
    assert len(of_kind(events, "signal_external_workflow_execution_failed")) == 1


@workflow.defn
class Failing:
    @workflow.run
    async def run(self, how: str) -> int:
        if how == "retried" and workflow.info().attempt == 3:
            return 3
        if how == "timed out":
            await workflow.sleep(MINUTE)
        raise ApplicationError(f"{how} {workflow.info().attempt}", "a detail", type="Sorry")


@workflow.defn
class Failures:
    @workflow.run
    async def run(self) -> list[object]:
        own = workflow.info().workflow_id
        outcomes: list[object] = []
        retries = RetryPolicy(initial_interval=SOON, maximum_attempts=3)
        retried = await workflow.start_child_workflow(Failing.run, "retried", retry_policy=retries)
        late = await workflow.start_child_workflow(Failing.run, "timed out", run_timeout=timedelta(seconds=1))
        child = await workflow.start_child_workflow(Failing.run, "failed", id=f"{own}-failed")
        await rested()
        try:
            await child
        except ChildWorkflowError as error:
            cause: Any = error.cause
            its_own = (error.workflow_id, error.run_id) == (child.id, child.first_execution_run_id)
            outcomes += [its_own, error.workflow_type, cause.message, cause.type, list(cause.details)]
        try:
            await late
        except ChildWorkflowError as error:
            outcomes.append(type(error.cause).__name__)
        outcomes.append(await retried)
        try:
            await workflow.execute_child_workflow(
                triple, 1, id=f"{own}-failed", id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE
            )
        except WorkflowAlreadyStartedError as error:
            outcomes += [error.workflow_id == f"{own}-failed", error.workflow_type]
        return outcomes


async def test_failures_of_children_are_told_in_full(feature: Feature) -> None:
    async with feature.worker([Failures, Failing, triple]):
        outcomes = await feature.execute(Failures.run)
    assert outcomes == [
        True, "Failing", "failed 1", "Sorry", ["a detail"], "TimeoutError", 3, True, "triple"
    ]  # fmt: skip


@workflow.defn
class TerminatedChild:
    @workflow.run
    async def run(self) -> str:
        try:
            await workflow.execute_child_workflow(Patient.run, id=f"{workflow.info().workflow_id}-child")
        except ChildWorkflowError as error:
            return type(error.cause).__name__
        return "ended"


async def test_a_parent_is_told_of_its_childs_termination(feature: Feature) -> None:
    async with feature.worker([TerminatedChild, Patient]):
        handle = await feature.start(TerminatedChild.run)
        child = await _running(feature, f"{feature.task_queue}-child")
        await child.terminate()
        assert await handle.result() == TerminatedError.__name__


@workflow.defn
class Closes:
    @workflow.run
    async def run(self, policy: ParentClosePolicy) -> None:
        await workflow.start_child_workflow(
            Patient.run, id=f"{workflow.info().workflow_id}-child", parent_close_policy=policy
        )
        await rested()


@pytest.mark.parametrize(
    ("policy", "end"),
    [
        (ParentClosePolicy.TERMINATE, WorkflowExecutionStatus.TERMINATED),
        (ParentClosePolicy.REQUEST_CANCEL, WorkflowExecutionStatus.CANCELED),
        (ParentClosePolicy.ABANDON, WorkflowExecutionStatus.COMPLETED),
    ],
    ids=lambda each: each.name.lower(),
)
async def test_a_child_ends_with_its_parent_as_the_close_policy_says(
    feature: Feature, policy: ParentClosePolicy, end: WorkflowExecutionStatus
) -> None:
    async with feature.worker([Closes, Patient]):
        handle = await feature.start(Closes.run, policy)
        await handle.result()
        child = feature.client.get_workflow_handle(f"{feature.task_queue}-child")
        if policy is ParentClosePolicy.ABANDON:
            await child.signal(Patient.finish, "on its own")
            assert await child.result() == "on its own"
        else:
            with pytest.raises(WorkflowFailureError) as failure:
                await child.result()
            expected = TerminatedError if policy is ParentClosePolicy.TERMINATE else CancelledError
            assert isinstance(failure.value.cause, expected)
        assert (await child.describe()).status is end


@workflow.defn
class Cancels:
    def __init__(self) -> None:
        self.go = False

    @workflow.signal
    def cancel_it(self) -> None:
        self.go = True

    @workflow.run
    async def run(self, cancellation_type: ChildWorkflowCancellationType, when_cancelled: str) -> str:
        child = await workflow.start_child_workflow(
            Patient.run,
            when_cancelled,
            id=f"{workflow.info().workflow_id}-child",
            cancellation_type=cancellation_type,
            parent_close_policy=ParentClosePolicy.ABANDON,
        )
        await rested()
        child.cancel()
        try:
            result: str = await child
        except ChildWorkflowError as error:
            result = "cancelled" if isinstance(error.cause, CancelledError) else str(error)
        # A request that is made as the workflow ends may get lost on the server.
        await rested()
        return result


@pytest.mark.parametrize(
    ("cancellation_type", "when_cancelled", "result", "requested", "completed"),
    [
        pytest.param(ChildWorkflowCancellationType.ABANDON, "", "cancelled", 0, 0, id="abandon"),
        pytest.param(ChildWorkflowCancellationType.TRY_CANCEL, "finishes later", "cancelled", 0, 0, id="try"),
        pytest.param(ChildWorkflowCancellationType.WAIT_CANCELLATION_REQUESTED, "calm", "calm", 1, 1, id="requested"),
        pytest.param(
            ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
            "",
            "cancelled",
            1,
            1,
            id="completed",
        ),
        pytest.param(ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED, "calm", "calm", 1, 1, id="result"),
    ],
)
async def test_cancelling_a_child_waits_as_its_type_says(
    feature: Feature,
    cancellation_type: ChildWorkflowCancellationType,
    when_cancelled: str,
    result: str,
    requested: int,
    completed: int,
) -> None:
    """`requested` and `completed` are the least events of these kinds that the parent has seen when it ends."""
    async with feature.worker([Cancels, Patient]):
        handle = await feature.start(Cancels.run, cancellation_type, when_cancelled)
        assert await handle.result() == result
        child = feature.client.get_workflow_handle(f"{feature.task_queue}-child")
        if not completed:
            await child.signal(Patient.finish, "in its own time")
            assert await child.result() == "in its own time"
        elif when_cancelled:
            assert await child.result() == when_cancelled
        else:
            with pytest.raises(WorkflowFailureError):
                await child.result()
    events = await feature.events(handle)
    abandoned = cancellation_type is ChildWorkflowCancellationType.ABANDON
    assert len(of_kind(events, "request_cancel_external_workflow_execution_initiated")) == int(not abandoned)
    assert len(of_kind(events, "external_workflow_execution_cancel_requested")) >= requested
    ends = ("completed", "canceled")
    assert sum(len(of_kind(events, f"child_workflow_execution_{end}")) for end in ends) >= completed


@workflow.defn
class CancelledBeforeStart:
    @workflow.run
    async def run(self) -> str:
        start = asyncio.create_task(workflow.start_child_workflow(triple, 1))
        await asyncio.sleep(0)
        start.cancel()
        outcome = "started"
        try:
            await start
        except ChildWorkflowError as error:
            outcome = f"{type(error).__name__} {type(error.cause).__name__}"
        except asyncio.CancelledError:
            outcome = "the wait was cancelled"
        await rested()
        return outcome


async def test_a_child_cancelled_before_its_start_never_starts(feature: Feature) -> None:
    async with feature.worker([CancelledBeforeStart, triple]):
        handle = await feature.start(CancelledBeforeStart.run)
        assert await handle.result() == "ChildWorkflowError CancelledError"
    assert not of_kind(await feature.events(handle), "start_child_workflow_execution_initiated")


async def _running(feature: Feature, workflow_id: str) -> Any:
    handle = feature.client.get_workflow_handle(workflow_id)

    async def running() -> bool:
        found = [each async for each in feature.client.get_workflow_handle(feature.task_queue).fetch_history_events()]
        return bool(of_kind(found, "child_workflow_execution_started"))

    await eventually(running, what="the child runs")
    return handle
