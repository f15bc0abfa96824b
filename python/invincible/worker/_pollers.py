"""How many polls of one kind a worker has under way at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class PollerBehaviorSimpleMaximum:
    """As many polls as there are slots, up to a maximum.

    Args:
        maximum: Polls under way at a time.

    Raises:
        ValueError: ``maximum`` is below 1.
    """

    maximum: int = 5

    def __post_init__(self) -> None:
        _at_least("maximum", self.maximum, 1)

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
        ValueError: not ``1 <= minimum <= initial <= maximum``.
    """

    minimum: int = 1
    maximum: int = 100
    initial: int = 5

    def __post_init__(self) -> None:
        _at_least("minimum", self.minimum, 1)
        if not self.minimum <= self.initial <= self.maximum:
            raise ValueError(
                "initial must lie between minimum and maximum, "
                f"got minimum={self.minimum}, initial={self.initial}, maximum={self.maximum}"
            )

    def _native(self) -> tuple[int, int, int]:
        return self.minimum, self.maximum, self.initial


PollerBehavior: TypeAlias = PollerBehaviorSimpleMaximum | PollerBehaviorAutoscaling


def _at_least(name: str, value: int, least: int) -> None:
    if value < least:
        raise ValueError(f"{name} must be at least {least}, not {value}")
