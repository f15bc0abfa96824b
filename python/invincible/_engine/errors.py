"""Errors that the engine raises to workflow code or to the worker."""

from __future__ import annotations

from typing import Any

from invincible.exceptions import TemporalError


class NondeterminismError(TemporalError):
    """Workflow code did something else than its history says it did."""


class ReadOnlyContextError(TemporalError):
    """A query or validator tried to change the workflow."""


class NotInWorkflowError(TemporalError, RuntimeError):
    """A function that only works in workflow code was called from elsewhere."""


class UnfinishedUpdateHandlersWarning(RuntimeWarning):
    """A workflow ended while update handlers still ran: their callers get no result."""


class UnfinishedSignalHandlersWarning(RuntimeWarning):
    """A workflow ended while signal handlers still ran: what they had still to do is lost."""


class ContinueAsNewError(BaseException):
    """Ends the run, to be continued by a new one; raised by ``workflow.continue_as_new``.

    It is no ``Exception``, so that ``except Exception`` lets it pass.
    """

    def __init__(self, command: Any) -> None:
        """Holds the command that ends the run."""
        super().__init__("the workflow continues as new")
        self._command = command


class ActivityNotRegisteredError(TemporalError):
    """In a test, workflow code asked for an activity that no worker there runs: elsewhere, it would wait for one."""


class TaskAbandonedError(TemporalError):
    """The workflow task is given up through no fault of the workflow, and will be tried again."""


class EvictedError(BaseException):
    """The run has left the cache; raised to its ``finally`` blocks when they ask for more work. Seen nowhere else."""
