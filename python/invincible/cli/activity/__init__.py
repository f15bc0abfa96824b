"""`invincible activity`: activities that are completed from outside, standalone ones, and those of a workflow."""

from __future__ import annotations

import click

from .._lazy import LazyGroup

_SUMMARIES = {
    "complete": "Complete an activity from outside of its worker.",
    "fail": "Fail an activity from outside of its worker.",
    "pause": "Begin no more attempts of an activity.",
    "unpause": "Have a paused activity go on.",
    "reset": "Have an activity begin again with its first attempt.",
    "update-options": "Change timeouts, task queue or retries of an activity.",
    "list": "List standalone activities.",
    "count": "Count standalone activities.",
    "describe": "Show a standalone activity.",
    "result": "Wait for the result of a standalone activity.",
    "cancel": "Ask a standalone activity to stop.",
    "terminate": "End a standalone activity at once.",
}


@click.group(cls=LazyGroup, package=__name__, summaries=_SUMMARIES)
def command() -> None:
    """Complete, fail and manage activities.

    An activity of a workflow is named by --workflow-id and its own id, a standalone one by its id alone.
    """
