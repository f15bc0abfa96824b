"""Replay without any server: recorded histories against the code that made them, and against changed code."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from invincible import workflow
from invincible.client import WorkflowHistory
from invincible.worker import Replayer
from tests.histories.workflows import Cancelled, Race, later, mark

HISTORIES = Path(__file__).parent.parent / "histories"


def history(name: str) -> WorkflowHistory:
    return WorkflowHistory.from_json(name, (HISTORIES / f"{name}.json").read_text())


@pytest.mark.parametrize("name", ["race", "cancellation"])
async def test_histories_of_the_official_sdk_replay(name: str) -> None:
    result = await Replayer(workflows=[Race, Cancelled]).replay_workflow(history(name))
    assert result.replay_failure is None


@workflow.defn(name="Race")
async def hasty_race() -> str:
    return await later.execute("something else entirely")


@workflow.defn(name="Race")
async def broken_race() -> str:
    raise KeyError("typo")


async def test_changed_code_is_nondeterminism() -> None:
    with pytest.raises(workflow.NondeterminismError):
        await Replayer(workflows=[hasty_race]).replay_workflow(history("race"))


async def test_what_the_code_raises_is_the_replay_failure() -> None:
    with pytest.raises(KeyError, match="typo"):
        await Replayer(workflows=[broken_race]).replay_workflow(history("race"))


async def test_many_histories_give_their_failures_by_run() -> None:
    @workflow.defn(name="Cancelled")
    async def changed() -> str:
        return await mark.execute("changed")

    async def histories() -> AsyncIterator[WorkflowHistory]:
        for _ in range(3):
            yield history("race")
            yield history("cancellation")

    results = await Replayer(workflows=[Race, changed]).replay_workflows(histories(), raise_on_replay_failure=False)
    assert list(results.replay_failures) == [history("cancellation").run_id]
    (failure,) = results.replay_failures.values()
    assert isinstance(failure, workflow.NondeterminismError)


async def test_a_history_of_an_unknown_workflow_is_named() -> None:
    with pytest.raises(Exception, match=r"workflow type 'Race' is not registered.*its workflows are: Cancelled"):
        await Replayer(workflows=[Cancelled]).replay_workflow(history("race"))


async def test_an_empty_history_is_refused() -> None:
    with pytest.raises(ValueError, match="history of workflow 'empty'"):
        await Replayer(workflows=[Race]).replay_workflow(WorkflowHistory("empty", []))


def test_a_replayer_needs_workflows() -> None:
    with pytest.raises(ValueError, match="needs workflows"):
        Replayer(workflows=[])
