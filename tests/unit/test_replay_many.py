"""Many histories: several at a time, with results in their order, and no more of them read than needed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from invincible import workflow
from invincible.client import WorkflowHistory
from invincible.worker import Replayer
from tests.support.step_histories import Steps, history_of

AHEAD = 8


class Source:
    """Histories of 1 to `count` steps, with a count of those that were read."""

    def __init__(self, count: int, error: Exception | None = None, changed: int | None = None) -> None:
        self.count = count
        self.error = error
        self.changed = changed
        self.read = 0
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[WorkflowHistory]:
        try:
            for number in range(1, self.count + 1):
                self.read = number
                history = history_of(["timer"] * number, run_id=f"run-{number}")
                if number == self.changed:
                    history.events[0].CopyFrom(history_of(["activity"], run_id=f"run-{number}").events[0])
                yield history
            if self.error is not None:
                raise self.error
        finally:
            self.closed = True


@pytest.fixture
def replayer() -> Replayer:
    return Replayer(workflows=[Steps])


async def test_results_have_the_order_of_the_histories(replayer: Replayer) -> None:
    async def histories() -> AsyncIterator[WorkflowHistory]:
        for count in (300, 1, 40, 2, 500, 3, *range(1, 20)):
            yield history_of(["timer"] * count, run_id=f"{count} {len(seen)}")

    seen: list[str] = []
    async with replayer.workflow_replay_iterator(histories()) as results:
        runs = [(result.history.run_id, result.replay_failure) async for result in results]
    assert [int(run.split()[0]) for run, _ in runs] == [300, 1, 40, 2, 500, 3, *range(1, 20)]
    assert {failure for _, failure in runs} == {None}


async def test_histories_are_read_a_little_ahead(replayer: Replayer) -> None:
    source = Source(100)
    async with replayer.workflow_replay_iterator(aiter(source)) as results:
        assert source.read == 0
        taken = 0
        async for result in results:
            taken += 1
            assert result.history.run_id == f"run-{taken}"
            assert source.read < taken + AHEAD
            if taken == 20:
                break
    assert source.read < 20 + AHEAD


async def test_no_more_is_read_after_a_failure_that_is_raised(replayer: Replayer) -> None:
    source = Source(100, changed=3)
    with pytest.raises(workflow.NondeterminismError):
        await replayer.replay_workflows(aiter(source))
    assert source.read < 3 + AHEAD


async def test_failures_that_are_not_raised_keep_nothing_back(replayer: Replayer) -> None:
    source = Source(30, changed=3)
    results = await replayer.replay_workflows(aiter(source), raise_on_replay_failure=False)
    assert list(results.replay_failures) == ["run-3"]
    assert (source.read, source.closed) == (30, True)


async def test_an_error_of_the_source_comes_behind_the_results_before_it(replayer: Replayer) -> None:
    runs: list[str] = []
    with pytest.raises(LookupError, match="no more"):
        await _replay(replayer, aiter(Source(12, LookupError("no more"))), runs)
    assert runs == [f"run-{number}" for number in range(1, 13)]


async def test_a_history_that_cannot_be_read_comes_in_its_turn(replayer: Replayer) -> None:
    async def histories() -> AsyncIterator[WorkflowHistory]:
        yield history_of(["timer"] * 3)
        yield WorkflowHistory("empty", [])

    runs: list[str] = []
    with pytest.raises(ValueError, match="history of workflow 'empty'"):
        await _replay(replayer, histories(), runs)
    assert len(runs) == 1


async def _replay(replayer: Replayer, histories: AsyncIterator[WorkflowHistory], runs: list[str]) -> None:
    async with replayer.workflow_replay_iterator(histories) as results:
        async for result in results:
            runs.append(result.history.run_id)


async def test_one_run_many_times(replayer: Replayer) -> None:
    async def histories() -> AsyncIterator[WorkflowHistory]:
        for count in range(1, 30):
            history = history_of(["timer"] * count)
            if count % 10 == 0:
                history.events[0].CopyFrom(history_of(["activity"]).events[0])
            yield history

    async with replayer.workflow_replay_iterator(histories()) as results:
        failures = [result.replay_failure async for result in results]
    assert [number for number, failure in enumerate(failures, 1) if failure is not None] == [10, 20]


async def test_cancellation_ends_the_replay_and_the_source(replayer: Replayer) -> None:
    source = Source(1_000)

    async def replay() -> None:
        async with replayer.workflow_replay_iterator(aiter(source)) as results:
            async for _ in results:
                reached.set()

    reached = asyncio.Event()
    task = asyncio.create_task(replay())
    await asyncio.wait_for(reached.wait(), 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 30)
    assert source.read < 1_000


async def test_a_source_that_waits_can_be_cancelled(replayer: Replayer) -> None:
    async def histories() -> AsyncIterator[WorkflowHistory]:
        try:
            yield history_of(["timer"])
            waiting.set()
            await asyncio.Event().wait()
        finally:
            closed.set()

    waiting, closed = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(replayer.replay_workflows(histories()))
    await asyncio.wait_for(waiting.wait(), 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 30)
    assert closed.is_set()


async def test_results_do_not_wait_for_a_slow_source(replayer: Replayer) -> None:
    async def histories() -> AsyncIterator[WorkflowHistory]:
        yield history_of(["timer"])
        await asyncio.wait_for(first.wait(), 30)
        yield history_of(["timer"], run_id="another")

    first = asyncio.Event()
    async with replayer.workflow_replay_iterator(histories()) as results:
        async for _ in results:
            first.set()


async def test_nothing_is_replayed_if_nobody_asks(replayer: Replayer) -> None:
    source = Source(3)
    async with replayer.workflow_replay_iterator(aiter(source)):
        pass
    assert source.read == 0


@workflow.defn(sandboxed=False)
class Stuck:
    @workflow.run
    async def run(self, steps: list[str]) -> None:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            pass


async def test_a_deadlock_among_others_is_a_failure_of_its_own() -> None:
    async def histories() -> AsyncIterator[WorkflowHistory]:
        for number in range(6):
            history = history_of(["timer"] * 3, run_id=f"run-{number}")
            if number == 2:
                history.events[0].workflow_execution_started_event_attributes.workflow_type.name = "Stuck"
            yield history

    replayer = Replayer(workflows=[Steps, Stuck], deadlock_timeout=timedelta(milliseconds=100))
    results = await replayer.replay_workflows(histories(), raise_on_replay_failure=False)
    assert list(results.replay_failures) == ["run-2"]
    assert "deadlock" in str(results.replay_failures["run-2"]).lower()
