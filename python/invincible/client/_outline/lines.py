"""What an outline is made of: lines of text in parts that may be coloured."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

Style: TypeAlias = Literal["", "strong", "dim", "good", "bad", "warn", "value"]


@dataclass(frozen=True)
class Line:
    """One line.

    Attributes:
        parts: Its text, each part with what it is. Nothing in it acts upon a terminal.
    """

    parts: tuple[tuple[str, Style], ...] = ()

    def __str__(self) -> str:
        return "".join(text for text, _ in self.parts).rstrip()

    def indented(self, width: int) -> Line:
        """The line, further to the right."""
        return Line(((" " * width, ""), *self.parts)) if self.parts else self


def line(*parts: tuple[str, Style] | str) -> Line:
    """A line of parts; empty ones are left out."""
    pairs: Iterable[tuple[str, Style]] = ((part, "") if isinstance(part, str) else part for part in parts)
    return Line(tuple(pair for pair in pairs if pair[0]))
