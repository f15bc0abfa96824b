"""Which version of the workers a run is given to: where it begins, whether it moves, and what an override changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from invincible import workflow
from invincible.client import Client, WithStartWorkflowOperation, WorkerDeploymentVersionStatus, WorkflowHandle
from invincible.common import (
    AutoUpgradeVersioningOverride,
    OneTimeVersioningOverride,
    PinnedVersioningOverride,
    VersioningBehavior,
    WorkerDeploymentVersion,
    WorkflowIDConflictPolicy,
)
from invincible.service import RPCError
from invincible.worker import Worker, WorkerDeploymentConfig
from tests.support.conditions import eventually
from tests.support.versions import Deployment, build_ids, probe


class Waiting:
    """Keeps the versions that its tasks ran on, until it is told to finish."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.finished = False

    @workflow.signal
    def touch(self) -> None:
        build_id = workflow.info().get_current_build_id()
        if self.seen[-1:] != [build_id]:
            self.seen.append(build_id)

    @workflow.signal
    def finish(self) -> None:
        self.finished = True

    @workflow.update
    def end(self) -> None:
        self.finish()

    @workflow.query
    def builds(self) -> list[str]:
        return self.seen

    async def until_finished(self) -> list[str]:
        self.touch()
        await workflow.wait_condition(lambda: self.finished)
        self.touch()
        return self.seen


@workflow.defn(versioning_behavior=VersioningBehavior.PINNED)
class Pinned(Waiting):
    @workflow.run
    async def run(self) -> list[str]:
        return await self.until_finished()


