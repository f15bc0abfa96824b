"""The status of standalone activities in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

    from invincible.client import ActivityExecutionStatus

_COLOURS = {"completed": "green", "running": "blue", "failed": "red", "timed out": "red", "terminated": "red"}


def status_text(status: ActivityExecutionStatus) -> str:
    """``timed out``."""
    return status.name.lower().replace("_", " ")


def status_cell(status: ActivityExecutionStatus) -> Text:
    """The status in its colour."""
    from rich.text import Text

    text = status_text(status)
    return Text(text, style=_COLOURS.get(text, "yellow"))
