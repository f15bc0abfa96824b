"""Worker deployments: which version of the code a worker is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from invincible.common import VersioningBehavior, WorkerDeploymentVersion

if TYPE_CHECKING:
    from invincible._engine.definition import WorkflowDefinition


@dataclass(frozen=True)
class WorkerDeploymentConfig:
    """The deployment that a worker belongs to.

    Args:
        version: Name of the deployment, and the build within it.
        use_worker_versioning: Take part in versioning: the server routes each run to the version it belongs to. If
            not, the version is merely shown in histories, and what workflows say of their versioning has no effect.
        default_versioning_behavior: For workflows that do not say themselves, see ``workflow.defn``.

    Example:
        WorkerDeploymentConfig(WorkerDeploymentVersion("billing", "2026-11-22.1"), use_worker_versioning=True)
    """

    version: WorkerDeploymentVersion
    use_worker_versioning: bool
    default_versioning_behavior: VersioningBehavior = VersioningBehavior.UNSPECIFIED


def check_deployment(config: WorkerDeploymentConfig, definitions: Iterable[WorkflowDefinition]) -> None:
    """Refuse what the server would refuse at each poll, without a word in the worker's log, or at each task.

    Raises:
        TypeError: the config, its version or its behavior is of another type.
        ValueError: a name that no server takes, a default without versioning, or a workflow that nobody has said
            the behavior of.
    """
    if not isinstance(config, WorkerDeploymentConfig):
        raise TypeError(f"deployment_config must be a WorkerDeploymentConfig, got {type(config).__name__}")
    if not isinstance(config.version, WorkerDeploymentVersion):
        raise TypeError(
            f"deployment_config.version must be a WorkerDeploymentVersion, got {type(config.version).__name__}"
        )
    _check_name("deployment_name", config.version.deployment_name, forbidden=".:")
    _check_name("build_id", config.version.build_id, forbidden="")
    if not isinstance(config.use_worker_versioning, bool):
        raise TypeError(f"use_worker_versioning must be a bool, got {type(config.use_worker_versioning).__name__}")
    default = config.default_versioning_behavior
    if not isinstance(default, VersioningBehavior):
        raise TypeError(f"default_versioning_behavior must be a VersioningBehavior, got {default!r}")
    if not config.use_worker_versioning:
        if default is not VersioningBehavior.UNSPECIFIED:
            raise ValueError(
                f"default_versioning_behavior {default.name} has no effect without use_worker_versioning: "
                "set that to True, or leave the behavior out"
            )
    elif default is VersioningBehavior.UNSPECIFIED:
        for definition in definitions:
            if definition.versioning_behavior is VersioningBehavior.UNSPECIFIED and definition.dynamic_config is None:
                name = "the dynamic workflow" if definition.name is None else f"workflow {definition.name!r}"
                raise ValueError(
                    f"{name} does not say whether its runs stay on the worker version they begin on: give "
                    "versioning_behavior to @workflow.defn, or default_versioning_behavior to the worker's "
                    "WorkerDeploymentConfig"
                )


def _check_name(what: str, name: str, *, forbidden: str) -> None:
    if not isinstance(name, str):
        raise TypeError(f"{what} of a worker deployment must be a str, got {type(name).__name__}")
    if not name:
        raise ValueError(f"{what} of a worker deployment must not be empty")
    if name.startswith("__"):
        raise ValueError(f"{what} of a worker deployment must not begin with '__', got {name!r}")
    for character in forbidden:
        if character in name:
            raise ValueError(f"{what} of a worker deployment must not contain {character!r}, got {name!r}")
