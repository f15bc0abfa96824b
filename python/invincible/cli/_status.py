"""The status of workflows and activities, for people and for programs."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

_COLOURS = {"completed": "green", "running": "blue", "failed": "red", "timed out": "red", "terminated": "red"}


def status_text(status: IntEnum | None) -> str:
    """``timed out``; empty for none."""
    return "" if status is None else status.name.lower().replace("_", " ").replace("canceled", "cancelled")


def status_json(status: IntEnum | None) -> str | None:
    """``timed_out``, as the API spells it."""
    return None if status is None else status.name.lower()


def status_cell(status: IntEnum | None) -> Text:
    """The status in its colour."""
    from rich.text import Text

    text = status_text(status)
    return Text(text, style=_COLOURS.get(text, "yellow"))
