"""Python workflows with children that a Go worker runs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from invincible import workflow
from invincible.api.enums.v1 import EventType
from invincible.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from invincible.exceptions import (
    ApplicationError,
    CancelledError,
    ChildWorkflowError,
    TerminatedError,
    WorkflowAlreadyStartedError,
)
from invincible.worker import Worker
from invincible.workflow import ChildWorkflowCancellationType, ParentClosePolicy
from tests.support.conditions import eventually
from tests.support.history import fetch_events, of_type, wait_for_event

from .replaying import assert_replays
from .values import FAILURE, VALUES, Failure, Values


@workflow.defn
class Echoing:
    @workflow.run
    async def run(self, go_queue: str, values: Values) -> Values:
        child = await workflow.start_child_workflow(
            "Echo", values, id=f"{workflow.info().workflow_id}-child", task_queue=go_queue, result_type=Values
        )
        assert child.id == f"{workflow.info().workflow_id}-child"
        assert child.first_execution_run_id
        result: Values = await child
        return result


async def test_arguments_and_result(
    client: Client, task_queue: str, go_queue: str, worker_options: dict[str, Any]
) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[Echoing], **worker_options):
        handle = await client.start_workflow(Echoing.run, args=[go_queue, VALUES], id=task_queue, task_queue=task_queue)
        assert await handle.result() == VALUES
    await assert_replays(handle, Echoing)


@workflow.defn
class Continuing:
    @workflow.run
    async def run(self, go_queue: str) -> str:
        words: str = await workflow.execute_child_workflow("ContinueOnce", "words", task_queue=go_queue)
        return words


async def test_the_result_is_that_of_the_run_that_the_child_continues_as(
    client: Client, task_queue: str, go_queue: str, worker_options: dict[str, Any]
) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[Continuing], **worker_options):
        handle = await client.start_workflow(Continuing.run, go_queue, id=task_queue, task_queue=task_queue)
        assert await handle.result() == "words"
    await assert_replays(handle, Continuing)


@workflow.defn
class Signalling:
    @workflow.run
    async def run(self, go_queue: str) -> str:
        child = await workflow.start_child_workflow("Hold", {}, task_queue=go_queue, result_type=str)
        await child.signal("release", "words")
        words: str = await child
        try:
            await child.signal("release", "more words")
        except ApplicationError as error:
            return f"{words}, and then {error.type}"
        return "the second signal came too late and nobody said so"


async def test_a_child_is_signalled(
    client: Client, task_queue: str, go_queue: str, worker_options: dict[str, Any]
) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[Signalling], **worker_options):
        handle = await client.start_workflow(Signalling.run, go_queue, id=task_queue, task_queue=task_queue)
        assert await handle.result() == "words, and then ExternalWorkflowExecutionNotFound"
    await assert_replays(handle, Signalling)


@workflow.defn
class Failing:
    @workflow.run
    async def run(self, go_queue: str, failure: Failure) -> None:
        await workflow.execute_child_workflow(
            "Fail", failure, id=f"{workflow.info().workflow_id}-child", task_queue=go_queue
        )


async def test_the_failure_of_a_child_arrives_whole(
    client: Client, task_queue: str, go_queue: str, worker_options: dict[str, Any]
) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[Failing], **worker_options):
        handle = await client.start_workflow(
            Failing.run, args=[go_queue, FAILURE], id=task_queue, task_queue=task_queue
        )
        with pytest.raises(WorkflowFailureError) as raised:
            await handle.result()

    error = raised.value.cause
    assert isinstance(error, ChildWorkflowError)
    assert (error.workflow_type, error.workflow_id) == ("Fail", f"{task_queue}-child")
    cause = error.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.message, cause.type, cause.non_retryable) == ("on demand", "Wanted", True)
    assert list(cause.details) == [{"code": 7}]
    assert isinstance(cause.cause, ApplicationError)
    assert (cause.cause.message, cause.cause.type) == ("the reason", "Reason")
    await assert_replays(handle, Failing)


@workflow.defn
class Doubling:
    """Starts a child under an id that is taken."""

    @workflow.run
    async def run(self, go_queue: str, child_id: str) -> str:
        try:
            await workflow.start_child_workflow("Hold", {}, id=child_id, task_queue=go_queue)
        except WorkflowAlreadyStartedError as error:
            return f"{error.workflow_type} {error.workflow_id}"
        return "it started"


async def test_an_id_that_is_taken_is_refused(
    client: Client, task_queue: str, go_queue: str, worker_options: dict[str, Any]
) -> None:
    taken = await client.start_workflow("Hold", {}, id=f"{task_queue}-taken", task_queue=go_queue)
    async with Worker(client, task_queue=task_queue, workflows=[Doubling], **worker_options):
        handle = await client.start_workflow(
            Doubling.run, args=[go_queue, taken.id], id=task_queue, task_queue=task_queue
        )
        assert await handle.result() == f"Hold {taken.id}"
    await taken.terminate()
    await assert_replays(handle, Doubling)


@workflow.defn
class Cancelling:
    """Cancels its child when it is told to, and ends when it is told to, so that a test can look in between."""

    def __init__(self) -> None:
        self.may_cancel = False
        self.may_end = False
        self.settled = False

    @workflow.run
    async def run(self, go_queue: str, cancellation_type: ChildWorkflowCancellationType) -> None:
        child = await workflow.start_child_workflow(
            "Hold",
            {"linger": True},
            id=f"{workflow.info().workflow_id}-child",
            task_queue=go_queue,
            cancellation_type=cancellation_type,
            parent_close_policy=ParentClosePolicy.ABANDON,
        )
        await workflow.wait_condition(lambda: self.may_cancel)
        child.cancel()
        try:
            await child
        finally:
            self.settled = True
            await workflow.wait_condition(lambda: self.may_end)

    @workflow.signal
    def cancel(self) -> None:
        self.may_cancel = True

    @workflow.signal
    def end(self) -> None:
        self.may_end = True

    @workflow.query
    def is_settled(self) -> bool:
        return self.settled


@dataclass
class Family:
    """A parent that is about to cancel its child, and the child, which lingers until it is released."""

    parent: WorkflowHandle[Any, None]
    child: WorkflowHandle[Any, Any]

    async def parent_settled(self) -> None:
        async def settled() -> bool:
            return await self.parent.query(Cancelling.is_settled)

        await eventually(settled, what="the parent has the outcome of its child")

    async def child_cancelled(self) -> None:
        async def cancelled() -> bool:
            return bool(await self.child.query("cancelled"))

        await eventually(cancelled, what="the child is asked to cancel")

    async def end_parent(self) -> None:
        """End the parent, which fails because its child was cancelled."""
        await self.parent.signal(Cancelling.end)
        with pytest.raises(WorkflowFailureError) as raised:
            await self.parent.result()
        assert isinstance(raised.value.cause, ChildWorkflowError)
        assert isinstance(raised.value.cause.cause, CancelledError)

    async def release_child(self) -> Any:
        await self.child.signal("release", "words")
        return await self.child.result()


async def family(client: Client, task_queue: str, go_queue: str, kind: ChildWorkflowCancellationType) -> Family:
    parent = await client.start_workflow(Cancelling.run, args=[go_queue, kind], id=task_queue, task_queue=task_queue)
    await wait_for_event(client, task_queue, EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED)
    await parent.signal(Cancelling.cancel)
    return Family(parent, client.get_workflow_handle(f"{task_queue}-child"))


async def test_try_cancel_settles_at_once(
    client: Client, task_queue: str, go_queue: str, worker_options: dict[str, Any]
) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[Cancelling], **worker_options):
        both = await family(client, task_queue, go_queue, ChildWorkflowCancellationType.TRY_CANCEL)
        await both.parent_settled()
        await both.child_cancelled()
        await both.end_parent()
        with pytest.raises(WorkflowFailureError):
            await both.release_child()
    await assert_replays(both.parent, Cancelling)


@pytest.mark.parametrize(
    "kind",
    [
        ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
        # Core waits for the end of the child here, too.
        ChildWorkflowCancellationType.WAIT_CANCELLATION_REQUESTED,
    ],
)
async def test_waiting_for_cancellation_settles_when_the_child_has_ended(
    client: Client,
    task_queue: str,
    go_queue: str,
    worker_options: dict[str, Any],
    kind: ChildWorkflowCancellationType,
) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[Cancelling], **worker_options):
        both = await family(client, task_queue, go_queue, kind)
        await both.child_cancelled()
        assert await both.parent.query(Cancelling.is_settled) is False
        with pytest.raises(WorkflowFailureError):
            await both.release_child()
        await both.parent_settled()
        ended = EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED
        assert len(of_type(await fetch_events(client, task_queue), ended)) == 1
        await both.end_parent()
    await assert_replays(both.parent, Cancelling)


async def test_abandon_settles_and_leaves_the_child_alone(
    client: Client, task_queue: str, go_queue: str, worker_options: dict[str, Any]
) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[Cancelling], **worker_options):
        both = await family(client, task_queue, go_queue, ChildWorkflowCancellationType.ABANDON)
        await both.parent_settled()
        await both.end_parent()
        assert await both.release_child() == "words"
    await assert_replays(both.parent, Cancelling)


@workflow.defn
class Waiting:
    """Waits for its child, and is cancelled meanwhile."""

    @workflow.run
    async def run(self, go_queue: str) -> None:
        await workflow.execute_child_workflow(
            "Hold", {}, id=f"{workflow.info().workflow_id}-child", task_queue=go_queue
        )


async def test_cancelling_the_parent_cancels_the_child(
    client: Client, task_queue: str, go_queue: str, worker_options: dict[str, Any]
) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[Waiting], **worker_options):
        handle = await client.start_workflow(Waiting.run, go_queue, id=task_queue, task_queue=task_queue)
        await wait_for_event(client, task_queue, EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError) as raised:
            await handle.result()
        assert isinstance(raised.value.cause, CancelledError)
        with pytest.raises(WorkflowFailureError) as raised:
            await client.get_workflow_handle(f"{task_queue}-child").result()
        # A parent that hears of the start and of its cancellation in one task ends at once, and its child with it.
        assert isinstance(raised.value.cause, (CancelledError, TerminatedError))
    await assert_replays(handle, Waiting)


@workflow.defn
class Hesitating:
    """Cancels the start of a child before the server hears of it."""

    @workflow.run
    async def run(self, go_queue: str) -> str:
        starting = asyncio.ensure_future(workflow.start_child_workflow("Hold", {}, task_queue=go_queue))
        await asyncio.sleep(0)
        starting.cancel()
        with pytest.raises(ChildWorkflowError) as raised:
            await starting
        assert isinstance(raised.value.cause, CancelledError)
        return raised.value.workflow_type


async def test_a_start_that_is_cancelled_at_once_leaves_no_trace(
    client: Client, task_queue: str, go_queue: str, worker_options: dict[str, Any]
) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[Hesitating], **worker_options):
        handle = await client.start_workflow(Hesitating.run, go_queue, id=task_queue, task_queue=task_queue)
        assert await handle.result() == "Hold"
    initiated = EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED
    assert of_type(await fetch_events(client, task_queue), initiated) == []
    await assert_replays(handle, Hesitating)


@workflow.defn
class Leaving:
    """Starts a child and ends."""

    @workflow.run
    async def run(self, go_queue: str, parent_close_policy: ParentClosePolicy) -> None:
        await workflow.start_child_workflow(
            "Hold",
            {},
            id=f"{workflow.info().workflow_id}-child",
            task_queue=go_queue,
            parent_close_policy=parent_close_policy,
            execution_timeout=timedelta(minutes=1),
        )


@pytest.mark.parametrize("policy", [ParentClosePolicy.TERMINATE, ParentClosePolicy.REQUEST_CANCEL])
async def test_the_end_of_the_parent_ends_the_child(
    client: Client, task_queue: str, go_queue: str, worker_options: dict[str, Any], policy: ParentClosePolicy
) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[Leaving], **worker_options):
        handle = await client.start_workflow(Leaving.run, args=[go_queue, policy], id=task_queue, task_queue=task_queue)
        await handle.result()
    with pytest.raises(WorkflowFailureError) as raised:
        await client.get_workflow_handle(f"{task_queue}-child").result()
    terminated = policy is ParentClosePolicy.TERMINATE
    assert isinstance(raised.value.cause, TerminatedError if terminated else CancelledError)
    await assert_replays(handle, Leaving)


async def test_an_abandoned_child_outlives_its_parent(
    client: Client, task_queue: str, go_queue: str, worker_options: dict[str, Any]
) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[Leaving], **worker_options):
        handle = await client.start_workflow(
            Leaving.run, args=[go_queue, ParentClosePolicy.ABANDON], id=task_queue, task_queue=task_queue
        )
        await handle.result()
    child = client.get_workflow_handle(f"{task_queue}-child")
    assert (await child.describe()).status is WorkflowExecutionStatus.RUNNING
    await child.signal("release", "words")
    assert await child.result() == "words"
    await assert_replays(handle, Leaving)
