"""Worker deployments and the versions that workflows run on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import IntEnum


class VersioningBehavior(IntEnum):
    """Whether a workflow stays on the worker version it started on."""

    UNSPECIFIED = 0
    """Not said: the default of the worker's deployment holds."""
    PINNED = 1
    """It does."""
    AUTO_UPGRADE = 2
    """It moves to the current or ramping version with its next task."""


@dataclass(frozen=True)
class WorkerDeploymentVersion:
    """One version of one worker deployment.

    Args:
        deployment_name: Name of the deployment; without a dot if the canonical string is to be read back.
        build_id: Build within the deployment.
    """

    deployment_name: str
    build_id: str

    def to_canonical_string(self) -> str:
        """The form ``deployment_name.build_id``."""
        return f"{self.deployment_name}.{self.build_id}"

    @staticmethod
    def from_canonical_string(canonical: str) -> WorkerDeploymentVersion:
        """Reads the form ``deployment_name.build_id``; the name ends at the first dot.

        Raises:
            ValueError: There is no dot.
        """
        deployment_name, dot, build_id = canonical.partition(".")
        if not dot:
            raise ValueError(f"{canonical!r} is not a version: it must have the form <deployment_name>.<build_id>")
        return WorkerDeploymentVersion(deployment_name, build_id)


class VersioningOverride(ABC):
    """A versioning behavior set for one workflow, over that of its worker."""

    @abstractmethod
    def _to_native(self) -> tuple[str, tuple[str, str] | None]:
        """The kind of override, and the deployment name and build id that it names if it does."""


@dataclass(frozen=True)
class PinnedVersioningOverride(VersioningOverride):
    """Keeps the workflow on one version.

    Args:
        version: The version to stay on.
    """

    version: WorkerDeploymentVersion

    def _to_native(self) -> tuple[str, tuple[str, str] | None]:
        return "pinned", (self.version.deployment_name, self.version.build_id)


@dataclass(frozen=True)
class AutoUpgradeVersioningOverride(VersioningOverride):
    """Moves the workflow to the current version of its deployment at the next workflow task."""

    def _to_native(self) -> tuple[str, tuple[str, str] | None]:
        return "auto_upgrade", None


@dataclass(frozen=True)
class OneTimeVersioningOverride(VersioningOverride):
    """Sends the workflow to one version until a task has completed there, then lets its worker decide again.

    Args:
        target_version: The version to go to.
    """

    target_version: WorkerDeploymentVersion

    def _to_native(self) -> tuple[str, tuple[str, str] | None]:
        return "one_time", (self.target_version.deployment_name, self.target_version.build_id)
