"""Which run the current code belongs to: the loop that is running on this thread knows it."""

from __future__ import annotations

from asyncio import _get_running_loop
from typing import TYPE_CHECKING

from .errors import NotInWorkflowError
from .loop import WorkflowLoop

if TYPE_CHECKING:
    from .run import WorkflowRun


def current_run_or_none() -> WorkflowRun | None:
    """The run whose code calls this, ``None`` outside of workflow code."""
    loop = _get_running_loop()
    return loop.run if type(loop) is WorkflowLoop else None  # type: ignore[return-value]


def current_run() -> WorkflowRun:
    """The run whose code calls this.

    Raises:
        NotInWorkflowError: outside of workflow code.
    """
    loop = _get_running_loop()
    if type(loop) is WorkflowLoop:
        return loop.run  # type: ignore[return-value]
    raise NotInWorkflowError("this function works in workflow code only, and no workflow runs on this thread now")
