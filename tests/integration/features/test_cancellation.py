"""Cancelling a workflow: what its code sees, and what it may still do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest

from invincible import workflow
from invincible.client import WorkflowExecutionStatus, WorkflowFailureError
from invincible.exceptions import ActivityError, ApplicationError, CancelledError, FailureError, is_cancelled_exception
from tests.support.features import MINUTE, TEN_SECONDS, Feature, data, echo, of_kind, recorded, rested


@workflow.defn
class CleansUp:
    @workflow.run
    async def run(self) -> None:
        assert workflow.cancellation_reason() is None
        try:
            await asyncio.gather(workflow.sleep(MINUTE), rested())
        finally:
            await recorded(workflow.cancellation_reason())
            await rested()


async def test_a_cancelled_workflow_cleans_up_first(feature: Feature) -> None:
    async with feature.worker([CleansUp]):
        handle = await feature.start(CleansUp.run)
        await feature.resting(handle)
        await handle.cancel(reason="not needed")
        with pytest.raises(WorkflowFailureError) as failure:
            await handle.result()
        assert isinstance(failure.value.cause, CancelledError)
        assert (await handle.describe()).status is WorkflowExecutionStatus.CANCELED
    events = await feature.events(handle)
    assert len(of_kind(events, "timer_canceled")) == 1
    scheduled = of_kind(events, "activity_task_scheduled")
    assert b'"not needed"' in data(scheduled[-2].activity_task_scheduled_event_attributes.input.payloads[0])


@workflow.defn
class GoesOn:
    @workflow.run
    async def run(self) -> str:
        try:
            await asyncio.gather(workflow.sleep(MINUTE), rested())
        except asyncio.CancelledError:
            await rested()
            return "all the same"
        return "in peace"


async def test_a_workflow_may_complete_although_cancelled(feature: Feature) -> None:
    async with feature.worker([GoesOn]):
        handle = await feature.start(GoesOn.run)
        await feature.resting(handle)
        await handle.cancel()
        assert await handle.result() == "all the same"


@workflow.defn
class CancelledEarly:
    @workflow.run
    async def run(self) -> str:
        try:
            await workflow.sleep(MINUTE)
        except asyncio.CancelledError:
            return str(await recorded("it had started"))
        return "slept"


async def test_a_workflow_cancelled_before_its_first_task_starts(feature: Feature) -> None:
    handle = await feature.start(CancelledEarly.run)
    await handle.cancel()
    async with feature.worker([CancelledEarly]):
        assert await handle.result() == "it had started"


@workflow.defn
class Shielded:
    @workflow.run
    async def run(self) -> str:
        important = asyncio.ensure_future(
            echo.with_options(
                start_to_close_timeout=TEN_SECONDS, task_queue=f"{workflow.info().task_queue}-later"
            ).start("kept")
        )
        try:
            await asyncio.gather(asyncio.shield(important), rested())
        except asyncio.CancelledError:
            await rested()
            return f"{await important} and cancelled"
        return "in peace"


async def test_a_shielded_activity_outlives_the_cancellation(feature: Feature) -> None:
    async with feature.worker([Shielded]):
        handle = await feature.start(Shielded.run)
        await feature.resting(handle)
        await handle.cancel()
        await feature.resting(handle, times=2)
        async with feature.activity_worker([echo], f"{feature.task_queue}-later"):
            assert await handle.result() == "kept and cancelled"
    assert not [
        each
        for each in of_kind(await feature.events(handle), "activity_task_cancel_requested")
        if each.activity_task_cancel_requested_event_attributes.scheduled_event_id == 5
    ]


@workflow.defn
async def child() -> str:
    await workflow.sleep(MINUTE)
    return "slept"


@workflow.defn
class Reaches:
    """Each operation that the workflow waits for is cancelled with it."""

    @workflow.run
    async def run(self) -> list[str]:
        async def outcome(name: str, waiting: Awaitable[object]) -> str:
            try:
                await waiting
            except (asyncio.CancelledError, FailureError) as error:
                return f"{name} {type(error).__name__} {is_cancelled_exception(error)}"
            return f"{name} completed"

        unserved = echo.with_options(start_to_close_timeout=TEN_SECONDS, task_queue="nobody")
        tasks = [
            asyncio.create_task(outcome("activity", unserved.execute(1))),
            asyncio.create_task(outcome("child", workflow.execute_child_workflow(child))),
            asyncio.create_task(outcome("timer", workflow.sleep(MINUTE))),
            asyncio.create_task(outcome("condition", workflow.wait_condition(lambda: False))),
        ]
        try:
            await asyncio.gather(asyncio.Future(), rested())
        except asyncio.CancelledError:
            for task in tasks:
                task.cancel()
        return [await task for task in tasks]


async def test_cancellation_reaches_each_kind_of_operation(feature: Feature) -> None:
    async with feature.worker([Reaches, child]):
        handle = await feature.start(Reaches.run)
        await feature.resting(handle)
        await feature.happened(handle, "child_workflow_execution_started")
        await handle.cancel()
        assert await handle.result() == [
            "activity ActivityError True",
            "child ChildWorkflowError True",
            "timer CancelledError True",
            "condition CancelledError True",
        ]


@workflow.defn
class FailsInstead:
    @workflow.run
    async def run(self) -> None:
        try:
            await asyncio.gather(workflow.sleep(MINUTE), rested())
        except asyncio.CancelledError:
            raise ApplicationError("cannot stop here", type="Sorry") from None


async def test_a_workflow_may_fail_when_cancelled(feature: Feature) -> None:
    async with feature.worker([FailsInstead]):
        handle = await feature.start(FailsInstead.run)
        await feature.resting(handle)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError) as failure:
            await handle.result()
        assert isinstance(failure.value.cause, ApplicationError)
        assert (await handle.describe()).status is WorkflowExecutionStatus.FAILED


@workflow.defn
class CancelsItsOwn:
    @workflow.run
    async def run(self) -> str:
        activity = echo.with_options(start_to_close_timeout=TEN_SECONDS, task_queue="nobody").start(1)
        await rested()
        activity.cancel()
        await activity  # Fails the workflow: nobody has asked to cancel that.
        return "never"


async def test_a_cancelled_activity_alone_is_a_failure_of_the_workflow(feature: Feature) -> None:
    async with feature.worker([CancelsItsOwn]):
        handle = await feature.start(CancelsItsOwn.run)
        with pytest.raises(WorkflowFailureError) as failure:
            await handle.result()
        assert isinstance(failure.value.cause, ActivityError)
        assert isinstance(failure.value.cause.cause, CancelledError)
        assert (await handle.describe()).status is WorkflowExecutionStatus.FAILED
