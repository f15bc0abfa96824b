"""Handles of other workflows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from invincible import workflow
from invincible.client import WorkflowExecutionStatus, WorkflowFailureError
from invincible.exceptions import ApplicationError, CancelledError
from tests.support.features import Feature, attributes, of_kind, rested


@workflow.defn
class Other:
    def __init__(self) -> None:
        self.heard: list[str] = []

    @workflow.signal
    def hear(self, text: str, times: int = 1) -> None:
        self.heard += [text] * times

    @workflow.run
    async def run(self) -> list[str]:
        try:
            await workflow.wait_condition(lambda: len(self.heard) == 3)
        except asyncio.CancelledError:
            self.heard.append(f"cancelled: {workflow.cancellation_reason()}")
            raise
        return self.heard


@workflow.defn
class Signals:
    @workflow.run
    async def run(self, id: str, run_id: str) -> list[str | None]:
        anyone = workflow.get_external_workflow_handle(id)
        exactly = workflow.get_external_workflow_handle_for(Other.run, id, run_id=run_id)
        await anyone.signal("hear", args=["twice", 2])
        await rested()
        await exactly.signal(Other.hear, "once")
        return [anyone.id, anyone.run_id, exactly.run_id]


async def test_a_workflow_signals_another(feature: Feature) -> None:
    async with feature.worker([Signals, Other]):
        other = await feature.start(Other.run, id=f"{feature.task_queue}-other")
        handle = await feature.start(Signals.run, other.id, other.result_run_id)
        assert await handle.result() == [other.id, None, other.result_run_id]
        assert await other.result() == ["twice", "twice", "once"]
    said = attributes(await feature.events(handle), "signal_external_workflow_execution_initiated")
    assert [each.workflow_execution.run_id for each in said] == ["", other.result_run_id]
    assert [each.signal_name for each in said] == ["hear", "hear"]


@workflow.defn
class CancelsOther:
    @workflow.run
    async def run(self, id: str) -> str:
        handle = workflow.get_external_workflow_handle_for(Other.run, id)
        await handle.cancel(reason="no longer wanted")
        await rested()
        return "asked"


async def test_a_workflow_cancels_another_and_says_why(feature: Feature) -> None:
    async with feature.worker([CancelsOther, Other]):
        other = await feature.start(Other.run, id=f"{feature.task_queue}-other")
        assert await feature.execute(CancelsOther.run, other.id) == "asked"
        with pytest.raises(WorkflowFailureError) as failure:
            await other.result()
        assert isinstance(failure.value.cause, CancelledError)
        assert (await other.describe()).status is WorkflowExecutionStatus.CANCELED
    (request,) = attributes(await feature.events(other), "workflow_execution_cancel_requested")
    assert request.external_workflow_execution.workflow_id == feature.task_queue
    assert request.cause.endswith("no longer wanted")


@workflow.defn
class Unknown:
    @workflow.run
    async def run(self) -> list[str]:
        nobody = workflow.get_external_workflow_handle("nobody")
        outcomes = []
        calls: list[Callable[[], Awaitable[None]]] = [lambda: nobody.signal("hear", "x"), nobody.cancel]
        for call in calls:
            try:
                await call()
            except ApplicationError as error:
                outcomes.append(f"{error.type}: {error.message}")
        await rested()
        return outcomes


async def test_there_must_be_such_a_workflow(feature: Feature) -> None:
    async with feature.worker([Unknown]):
        handle = await feature.start(Unknown.run)
        outcomes = await handle.result()
    assert len(outcomes) == 2
    assert all("not found" in each for each in outcomes), outcomes
    events = await feature.events(handle)
    assert len(of_kind(events, "signal_external_workflow_execution_failed")) == 1
    assert len(of_kind(events, "request_cancel_external_workflow_execution_failed")) == 1


@workflow.defn
class SignalTakenBack:
    @workflow.run
    async def run(self, id: str) -> str:
        signal = asyncio.create_task(workflow.get_external_workflow_handle(id).signal("hear", "x"))
        await asyncio.sleep(0)
        signal.cancel()
        try:
            await signal
        except CancelledError:
            await rested()
            return "taken back"
        return "sent"


async def test_a_signal_that_is_cancelled_at_once_is_not_sent(feature: Feature) -> None:
    async with feature.worker([SignalTakenBack]):
        handle = await feature.start(SignalTakenBack.run, "nobody")
        assert await handle.result() == "taken back"
    assert not of_kind(await feature.events(handle), "signal_external_workflow_execution_initiated")
