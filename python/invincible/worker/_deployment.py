"""Worker deployments: which version of the code a worker is."""

from __future__ import annotations

from dataclasses import dataclass

from invincible.common import VersioningBehavior, WorkerDeploymentVersion


@dataclass(frozen=True)
class WorkerDeploymentConfig:
    """The deployment that a worker belongs to.

    Args:
        version: Name of the deployment, and the build within it.
        use_worker_versioning: Take part in versioning: the server routes each run to the version it belongs to.
        default_versioning_behavior: For workflows that do not say themselves, see ``workflow.defn``.

    Example:
        WorkerDeploymentConfig(WorkerDeploymentVersion("billing", "2026-11-22.1"), use_worker_versioning=True)
    """

    version: WorkerDeploymentVersion
    use_worker_versioning: bool
    default_versioning_behavior: VersioningBehavior = VersioningBehavior.UNSPECIFIED
