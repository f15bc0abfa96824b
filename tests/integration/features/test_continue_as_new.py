"""Continuing as new: what the next run takes over, and what it is given."""

from __future__ import annotations

from datetime import timedelta

import pytest

from invincible import workflow
from invincible.client import WorkflowContinuedAsNewError
from invincible.common import RetryPolicy, SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from tests.support.features import SOON, Feature, attributes, of_kind, recorded, rested

NUMBER = SearchAttributeKey.for_int("FeatureInt")
KEYWORD = SearchAttributeKey.for_keyword("FeatureKeyword")


@workflow.defn
class Counting:
    @workflow.run
    async def run(self, number: int, runs: list[str]) -> list[str]:
        info = workflow.info()
        runs.append(info.run_id)
        await rested()
        if number == 3:
            assert info.continued_run_id == runs[-2]
            assert info.first_execution_run_id == runs[0]
            assert info.retry_policy is not None
            assert info.retry_policy.maximum_attempts == 7
            assert info.typed_search_attributes[KEYWORD] == "kept"
            assert workflow.memo_value("kept") == "too"
            return runs
        workflow.continue_as_new(args=[number + 1, runs])


async def test_runs_follow_each_other_and_keep_what_describes_them(feature: Feature) -> None:
    async with feature.worker([Counting]):
        handle = await feature.start(
            Counting.run,
            1,
            [],
            memo={"kept": "too"},
            search_attributes=TypedSearchAttributes([SearchAttributePair(KEYWORD, "kept")]),
            retry_policy=RetryPolicy(maximum_attempts=7),
        )
        runs = await handle.result()
        assert len(set(runs)) == 3
        assert runs[0] == handle.result_run_id
        with pytest.raises(WorkflowContinuedAsNewError) as continued:
            await handle.result(follow_runs=False)
        assert continued.value.new_execution_run_id == runs[1]


@workflow.defn
class Turning:
    @workflow.run
    async def run(self) -> list[object]:
        await rested()
        workflow.continue_as_new(
            "turned",
            workflow=Turned.run,
            task_queue=workflow.info().task_queue,
            run_timeout=timedelta(seconds=90),
            task_timeout=timedelta(seconds=7),
            backoff_start_interval=SOON,
            retry_policy=RetryPolicy(maximum_attempts=4),
            memo={"cache": workflow.memo_value("cache"), "new": [1, 2]},
            search_attributes=TypedSearchAttributes([SearchAttributePair(NUMBER, 5)]),
        )


@workflow.defn
class Turned:
    @workflow.run
    async def run(self, text: str) -> list[object]:
        await rested()
        info = workflow.info()
        assert info.retry_policy is not None
        assert info.run_timeout is not None
        return [
            text,
            info.workflow_type,
            info.run_timeout.total_seconds(),
            info.task_timeout.total_seconds(),
            info.retry_policy.maximum_attempts,
            workflow.memo_value("new"),
            workflow.memo_value("old", "gone"),
            info.typed_search_attributes.get(NUMBER),
        ]


async def test_each_option_is_the_next_runs(feature: Feature) -> None:
    async with feature.worker([Turning, Turned]):
        handle = await feature.start(Turning.run, memo={"old": True})
        assert await handle.result() == ["turned", "Turned", 90.0, 7.0, 4, [1, 2], "gone", 5]
    (continued,) = attributes(await feature.events(handle), "workflow_execution_continued_as_new")
    assert continued.backoff_start_interval.ToTimedelta() >= SOON
    (started,) = attributes(await feature.events(handle, continued.new_execution_run_id), "workflow_execution_started")
    assert started.first_workflow_task_backoff.ToTimedelta() >= SOON


@workflow.defn
class ContinuedByHandler:
    @workflow.init
    def __init__(self, times: int) -> None:
        self.times = times
        self.done = False

    @workflow.signal
    async def again(self) -> None:
        await recorded("in the handler")
        workflow.continue_as_new(self.times + 1)

    @workflow.run
    async def run(self, times: int) -> int:
        await rested()
        if not times:
            await workflow.wait_condition(lambda: self.done)
        return times


async def test_a_signal_handler_continues_the_workflow(feature: Feature) -> None:
    async with feature.worker([ContinuedByHandler]):
        handle = await feature.start(ContinuedByHandler.run, 0)
        await handle.signal(ContinuedByHandler.again)
        assert await handle.result() == 1
    assert len(of_kind(await feature.events(handle), "workflow_execution_continued_as_new")) == 1
