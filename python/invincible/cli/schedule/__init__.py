"""`invincible schedule`: workflows that the server starts by the calendar."""

from __future__ import annotations

import click

from .._lazy import LazyGroup

_SUMMARIES = {
    "create": "Create a schedule.",
    "list": "List schedules.",
    "describe": "Show a schedule with its last and its next runs.",
    "pause": "Have a schedule start nothing.",
    "unpause": "Have a paused schedule go on.",
    "trigger": "Have a schedule act now.",
    "backfill": "Have a schedule make up for a time that has passed.",
    "update": "Change what is given, and nothing else.",
    "delete": "Delete a schedule. Its workflows go on.",
}


@click.group(cls=LazyGroup, package=__name__, summaries=_SUMMARIES)
def command() -> None:
    """Have workflows started by the calendar."""
