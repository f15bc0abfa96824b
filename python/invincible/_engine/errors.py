"""Errors that the engine raises to workflow code or to the worker."""

from __future__ import annotations

from invincible.exceptions import TemporalError


class NondeterminismError(TemporalError):
    """Workflow code did something else than its history says it did."""


class ReadOnlyContextError(TemporalError):
    """A query or validator tried to change the workflow."""


class NotInWorkflowError(TemporalError, RuntimeError):
    """A function that only works in workflow code was called from elsewhere."""


class EvictedError(BaseException):
    """The run has left the cache; raised to its ``finally`` blocks when they ask for more work. Seen nowhere else."""
