"""What a reset raises, beside :class:`~invincible.service.RPCError`."""

from __future__ import annotations

from invincible.exceptions import TemporalError


class WorkflowResetError(TemporalError):
    """A workflow cannot be reset as asked for: its history has no such point. Nothing has changed.

    Args:
        workflow_id: The workflow.
        run_id: Its run.
        message: What is wrong, and what there is in the history.
    """

    def __init__(self, workflow_id: str, run_id: str, message: str) -> None:
        """Creates the error."""
        super().__init__(f"workflow {workflow_id!r} (run {run_id}) cannot be reset {message}")
        self.workflow_id = workflow_id
        self.run_id = run_id
