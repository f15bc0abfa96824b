"""Replay without any server: recorded histories against the code that made them, and against changed code."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from invincible import workflow
from invincible.client import WorkflowHistory
from invincible.worker import Replayer
from tests.histories.catalog import FOLDERS, RECORDED, REPLAYER_OPTIONS, names, recording
from tests.histories.workflows.common import mark
from tests.histories.workflows.races import Cancelled, Race

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("name", names())
async def test_histories_of_the_official_sdk_replay(name: str) -> None:
    result = await Replayer(**REPLAYER_OPTIONS).replay_workflow(recording(name))
    assert result.replay_failure is None


def test_each_folder_of_recordings_is_for_known_versions_of_python() -> None:
    assert {path.parent.name for path in RECORDED.glob("*/*.json")} == set(FOLDERS)


@workflow.defn(name="Race")
async def hasty_race() -> str:
    return await workflow.execute_activity(mark, "something else entirely", start_to_close_timeout=MINUTE)


@workflow.defn(name="Race")
async def broken_race() -> str:
    raise KeyError("typo")


async def test_changed_code_is_nondeterminism() -> None:
    with pytest.raises(workflow.NondeterminismError):
        await Replayer(workflows=[hasty_race]).replay_workflow(recording("race"))


async def test_what_the_code_raises_is_the_replay_failure() -> None:
    with pytest.raises(KeyError, match="typo"):
        await Replayer(workflows=[broken_race]).replay_workflow(recording("race"))


async def test_many_histories_give_their_failures_by_run() -> None:
    @workflow.defn(name="Cancelled")
    async def changed() -> str:
        return await workflow.execute_activity(mark, "changed", start_to_close_timeout=MINUTE)

    async def histories() -> AsyncIterator[WorkflowHistory]:
        for _ in range(3):
            yield recording("race")
            yield recording("cancellation")

    results = await Replayer(workflows=[Race, changed]).replay_workflows(histories(), raise_on_replay_failure=False)
    assert list(results.replay_failures) == [recording("cancellation").run_id]
    (failure,) = results.replay_failures.values()
    assert isinstance(failure, workflow.NondeterminismError)


async def test_a_history_of_an_unknown_workflow_is_named() -> None:
    with pytest.raises(Exception, match=r"workflow type 'Race' is not registered.*its workflows are: Cancelled"):
        await Replayer(workflows=[Cancelled]).replay_workflow(recording("race"))


async def test_an_empty_history_is_refused() -> None:
    with pytest.raises(ValueError, match="history of workflow 'empty'"):
        await Replayer(workflows=[Race]).replay_workflow(WorkflowHistory("empty", []))


def test_a_replayer_needs_workflows() -> None:
    with pytest.raises(ValueError, match="needs workflows"):
        Replayer(workflows=[])
