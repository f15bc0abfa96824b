"""`invincible batch`: one thing done to all the workflows that a query finds, by the server."""

from __future__ import annotations

import click

from .._lazy import LazyGroup

_SUMMARIES = {
    "cancel": "Ask workflows to cancel themselves.",
    "terminate": "End workflows at once.",
    "signal": "Send a signal to workflows.",
    "reset": "Have workflows begin again from an earlier point.",
    "delete": "Delete workflows with their histories.",
    "list": "List the batch operations of the namespace.",
    "describe": "Show how far a batch operation is.",
    "stop": "Stop a batch operation.",
}


@click.group(cls=LazyGroup, package=__name__, summaries=_SUMMARIES)
def command() -> None:
    """Do one thing to all the workflows that a query finds.

    The server does it, so that it goes on when this program ends. A query may be anything that `invincible workflow
    list` takes: "WorkflowType = 'Order' AND ExecutionStatus = 'Running'".
    """
