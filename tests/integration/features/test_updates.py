"""Updates: their validators and ends, handlers of each kind, and updates that come with the start."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Sequence

import pytest

from invincible import workflow
from invincible.client import (
    WithStartWorkflowOperation,
    WorkflowExecutionStatus,
    WorkflowUpdateFailedError,
    WorkflowUpdateStage,
)
from invincible.common import RawValue, WorkflowIDConflictPolicy
from invincible.exceptions import ApplicationError
from tests.support.features import Feature, attributes, of_kind, recorded, rested


@workflow.defn
class Account:
    def __init__(self) -> None:
        self.balance = 0
        self.closed = False
        self.validated = 0

    @workflow.update
    async def deposit(self, amount: int, note: str = "none") -> int:
        info = workflow.current_update_info()
        assert info is not None
        before = self.balance
        await recorded(f"{info.id} {info.name} {note}")
        await rested()
        assert workflow.current_update_info() is info
        self.balance = before + amount
        return self.balance

    @deposit.validator
    def check_deposit(self, amount: int, note: str = "none") -> None:
        assert workflow.unsafe.is_read_only()
        info = workflow.current_update_info()
        assert info is not None
        self.validated += 1
        if amount <= 0:
            raise ValueError(f"{amount} is not positive, {info.id}")

    @workflow.update(name="renamed")
    def at_once(self) -> int:
        return self.balance

    @workflow.update
    async def failing(self) -> None:
        await recorded("about to fail")
        raise ApplicationError("overdrawn", type="Sorry")

    @workflow.update(dynamic=True)
    async def anything(self, name: str, arguments: Sequence[RawValue]) -> str:
        values = [workflow.payload_converter().from_payload(each.payload) for each in arguments]
        return str(await recorded(f"{name} {values}"))

    @workflow.signal
    def close(self) -> None:
        self.closed = True

    @workflow.run
    async def run(self) -> int:
        assert workflow.current_update_info() is None
        await workflow.wait_condition(lambda: self.closed and workflow.all_handlers_finished())
        return self.balance


async def test_updates_change_the_run_and_return_results(feature: Feature) -> None:
    async with feature.worker([Account]):
        handle = await feature.start(Account.run)
        assert await handle.execute_update(Account.deposit, 5, id="first") == 5
        assert await handle.execute_update("deposit", args=[6, "a note"], id="second") == 11
        assert await handle.execute_update(Account.at_once) == 11
        assert await handle.execute_update("unknown", args=[1, "x"]) == "unknown [1, 'x']"
        update = await handle.start_update(Account.deposit, 7, id="third", wait_for_stage=WorkflowUpdateStage.ACCEPTED)
        assert await update.result() == 18
        # The same id is the same update.
        assert await handle.execute_update(Account.deposit, 100, id="third") == 18
        await handle.signal(Account.close)
        assert await handle.result() == 18
    events = await feature.events(handle)
    accepted = attributes(events, "workflow_execution_update_accepted")
    assert [
        each.accepted_request.meta.update_id for each in accepted if each.accepted_request.input.name == "deposit"
    ] == [
        "first",
        "second",
        "third",
    ]
    assert len(of_kind(events, "workflow_execution_update_completed")) == 5


async def test_what_a_validator_refuses_leaves_no_trace(feature: Feature) -> None:
    async with feature.worker([Account]):
        handle = await feature.start(Account.run)
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await handle.execute_update(Account.deposit, -1, id="refused")
        cause = refused.value.cause
        assert isinstance(cause, ApplicationError)
        assert (cause.message, cause.type) == ("-1 is not positive, refused", "ValueError")
        await handle.signal(Account.close)
        assert await handle.result() == 0
    events = await feature.events(handle)
    assert not of_kind(events, "workflow_execution_update_accepted")
    assert not of_kind(events, "activity_task_scheduled")


async def test_an_update_that_fails_leaves_the_run_going(feature: Feature) -> None:
    async with feature.worker([Account]):
        handle = await feature.start(Account.run)
        with pytest.raises(WorkflowUpdateFailedError) as failed:
            await handle.execute_update(Account.failing)
        cause = failed.value.cause
        assert isinstance(cause, ApplicationError)
        assert (cause.message, cause.type) == ("overdrawn", "Sorry")
        assert await handle.execute_update(Account.at_once) == 0
        await handle.signal(Account.close)
        await handle.result()


async def test_an_update_waits_for_the_first_task(feature: Feature) -> None:
    handle = await feature.start(Account.run)
    update = asyncio.create_task(handle.execute_update(Account.deposit, 5))
    async with feature.worker([Account]):
        assert await update == 5
        await handle.signal(Account.close)
        assert await handle.result() == 5


async def test_an_update_comes_with_the_start(feature: Feature) -> None:
    async with feature.worker([Account]):
        for amount, balance in ((5, 5), (6, 11)):
            start = WithStartWorkflowOperation(
                Account.run,
                id=feature.task_queue,
                task_queue=feature.task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                memo={"cache": feature.cache.value},
            )
            result = await feature.client.execute_update_with_start_workflow(
                Account.deposit, amount, start_workflow_operation=start
            )
            assert result == balance
        handle = await start.workflow_handle()
        await handle.signal(Account.close)
        assert await handle.result() == 11
        feature.to_replay(handle)


@workflow.defn
class AtRunTime:
    def __init__(self) -> None:
        self.done = False

    @workflow.run
    async def run(self) -> list[str]:
        seen: list[str] = []

        async def first(text: str) -> str:
            seen.append(await recorded(text))
            return text.upper()

        def check(text: str) -> None:
            if text == "bad":
                raise ApplicationError("bad text")

        def anything(name: str, arguments: Sequence[RawValue]) -> int:
            seen.append(name)
            return len(arguments)

        def end() -> None:
            self.done = True

        workflow.set_update_handler("first", first, validator=check)
        workflow.set_dynamic_update_handler(anything)
        workflow.set_update_handler("end", end)
        assert workflow.get_update_handler("first") is first
        assert workflow.get_dynamic_update_handler() is anything
        await rested()
        await workflow.wait_condition(lambda: self.done)
        workflow.set_dynamic_update_handler(None)
        assert workflow.get_dynamic_update_handler() is None
        return seen


async def test_update_handlers_are_set_at_run_time(feature: Feature) -> None:
    async with feature.worker([AtRunTime]):
        handle = await feature.start(AtRunTime.run)
        await feature.resting(handle)
        assert await handle.execute_update("first", "text") == "TEXT"
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update("first", "bad")
        assert await handle.execute_update("other", args=[1, 2, 3]) == 3
        await handle.execute_update("end")
        assert await handle.result() == ["text", "other"]


@workflow.defn
class Unfinished:
    def __init__(self) -> None:
        self.begun = 0

    @workflow.update
    async def missed(self) -> None:
        self.begun += 1
        await workflow.wait_condition(lambda: False)

    @workflow.update(unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
    async def abandoned(self) -> None:
        self.begun += 1
        await workflow.wait_condition(lambda: False)

    @workflow.run
    async def run(self) -> bool:
        await workflow.wait_condition(lambda: self.begun == 2)
        await rested()
        return workflow.all_handlers_finished()


async def test_unfinished_updates_are_warned_of_and_their_callers_told(feature: Feature) -> None:
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        async with feature.worker([Unfinished]):
            handle = await feature.start(Unfinished.run)
            updates = [
                await handle.start_update(each, id=each, wait_for_stage=WorkflowUpdateStage.ACCEPTED)
                for each in ("missed", "abandoned")
            ]
            assert await handle.result() is False
            for update in updates:
                with pytest.raises(WorkflowUpdateFailedError) as failed:
                    await update.result()
                assert isinstance(failed.value.cause, ApplicationError)
                assert failed.value.cause.type == "AcceptedUpdateCompletedWorkflow"
    (warning,) = [each for each in warned if each.category is workflow.UnfinishedUpdateHandlersWarning]
    assert "missed" in str(warning.message)
    assert "abandoned" not in str(warning.message)


@workflow.defn
class EndedByUpdate:
    def __init__(self) -> None:
        self.done = False

    @workflow.update
    async def end(self) -> str:
        self.done = True
        return "ended"

    @workflow.run
    async def run(self) -> str:
        await rested()
        await workflow.wait_condition(lambda: self.done)
        return "end"


async def test_an_update_may_end_the_run_in_its_own_task(feature: Feature) -> None:
    async with feature.worker([EndedByUpdate]):
        handle = await feature.start(EndedByUpdate.run)
        assert await handle.execute_update(EndedByUpdate.end) == "ended"
        assert await handle.result() == "end"
        assert (await handle.describe()).status is WorkflowExecutionStatus.COMPLETED
