"""How many polls of one kind a worker has under way at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from ._option_types import check_whole


@dataclass(frozen=True)
class PollerBehaviorSimpleMaximum:
    """As many polls as there are slots, up to a maximum.

    Args:
        maximum: Polls under way at a time.

    Raises:
        TypeError: ``maximum`` is no whole number.
        ValueError: ``maximum`` is below 1.
    """

    maximum: int = 5

    def __post_init__(self) -> None:
        check_whole("maximum", self.maximum, least=1)

    def _native(self) -> int:
        return self.maximum


@dataclass(frozen=True)
class PollerBehaviorAutoscaling:
    """More polls while the server has more tasks than are polled for, fewer while polls come back empty.

    Args:
        minimum: Polls that are always under way, as long as there are slots.
        maximum: Polls under way at a time.
        initial: Polls to begin with, before the server has said anything.

    Raises:
        TypeError: One of them is no whole number.
        ValueError: not ``1 <= minimum <= initial <= maximum``.
    """

    minimum: int = 1
    maximum: int = 100
    initial: int = 5

    def __post_init__(self) -> None:
        for name in ("minimum", "maximum", "initial"):
            check_whole(name, getattr(self, name), least=1)
        if not self.minimum <= self.initial <= self.maximum:
            raise ValueError(
                "initial must lie between minimum and maximum, "
                f"got minimum={self.minimum}, initial={self.initial}, maximum={self.maximum}"
            )

    def _native(self) -> tuple[int, int, int]:
        return self.minimum, self.maximum, self.initial


PollerBehavior: TypeAlias = PollerBehaviorSimpleMaximum | PollerBehaviorAutoscaling
"""How many polls a worker keeps open for one kind of task."""
