"""How workflows are defined, and what they know of themselves."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

import pytest

from invincible import workflow
from invincible.common import (
    Priority,
    RawValue,
    RetryPolicy,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkerDeploymentVersion,
)
from tests.support.features import Feature, attributes, of_kind, recorded, rested

KEYWORD = SearchAttributeKey.for_keyword("FeatureKeyword")


@workflow.defn(name="renamed")
class Initialised:
    @workflow.init
    def __init__(self, name: str, times: int = 2) -> None:
        self.said = [f"init {name} {times} {workflow.info().workflow_type}"]
        self.identifier = str(workflow.uuid4())

    @workflow.signal
    def early(self) -> None:
        self.said.append("signal")

    @workflow.run
    async def run(self, name: str, times: int = 2) -> list[str]:
        assert workflow.instance() is self
        assert workflow.in_workflow()
        await recorded(self.identifier)
        await rested()
        return [*self.said, f"run {name} {times}"]


async def test_init_takes_the_arguments_before_anything_else_happens(feature: Feature) -> None:
    handle = await feature.start(Initialised.run, "tea", start_signal="early")
    async with feature.worker([Initialised]):
        assert await handle.result() == ["init tea 2 renamed", "signal", "run tea 2"]
    assert not workflow.in_workflow()


@workflow.defn(dynamic=True)
class Anything:
    @workflow.init
    def __init__(self, arguments: Sequence[RawValue]) -> None:
        self.count = len(arguments)

    @workflow.run
    async def run(self, arguments: Sequence[RawValue]) -> list[object]:
        values = [workflow.payload_converter().from_payload(each.payload) for each in arguments]
        await recorded(values)
        await rested()
        return [workflow.info().workflow_type, self.count, *values]


async def test_a_dynamic_workflow_runs_what_has_no_other(feature: Feature) -> None:
    async with feature.worker([Anything, Initialised]):
        assert await feature.execute("whatever", 1, "two") == ["whatever", 2, 1, "two"]
        known = await feature.execute("renamed", "tea", id=f"{feature.task_queue}-2")
        assert known[0] == "init tea 2 renamed"


@workflow.defn
async def function(number: int, *, plus: int = 1) -> int:
    await rested()
    assert workflow.instance() is None
    return int(await recorded(number + plus))


async def test_a_function_is_a_workflow(feature: Feature) -> None:
    async with feature.worker([function]):
        assert await feature.execute(function, 2) == 3


class Greeter:
    @workflow.signal
    def greet(self, name: str) -> None:
        raise NotImplementedError

    @workflow.query
    def greeted(self) -> list[str]:
        raise NotImplementedError


@workflow.defn
class PoliteGreeter(Greeter):
    def __init__(self) -> None:
        self.names: list[str] = []

    @workflow.signal
    def greet(self, name: str) -> None:
        self.names.append(f"dear {name}")

    @workflow.query
    def greeted(self) -> list[str]:
        return self.names

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.wait_condition(lambda: bool(self.names))
        await rested()
        return self.names


async def test_handlers_of_a_base_class_name_those_of_the_workflow(feature: Feature) -> None:
    async with feature.worker([PoliteGreeter]):
        handle = await feature.start(PoliteGreeter.run)
        await handle.signal(Greeter.greet, "Ada")
        assert await handle.result() == ["dear Ada"]
        assert await handle.query(Greeter.greeted) == ["dear Ada"]


@workflow.defn
class Informed:
    @workflow.run
    async def run(self) -> dict[str, object]:
        info = workflow.info()
        before = [info.get_current_history_length(), info.get_current_history_size()]
        await recorded(before)
        await rested()
        after = [info.get_current_history_length(), info.get_current_history_size()]
        await recorded(after)
        assert before[0] == 3
        assert after[0] > before[0]
        assert after[1] > before[1] > 0
        assert workflow.info().is_continue_as_new_suggested() is False
        assert info.is_target_worker_deployment_version_changed() is False
        # Of no deployment.
        assert info.get_current_deployment_version() == WorkerDeploymentVersion("", "the-build")
        assert info.run_id == info.first_execution_run_id == info.original_execution_run_id
        assert info.continued_run_id is None
        assert info.start_time >= info.workflow_start_time
        await recorded([info.start_time.isoformat(), info.workflow_start_time.isoformat()])
        assert info.retry_policy is not None
        assert info.execution_timeout is not None
        assert info.run_timeout is not None
        return {
            "attempt": info.attempt,
            "cron": info.cron_schedule,
            "namespace": info.namespace,
            "parent": info.parent and [info.parent.workflow_id, info.parent.run_id, info.parent.namespace],
            "root": info.root and [info.root.workflow_id, info.root.run_id],
            "priority": [info.priority.priority_key, info.priority.fairness_key],
            "retries": info.retry_policy.maximum_attempts,
            "run": info.run_id,
            "timeouts": [
                each.total_seconds() for each in (info.execution_timeout, info.run_timeout, info.task_timeout)
            ],
            "task queue": info.task_queue,
            "id": info.workflow_id,
            "type": info.workflow_type,
            "memo": sorted(info.raw_memo),
            "keyword": info.typed_search_attributes[KEYWORD],
        }


OPTIONS = {
    "execution_timeout": timedelta(seconds=80),
    "run_timeout": timedelta(seconds=70),
    "task_timeout": timedelta(seconds=9),
    "retry_policy": RetryPolicy(maximum_attempts=3),
    "memo": {"of": "the start"},
    "search_attributes": TypedSearchAttributes([SearchAttributePair(KEYWORD, "word")]),
    "priority": Priority(priority_key=2, fairness_key="tenant"),
}


async def test_a_workflow_knows_all_it_was_started_with(feature: Feature) -> None:
    async with feature.worker([Informed], build_id="the-build"):
        handle = await feature.start(Informed.run, **OPTIONS)
        info = await handle.result()
    assert info == {
        "attempt": 1,
        "cron": None,
        "namespace": "default",
        "parent": None,
        "root": None,
        "priority": [2, "tenant"],
        "retries": 3,
        "run": handle.result_run_id,
        "timeouts": [80, 70, 9],
        "task queue": feature.task_queue,
        "id": feature.task_queue,
        "type": "Informed",
        "memo": ["cache", "of"],
        "keyword": "word",
    }


@workflow.defn
class Parent:
    @workflow.run
    async def run(self, depth: int) -> list[object]:
        info = workflow.info()
        await rested()
        if depth:
            below: list[object] = await workflow.execute_child_workflow(
                Parent.run, depth - 1, id=f"{info.workflow_id}-child"
            )
            return [[info.workflow_id, info.run_id], *below]
        assert info.parent is not None
        assert info.root is not None
        return [[info.parent.workflow_id, info.parent.run_id], [info.root.workflow_id, info.root.run_id]]


async def test_a_child_knows_its_parent_and_its_root(feature: Feature) -> None:
    async with feature.worker([Parent]):
        top, middle, parent, root = await feature.execute(Parent.run, 2)
    assert parent == middle
    assert root == top


@workflow.defn
class Logging:
    @workflow.run
    async def run(self) -> bool:
        workflow.logger.info("said %s", "once")
        workflow.metric_meter().create_counter("feature-count").add(1)
        await rested()
        workflow.logger.warning("said later")
        return workflow.unsafe.is_replaying()


async def test_the_log_is_silent_on_replay(feature: Feature, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="invincible.workflow"):
        async with feature.worker([Logging]):
            assert await feature.execute(Logging.run) is False
    said = [each for each in caplog.records if feature.task_queue in each.getMessage() or "said" in each.getMessage()]
    assert [each.getMessage().partition(" (")[0] for each in said] == ["said once", "said later"]
    assert all(vars(each)["temporal_workflow"]["workflow_id"] == feature.task_queue for each in said)


@workflow.defn
class BuildIds:
    @workflow.run
    async def run(self) -> list[str]:
        first = workflow.info().get_current_build_id()
        await recorded(first)
        await rested()
        return [first, workflow.info().get_current_build_id()]


async def test_a_task_knows_the_build_that_completes_it(feature: Feature) -> None:
    async with feature.worker([BuildIds], build_id="the-build"):
        handle = await feature.start(BuildIds.run)
        assert await handle.result() == ["the-build", "the-build"]
    completed = attributes(await feature.events(handle), "workflow_task_completed")
    assert {each.worker_version.build_id for each in completed} == {"the-build"}
    assert len(of_kind(await feature.events(handle), "workflow_execution_completed")) == 1