@workflow.defn(versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class Upgraded(Waiting):
    @workflow.run
    async def run(self) -> list[str]:
        return await self.until_finished()


@workflow.defn(name="Silent")
class Silent(Waiting):
    @workflow.run
    async def run(self) -> list[str]:
        return await self.until_finished()


WORKFLOWS = [Pinned, Upgraded]


@pytest.fixture
async def versions(deployment: Deployment) -> AsyncIterator[Deployment]:
    """A deployment with the current version 1, and version 2."""
    async with deployment.worker("1", WORKFLOWS, current=True), deployment.worker("2", WORKFLOWS):
        yield deployment


async def begun(handle: WorkflowHandle[Any, Any]) -> list[str]:
    """Waits until the run has begun; the versions it has seen."""
    builds: list[str] = await handle.query("builds")
    return builds


async def moves(handle: WorkflowHandle[Any, Any], *builds: str) -> None:
    """Gives a run tasks until it has seen these versions and no others."""

    async def seen() -> bool:
        await handle.signal("touch")
        return await begun(handle) == list(builds)

    await eventually(seen, what=f"the run moves through versions {builds}")


async def has_overrides(handle: WorkflowHandle[Any, Any]) -> bool:
    return (await handle.describe()).raw_info.versioning_info.HasField("versioning_override")


async def test_a_ramp_takes_its_share_of_new_runs(versions: Deployment) -> None:
    await versions.handle.set_ramping_version("2", 100)
    await versions.new_runs_go_to("2")
    await versions.handle.set_ramping_version("2", 50)

    async def shared() -> bool:
        builds = await asyncio.gather(*(versions.execute(probe) for _ in range(40)))
        # Fewer or more than these have one chance in a million.
        return 5 < builds.count("2") < 35

    await eventually(shared, what="half of the new runs go to version 2")
    await versions.handle.set_ramping_version("2", 0)
    await versions.new_runs_go_to("1")


async def test_open_runs_follow_a_ramp_if_they_upgrade(versions: Deployment) -> None:
    pinned, upgraded = [await versions.start(each.run) for each in (Pinned, Upgraded)]
    assert [await begun(each) for each in (pinned, upgraded)] == [["1"], ["1"]]
    await versions.handle.set_ramping_version("2", 100)
    await moves(upgraded, "1", "2")
    await versions.handle.set_ramping_version(None, 0)
    await moves(upgraded, "1", "2", "1")
    for handle in (pinned, upgraded):
        await handle.signal("finish")
    assert await pinned.result() == ["1"]
    assert await upgraded.result() == ["1", "2", "1"]
    assert await build_ids(upgraded) == ["1", "2", "1"]


async def test_a_version_is_drained_when_its_last_pinned_run_has_ended(deployment: Deployment) -> None:
    async with deployment.worker("2", WORKFLOWS):
        async with deployment.worker("1", WORKFLOWS, current=True):
            pinned, upgraded = [await deployment.start(each.run) for each in (Pinned, Upgraded)]
            assert [await begun(each) for each in (pinned, upgraded)] == [["1"], ["1"]]
            await deployment.promote("2")
            await deployment.has_status("1", WorkerDeploymentVersionStatus.DRAINING)
            await pinned.signal("finish")
            assert await pinned.result() == ["1"]
            await deployment.has_status("1", WorkerDeploymentVersionStatus.DRAINED)
        # The worker of the old version is gone, and nothing was lost with it.
        await upgraded.signal("finish")
        assert await upgraded.result() == ["1", "2"]


async def test_a_pinned_run_waits_for_a_worker_of_its_version(deployment: Deployment) -> None:
    async with deployment.worker("2", WORKFLOWS):
        async with deployment.worker("1", WORKFLOWS, current=True):
            pinned = await deployment.start(Pinned.run)
            assert await begun(pinned) == ["1"]
            await deployment.promote("2")
        await pinned.signal("finish")
        upgraded = await deployment.start(Upgraded.run)
        await upgraded.signal("finish")
        assert await upgraded.result() == ["2"]
        assert (await pinned.describe()).close_time is None
        async with deployment.worker("1", WORKFLOWS):
            assert await pinned.result() == ["1"]


@pytest.mark.parametrize(("workflow", "builds"), [(Pinned, ["2"]), (Upgraded, ["2", "1"])])
async def test_an_override_for_once_holds_for_one_task(versions: Deployment, workflow: Any, builds: list[str]) -> None:
    handle = await started_with(versions, workflow, OneTimeVersioningOverride(versions.version("2")))
    await moves(handle, *builds)
    await handle.signal("finish")
    assert await handle.result() == builds
    assert await build_ids(handle) == builds
    assert not await has_overrides(handle)


async def test_a_pinned_override_holds_for_the_whole_run(versions: Deployment) -> None:
    handle = await started_with(versions, Upgraded, PinnedVersioningOverride(versions.version("2")))
    assert await begun(handle) == ["2"]
    assert await has_overrides(handle)
    await versions.promote("2")
    await versions.promote("1")
    await handle.signal("finish")
    assert await handle.result() == ["2"]


async def test_an_overridden_run_upgrades_though_it_is_pinned(versions: Deployment) -> None:
    handle = await versions.start(Pinned.run, versioning_override=AutoUpgradeVersioningOverride())
    assert await begun(handle) == ["1"]
    await versions.promote("2")
    await moves(handle, "1", "2")
    await handle.signal("finish")
    assert await handle.result() == ["1", "2"]


@workflow.defn(versioning_behavior=VersioningBehavior.PINNED)
class Signalling:
    @workflow.run
    async def run(self, id: str, version: WorkerDeploymentVersion) -> None:
        await workflow.signal_with_start_workflow(
            Upgraded.run,
            id=id,
            task_queue=workflow.info().task_queue,
            signal=Waiting.finish,
            versioning_override=PinnedVersioningOverride(version),
        )


@pytest.mark.parametrize("way", ["signal", "update", "workflow"])
async def test_each_way_to_start_a_run_takes_an_override(
    client: Client, task_queue: str, versions: Deployment, way: str
) -> None:
    override = PinnedVersioningOverride(versions.version("2"))
    # So the task queue knows the version.
    await (await started_with(versions, Upgraded, override)).terminate()
    id = f"{task_queue}-{way}"
    if way == "signal":
        await versions.start(Upgraded.run, id=id, versioning_override=override, start_signal="finish")
    elif way == "update":
        start = WithStartWorkflowOperation(
            Upgraded.run,
            id=id,
            task_queue=task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            versioning_override=override,
        )
        await client.execute_update_with_start_workflow(Upgraded.end, start_workflow_operation=start)
    else:
        async with versions.worker("3", [Signalling], current=True):
            await versions.execute(Signalling.run, id, versions.version("2"), id=f"{id}-signalling")
    assert await client.get_workflow_handle(id).result() == ["2"]


async def test_an_override_to_a_version_without_workers_is_refused(versions: Deployment) -> None:
    for override in (PinnedVersioningOverride, OneTimeVersioningOverride):
        with pytest.raises(RPCError, match="99"):
            await versions.start(Pinned.run, versioning_override=override(versions.version("99")))


async def started_with(versions: Deployment, workflow: Any, override: Any) -> WorkflowHandle[Any, Any]:
    handles = []

    async def started() -> bool:
        try:
            handles.append(await versions.start(workflow.run, versioning_override=override))
        except RPCError:
            return False  # The task queue hears of a version later than its deployment.
        return True

    await eventually(started, what="the task queue knows the version")
    return handles[0]


async def test_a_run_from_before_versioning_moves_into_the_deployment(
    client: Client, task_queue: str, deployment: Deployment
) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[Silent, probe], build_id="before"):
        handle = await deployment.start(Silent.run)
        assert await begun(handle) == ["before"]
        async with deployment.worker("1", [Silent], default=VersioningBehavior.PINNED):
            # New runs go to the workers without versions until a version is made the current one.
            assert await deployment.execute(probe) == "before"
            await deployment.promote("1")
            await moves(handle, "before", "1")
            await handle.signal("finish")
            assert await handle.result() == ["before", "1"]


@pytest.mark.parametrize("shown", [True, False], ids=["deployment", "no-deployment"])
@pytest.mark.parametrize("workflow", WORKFLOWS)
async def test_without_versioning_what_workflows_say_of_it_has_no_effect(
    client: Client, task_queue: str, deployment: Deployment, workflow: Any, shown: bool
) -> None:
    config = WorkerDeploymentConfig(deployment.version("1"), use_worker_versioning=False)
    options: Any = {"deployment_config": config} if shown else {"build_id": "1"}
    async with Worker(client, task_queue=task_queue, workflows=WORKFLOWS, **options):
        handle = await deployment.start(workflow.run)
        await handle.signal("finish")
        assert await handle.result() == ["1"]
        assert not (await handle.describe()).raw_info.HasField("versioning_info")


async def test_the_version_is_there_for_the_workflow(versions: Deployment) -> None:
    @workflow.defn(versioning_behavior=VersioningBehavior.PINNED)
    async def tell() -> WorkerDeploymentVersion | None:
        return workflow.info().get_current_deployment_version()

    async with versions.worker("3", [tell], current=True):
        assert await versions.execute(tell) == versions.version("3")
