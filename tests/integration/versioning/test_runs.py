"""What belongs to a run that is pinned or upgrades: its activities and children, the runs that follow it, and the code
that changes under it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest

from invincible import activity, workflow
from invincible.api.enums.v1 import WorkflowTaskFailedCause
from invincible.client import Client, WorkflowHandle, WorkflowResetPoint
from invincible.common import (
    AutoUpgradeVersioningOverride,
    OneTimeVersioningOverride,
    PinnedVersioningOverride,
    RetryPolicy,
    VersioningBehavior,
    WorkerDeploymentVersion,
)
from invincible.exceptions import ApplicationError, InvalidVersioningOverrideError
from invincible.worker import Worker
from invincible.workflow import ContinueAsNewVersioningBehavior
from tests.support.conditions import eventually
from tests.support.versions import Deployment, build_ids

TEN_SECONDS = timedelta(seconds=10)


def current_build() -> str:
    return workflow.info().get_current_build_id()


def activity_of(build_id: str) -> Callable[..., Any]:
    @activity.defn(name="serve", start_to_close_timeout=TEN_SECONDS)
    async def serve() -> str:
        return build_id

    return serve


@workflow.defn(versioning_behavior=VersioningBehavior.PINNED)
async def pinned_child() -> str:
    return current_build()


@workflow.defn(versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
async def upgraded_child() -> str:
    return current_build()


class Gated:
    """Does nothing before it is told to go on."""

    def __init__(self) -> None:
        self.open = False
        self.begun_on = current_build()

    @workflow.signal
    def go_on(self) -> None:
        self.open = True

    @workflow.query
    def build(self) -> str:
        return self.begun_on

    async def gate(self) -> None:
        await workflow.wait_condition(lambda: self.open)


class Parent(Gated):
    async def served(self, elsewhere: str, deployment: str) -> dict[str, str]:
        await self.gate()
        version = WorkerDeploymentVersion
        options: Any = {"start_to_close_timeout": TEN_SECONDS}
        served = {
            "itself": current_build(),
            "activity": await workflow.execute_activity("serve", **options),
            "local activity": await workflow.execute_local_activity("serve", **options),
            "activity elsewhere": await workflow.execute_activity("serve", task_queue=elsewhere, **options),
            "pinned child": await workflow.execute_child_workflow(pinned_child),
            "upgraded child": await workflow.execute_child_workflow(upgraded_child),
            "child elsewhere": await workflow.execute_child_workflow(pinned_child, task_queue=elsewhere),
        }
        for name, override in (
            ("child pinned to 1", PinnedVersioningOverride(version(deployment, "1"))),
            ("child pinned to 2", PinnedVersioningOverride(version(deployment, "2"))),
            ("child that upgrades", AutoUpgradeVersioningOverride()),
            ("child sent once to 1", OneTimeVersioningOverride(version(deployment, "1"))),
        ):
            served[name] = await workflow.execute_child_workflow(pinned_child, versioning_override=override)
        try:
            nowhere = PinnedVersioningOverride(version(deployment, "99"))
            await workflow.execute_child_workflow(pinned_child, versioning_override=nowhere)
        except InvalidVersioningOverrideError as error:
            served["child pinned to 99"] = str(error)
        return served


@workflow.defn(versioning_behavior=VersioningBehavior.PINNED)
class PinnedParent(Parent):
    @workflow.run
    async def run(self, elsewhere: str, deployment: str) -> dict[str, str]:
        return await self.served(elsewhere, deployment)


@workflow.defn(versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class UpgradedParent(Parent):
    @workflow.run
    async def run(self, elsewhere: str, deployment: str) -> dict[str, str]:
        return await self.served(elsewhere, deployment)


@workflow.defn(versioning_behavior=VersioningBehavior.PINNED)
class Again(Gated):
    """Continues as new once it is told to, and tells whether there was another version to go to."""

    @workflow.run
    async def run(self, behavior: ContinueAsNewVersioningBehavior | None, changed: bool | None) -> tuple[str, bool]:
        if changed is not None:
            return current_build(), changed
        await self.gate()
        changed = workflow.info().is_target_worker_deployment_version_changed()
        workflow.continue_as_new(args=[behavior, changed], initial_versioning_behavior=behavior)


@workflow.defn(versioning_behavior=VersioningBehavior.PINNED)
class SecondAttempt(Gated):
    @workflow.run
    async def run(self) -> str:
        if workflow.info().attempt == 1:
            await self.gate()
            raise ApplicationError("once more")
        return current_build()


@workflow.defn(versioning_behavior=VersioningBehavior.PINNED)
class TwoSteps(Gated):
    @workflow.run
    async def run(self) -> str:
        await workflow.execute_activity("serve", start_to_close_timeout=TEN_SECONDS)
        await self.gate()
        return current_build()


WORKFLOWS = [pinned_child, upgraded_child, PinnedParent, UpgradedParent, Again, SecondAttempt, TwoSteps]


@pytest.fixture
async def versions(deployment: Deployment) -> AsyncIterator[Deployment]:
    """A deployment with the current version 1, and version 2."""
    async with (
        deployment.worker("1", WORKFLOWS, current=True, activities=[activity_of("1")]),
        deployment.worker("2", WORKFLOWS, activities=[activity_of("2")]),
    ):
        yield deployment


async def started(versions: Deployment, workflow: Any, *args: Any, **options: Any) -> WorkflowHandle[Any, Any]:
    """A run that has begun on version 1."""
    handle = await versions.start(workflow.run, *args, **options)
    assert await handle.query("build") == "1"
    return handle


@pytest.mark.parametrize(("parent", "build"), [(PinnedParent, "1"), (UpgradedParent, "2")])
async def test_what_a_run_asks_for_is_done_by_its_version(
    client: Client, task_queue: str, versions: Deployment, parent: Any, build: str
) -> None:
    elsewhere = f"{task_queue}-elsewhere"
    async with Worker(
        client, task_queue=elsewhere, workflows=[pinned_child], activities=[activity_of("none")], build_id="none"
    ):
        handle = await started(versions, parent, elsewhere, versions.name)
        await versions.promote("2")
        await handle.signal("go_on")
        assert await handle.result() == {
            "itself": build,
            "activity": build,
            "local activity": build,
            "activity elsewhere": "none",
            "pinned child": build,
            "upgraded child": build,
            "child elsewhere": "none",
            "child pinned to 1": "1",
            "child pinned to 2": "2",
            "child that upgrades": "2",
            "child sent once to 1": "1",
            "child pinned to 99": "Invalid versioning override",
        }


@pytest.mark.parametrize(
    ("behavior", "build"),
    [
        (None, "1"),
        (ContinueAsNewVersioningBehavior.AUTO_UPGRADE, "2"),
        (ContinueAsNewVersioningBehavior.USE_RAMPING_VERSION, "2"),
    ],
)
async def test_a_run_that_continues_a_pinned_one_may_upgrade(
    versions: Deployment, behavior: ContinueAsNewVersioningBehavior | None, build: str
) -> None:
    handle = await started(versions, Again, behavior, None)
    await versions.promote("2")
    await handle.signal("go_on")
    assert await handle.result() == (build, True)


async def test_a_run_that_continues_another_may_go_to_the_ramping_version(versions: Deployment) -> None:
    handles = [await started(versions, Again, each, None) for each in ContinueAsNewVersioningBehavior if each]
    for percentage, build in ((100, "2"), (0, "1")):
        await versions.handle.set_ramping_version("2", percentage)
        await versions.new_runs_go_to(build)
    upgraded, ramping = handles
    for handle in handles:
        await handle.signal("go_on")
    assert await upgraded.result() == ("1", False)
    assert await ramping.result() == ("2", False)


async def test_a_retry_of_a_pinned_run_begins_on_the_current_version(versions: Deployment) -> None:
    policy = RetryPolicy(maximum_attempts=2, initial_interval=timedelta(milliseconds=10))
    handle = await started(versions, SecondAttempt, retry_policy=policy)
    await versions.promote("2")
    await handle.signal("go_on")
    assert await handle.result() == "2"


async def test_a_reset_pinned_run_keeps_its_version_from_its_first_task_on(versions: Deployment) -> None:
    handle = await started(versions, TwoSteps)
    await handle.query("build")
    await versions.promote("2")
    anew = await handle.reset(WorkflowResetPoint.first_task())
    await anew.signal("go_on")
    # It had no version before its first task.
    assert await anew.result() == "2"

    await versions.promote("1")
    handle = await started(versions, TwoSteps)

    async def has_acted() -> bool:
        return any(each.HasField("activity_task_completed_event_attributes") for each in await events(handle))

    await eventually(has_acted, what="the activity has completed")
    await versions.promote("2")
    later = await handle.reset(WorkflowResetPoint.last_task())
    await later.signal("go_on")
    assert await later.result() == "1"


async def events(handle: WorkflowHandle[Any, Any]) -> list[Any]:
    return list((await handle.fetch_history()).events)


# Patches


@workflow.defn(name="Changing", versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class Before(Gated):
    @workflow.run
    async def run(self) -> list[str]:
        await self.gate()
        return ["old", current_build()]


@workflow.defn(name="Changing", versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class After(Gated):
    @workflow.run
    async def run(self) -> list[str]:
        new = workflow.patched("add a pause")
        if new:
            await workflow.sleep(0.001)
        await self.gate()
        return ["new" if new else "old", current_build()]


async def test_a_patch_lets_runs_of_the_old_code_upgrade(deployment: Deployment) -> None:
    async with deployment.worker("1", [Before], current=True), deployment.worker("2", [After]):
        old = await started(deployment, Before)
        await deployment.promote("2")
        new = await deployment.start("Changing")
        for handle in (old, new):
            await handle.signal("go_on")
        assert await old.result() == ["old", "2"]
        assert await new.result() == ["new", "2"]
        assert await build_ids(old) == ["1", "2"]


async def test_a_patched_run_gets_stuck_on_code_from_before_the_patch_until_that_is_gone(
    client: Client, deployment: Deployment
) -> None:
    client._raise_task_failures = False
    async with deployment.worker("1", [Before]), deployment.worker("2", [After], current=True):
        handle = await deployment.start("Changing")
        assert await handle.query("build") == "2"
        await deployment.promote("1")

        async def is_stuck() -> bool:
            await handle.signal("go_on")
            failed = [each.workflow_task_failed_event_attributes for each in await events(handle)]
            nondeterminism = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR
            return any(each.cause == nondeterminism for each in failed)

        await eventually(is_stuck, what="version 1 does not know what to do with the run")
        await deployment.promote("2")
        assert await handle.result() == ["new", "2"]
        assert set(await build_ids(handle)) == {"2"}
