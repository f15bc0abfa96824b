"""Environments for tests: the embedded Temporal server, started and stopped by the test, and clients for it."""

from ._environment import WorkflowEnvironment

__all__ = ["WorkflowEnvironment"]
