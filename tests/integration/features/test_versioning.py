"""Worker deployments: which version of the workers a run stays on, and what the server knows of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from invincible import workflow
from invincible.api.enums.v1 import VersioningBehavior as BehaviorNumber
from invincible.api.workflowservice.v1 import (
    SetWorkerDeploymentCurrentVersionRequest,
    SetWorkerDeploymentCurrentVersionResponse,
)
from invincible.common import (
    AutoUpgradeVersioningOverride,
    PinnedVersioningOverride,
    RawValue,
    VersioningBehavior,
    WorkerDeploymentVersion,
)
from invincible.exceptions import ApplicationError
from invincible.service import RPCError
from invincible.worker import WorkerDeploymentConfig
from tests.support.conditions import eventually
from tests.support.features import Feature, attributes


class Base:
    """Keeps the builds that its tasks ran on, one after the other."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.done = False

    @workflow.signal
    def touch(self) -> None:
        build_id = workflow.info().get_current_build_id()
        version = workflow.info().get_current_deployment_version()
        assert version is not None
        assert version.build_id == build_id
        if build_id not in self.seen:
            self.seen.append(build_id)

    @workflow.signal
    def finish(self) -> None:
        self.touch()
        self.done = True

    @workflow.query
    def builds(self) -> list[str]:
        return self.seen

    async def until_done(self) -> list[str]:
        self.touch()
        await workflow.wait_condition(lambda: self.done)
        return self.seen


@workflow.defn(versioning_behavior=VersioningBehavior.PINNED)
class Pinned(Base):
    @workflow.run
    async def run(self) -> list[str]:
        return await self.until_done()


@workflow.defn(versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class Upgraded(Base):
    @workflow.run
    async def run(self) -> list[str]:
        return await self.until_done()


@workflow.defn
class Defaulted(Base):
    @workflow.run
    async def run(self) -> list[str]:
        return await self.until_done()


@workflow.defn(dynamic=True)
class Dynamic(Base):
    @workflow.dynamic_config
    def config(self) -> workflow.DynamicWorkflowConfig:
        upgraded = workflow.info().workflow_type == "DynamicUpgraded"
        return workflow.DynamicWorkflowConfig(
            failure_exception_types=[KeyError],
            versioning_behavior=VersioningBehavior.AUTO_UPGRADE if upgraded else VersioningBehavior.PINNED,
        )

    @workflow.run
    async def run(self, arguments: Sequence[RawValue]) -> list[str]:
        builds = await self.until_done()
        if arguments:
            raise KeyError("configured to fail the workflow")
        return builds


WORKFLOWS = [Pinned, Upgraded, Defaulted, Dynamic]


@asynccontextmanager
async def version(feature: Feature, build_id: str) -> AsyncIterator[None]:
    """A worker of one version of the deployment, which becomes the current one."""
    version = WorkerDeploymentVersion(feature.task_queue, build_id)
    config = WorkerDeploymentConfig(
        version=version,
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.PINNED,
    )
    # A task on its way to the worker that has the run in its cache is the server's again after this time.
    sticky = timedelta(milliseconds=300)
    async with feature.worker(WORKFLOWS, deployment_config=config, sticky_queue_schedule_to_start_timeout=sticky):

        async def made_current() -> bool:
            try:
                await feature.client.service_client._rpc_call(
                    "set_worker_deployment_current_version",
                    SetWorkerDeploymentCurrentVersionRequest(
                        namespace=feature.client.namespace,
                        deployment_name=version.deployment_name,
                        build_id=build_id,
                    ),
                    SetWorkerDeploymentCurrentVersionResponse,
                )
            except RPCError:
                return False  # The server has not seen a poll of this version yet.
            return True

        await eventually(made_current, what=f"version {build_id} is current")
        yield


async def behavior(handle: Any) -> tuple[str, str]:
    """The behaviour and the build that the server has for the run."""
    info = (await handle.describe()).raw_info.versioning_info
    name = BehaviorNumber.Name(info.behavior).removeprefix("VERSIONING_BEHAVIOR_")
    return name, info.deployment_version.build_id


@pytest.mark.parametrize(
    ("workflow_type", "name", "builds"),
    [
        ("Pinned", "PINNED", ["one"]),
        ("Upgraded", "AUTO_UPGRADE", ["one", "two"]),
        ("Defaulted", "PINNED", ["one"]),
        ("DynamicPinned", "PINNED", ["one"]),
        ("DynamicUpgraded", "AUTO_UPGRADE", ["one", "two"]),
    ],
)
async def test_a_run_stays_or_moves_as_its_behaviour_says(
    feature: Feature, workflow_type: str, name: str, builds: list[str]
) -> None:
    async with version(feature, "one"):
        handle = await feature.start(workflow_type)
        await feature.happened(handle, "workflow_task_completed")
        assert await behavior(handle) == (name, "one")
        async with version(feature, "two"):

            async def has_moved() -> bool:
                await handle.signal("touch")
                seen: list[str] = await handle.query("builds")
                return seen == builds

            # The server does not send the next task to the new version the moment that this is the current one.
            await eventually(has_moved, what=f"the run goes on on build {builds[-1]}")
            await handle.signal("finish")
            assert await handle.result() == builds
            assert await behavior(handle) == (name, builds[-1])
    completed = attributes(await feature.events(handle), "workflow_task_completed")
    assert list(dict.fromkeys(each.deployment_version.build_id for each in completed)) == builds
    assert {each.worker_deployment_name for each in completed} == {feature.task_queue}


async def test_an_override_goes_before_the_behaviour(feature: Feature) -> None:
    async with version(feature, "one"), version(feature, "two"):
        first = WorkerDeploymentVersion(feature.task_queue, "one")
        handles = []

        async def pinned_to_first() -> bool:
            override = PinnedVersioningOverride(first)
            try:
                handle = await feature.start("Upgraded", id=f"{feature.task_queue}-1", versioning_override=override)
            except RPCError:
                # The task queue hears of a version later than its deployment.
                return False
            handles.append(handle)
            return True

        await eventually(pinned_to_first, what="the task queue knows the first version")
        (pinned,) = handles
        upgraded = await feature.start(
            "Pinned", id=f"{feature.task_queue}-2", versioning_override=AutoUpgradeVersioningOverride()
        )
        for handle in (pinned, upgraded):
            await handle.signal("finish")
        assert await pinned.result() == ["one"]
        assert await upgraded.result() == ["two"]


async def test_a_dynamic_workflow_decides_what_fails_it(feature: Feature) -> None:
    async with version(feature, "one"):
        handle = await feature.start("DynamicPinned", "an argument")
        await handle.signal("finish")
        with pytest.raises(Exception, match="Workflow execution failed") as failure:
            await handle.result()
    cause = failure.value.__cause__
    assert isinstance(cause, ApplicationError)
    assert cause.type == "KeyError"
