"""Workers run workflows and activities; the replayer runs workflows against recorded histories."""

from invincible.common import WorkerDeploymentVersion

from ._deployment import WorkerDeploymentConfig
from ._replayer import Replayer, WorkflowReplayResult, WorkflowReplayResults
from ._runners import UnsandboxedWorkflowRunner, WorkflowRunner
from ._watchdog import DeadlockError
from ._worker import Worker

__all__ = [
    "DeadlockError",
    "Replayer",
    "UnsandboxedWorkflowRunner",
    "Worker",
    "WorkerDeploymentConfig",
    "WorkerDeploymentVersion",
    "WorkflowReplayResult",
    "WorkflowReplayResults",
    "WorkflowRunner",
]
