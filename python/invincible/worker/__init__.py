"""Workers run workflows and activities; the replayer runs workflows against recorded histories."""

from ._replayer import Replayer, WorkflowReplayResult, WorkflowReplayResults
from ._worker import Worker

__all__ = ["Replayer", "Worker", "WorkflowReplayResult", "WorkflowReplayResults"]
