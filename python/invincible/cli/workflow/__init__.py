"""`invincible workflow`: start workflows, talk to them, and see what they did."""

from __future__ import annotations

import click

from .._lazy import LazyGroup

_SUMMARIES = {
    "start": "Start a workflow.",
    "execute": "Start a workflow and wait for its result.",
    "result": "Wait for the result of a workflow.",
    "show": "Draw what a workflow did, from its history.",
    "list": "List workflows.",
    "count": "Count workflows.",
    "describe": "Tell how a workflow stands.",
    "signal": "Send a signal to a workflow.",
    "query": "Query a workflow.",
    "update": "Send an update to a workflow.",
    "cancel": "Ask a workflow to cancel itself.",
    "terminate": "End a workflow at once.",
    "reset": "Take a workflow back to a point in its history.",
    "delete": "Delete a workflow with its history.",
    "stack": "Show where the code of a workflow waits.",
}


@click.command(cls=LazyGroup, package=__name__, summaries=_SUMMARIES)
def command() -> None:
    """Start workflows, talk to them, and see what they did."""
