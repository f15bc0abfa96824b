"""What a worker of a deployment is refused for, before it polls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from invincible import workflow
from invincible.client import Client
from invincible.common import RawValue, VersioningBehavior, WorkerDeploymentVersion
from invincible.worker import Worker, WorkerDeploymentConfig
from invincible.worker._deployment import check_deployment
from invincible.worker._workflows import workflow_definitions

VERSION = WorkerDeploymentVersion("shop", "1")


@workflow.defn
async def silent() -> None: ...


@workflow.defn(versioning_behavior=VersioningBehavior.PINNED)
async def pinned() -> None: ...


@workflow.defn(dynamic=True)
class Silent:
    @workflow.run
    async def run(self, arguments: Sequence[RawValue]) -> None: ...


@workflow.defn(dynamic=True)
class Deciding:
    @workflow.dynamic_config
    def config(self) -> workflow.DynamicWorkflowConfig:
        return workflow.DynamicWorkflowConfig(versioning_behavior=VersioningBehavior.PINNED)

    @workflow.run
    async def run(self, arguments: Sequence[RawValue]) -> None: ...


def check(config: Any, *workflows: Any) -> None:
    check_deployment(config, workflow_definitions(workflows).values())


@pytest.mark.parametrize(
    ("workflows", "name"),
    [([silent], "workflow 'silent'"), ([pinned, silent], "workflow 'silent'"), ([Silent], "the dynamic workflow")],
)
def test_each_workflow_of_a_version_says_how_it_is_versioned(workflows: list[Any], name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} does not say whether its runs stay .* default_versioning_behavior"):
        check(WorkerDeploymentConfig(VERSION, True), *workflows)


@pytest.mark.parametrize(
    "config",
    [
        WorkerDeploymentConfig(VERSION, True, VersioningBehavior.AUTO_UPGRADE),
        WorkerDeploymentConfig(VERSION, False),
    ],
)
def test_the_worker_says_it_for_all_or_nobody_has_to(config: WorkerDeploymentConfig) -> None:
    check(config, silent, pinned, Silent)


def test_a_dynamic_workflow_that_decides_for_each_run_has_said_it() -> None:
    check(WorkerDeploymentConfig(VERSION, True), pinned, Deciding)


def test_a_default_without_versioning_is_refused() -> None:
    with pytest.raises(ValueError, match="default_versioning_behavior PINNED has no effect without use_worker_ver"):
        check(WorkerDeploymentConfig(VERSION, False, VersioningBehavior.PINNED))


@pytest.mark.parametrize(
    ("name", "build_id", "words"),
    [
        ("", "1", "deployment_name of a worker deployment must not be empty"),
        ("shop", "", "build_id of a worker deployment must not be empty"),
        ("shop.eu", "1", r"deployment_name .* must not contain '\.', got 'shop\.eu'"),
        ("shop:eu", "1", "deployment_name .* must not contain ':', got 'shop:eu'"),
        ("__shop", "1", "deployment_name .* must not begin with '__', got '__shop'"),
        ("shop", "__1", "build_id .* must not begin with '__', got '__1'"),
    ],
)
def test_names_that_no_server_takes_are_refused(name: str, build_id: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check(WorkerDeploymentConfig(WorkerDeploymentVersion(name, build_id), False))


def test_a_build_id_may_have_dots_and_colons() -> None:
    check(WorkerDeploymentConfig(WorkerDeploymentVersion("shop", "1.2:3"), True), pinned)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("shop.1", "deployment_config must be a WorkerDeploymentConfig, got str"),
        (WorkerDeploymentConfig("shop.1", True), "version must be a WorkerDeploymentVersion, got str"),  # type: ignore[arg-type]
        (
            WorkerDeploymentConfig(WorkerDeploymentVersion("shop", 1), True),  # type: ignore[arg-type]
            "build_id of a worker deployment must be a str, got int",
        ),
        (
            WorkerDeploymentConfig(VERSION, True, "pinned"),  # type: ignore[arg-type]
            "default_versioning_behavior must be a VersioningBehavior, got 'pinned'",
        ),
    ],
)
def test_other_types_are_named(config: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        check(config)


async def test_a_worker_is_checked_when_it_is_made() -> None:
    client = await Client.connect("localhost:7233", lazy=True)
    with pytest.raises(ValueError, match="workflow 'silent' does not say"):
        Worker(client, task_queue="shop", workflows=[silent], deployment_config=WorkerDeploymentConfig(VERSION, True))
