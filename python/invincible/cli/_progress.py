"""One line at the bottom of a terminal that tells how far a command is."""

from __future__ import annotations

import shutil
import sys
from unicodedata import combining, east_asian_width

import click

_ERASE = "\r\x1b[K"


class Progress:
    """A line on standard error that is replaced as it goes on, and is gone at the end. Nothing without a terminal.

    Args:
        text: What it says at first.
    """

    def __init__(self, text: str) -> None:
        self._on = sys.stderr.isatty()
        self._text = text

    def __enter__(self) -> Progress:
        self.show(self._text)
        return self

    def __exit__(self, *_: object) -> None:
        self._erase()

    def show(self, text: str) -> None:
        """Replace the line. Text of others must be clean."""
        self._text = text
        if self._on:
            width = max(1, shutil.get_terminal_size().columns - 1)
            click.echo(f"{_ERASE}{_fitting(text, width)}", nl=False, err=True, color=True)

    def say(self, text: str) -> None:
        """Print text on standard output, above the line."""
        self._erase()
        click.echo(text)
        if self._on and sys.stdout.isatty():
            self.show(self._text)

    def _erase(self) -> None:
        if self._on:
            click.echo(_ERASE, nl=False, err=True, color=True)


def _fitting(text: str, width: int) -> str:
    """As much of a text as fits; a line that wraps could not be erased."""
    for index, character in enumerate(text):
        width -= 0 if combining(character) else 2 if east_asian_width(character) in "WF" else 1
        if width < 0:
            return text[:index]
    return text
