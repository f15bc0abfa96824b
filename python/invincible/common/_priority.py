"""Priority and fairness of queued tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from invincible import _native

if TYPE_CHECKING:
    from invincible.api.common.v1 import Priority as PriorityMessage


@dataclass(frozen=True)
class Priority:
    """Where a workflow's or activity's tasks stand in a task queue with a backlog.

    A field that is ``None`` is inherited from the calling workflow, or left to the server's default.

    Args:
        priority_key: Positive integer; lower is sooner. The server's default is 3 on a scale of 1 to 5.
        fairness_key: Tasks of different keys share the queue; at most 64 bytes.
        fairness_weight: Share of this key, 0.001 to 1000; the server's default is 1.

    Raises:
        TypeError: ``priority_key`` is not an integer.
        ValueError: ``priority_key`` is not positive.
    """

    priority_key: int | None = None
    fairness_key: str | None = None
    fairness_weight: float | None = None

    default: ClassVar[Priority]

    def __post_init__(self) -> None:
        """Refuses keys that the server would refuse."""
        if self.priority_key is None:
            return
        if not isinstance(self.priority_key, int):
            raise TypeError(f"priority_key must be an integer, got {type(self.priority_key).__name__}")
        if self.priority_key < 1:
            raise ValueError(f"priority_key must be a positive integer, got {self.priority_key}")

    def _to_native(self) -> _native.Priority:
        return _native.Priority(
            priority_key=self.priority_key or 0,
            fairness_key=self.fairness_key or "",
            fairness_weight=self.fairness_weight or 0.0,
        )

    def _apply_to_proto(self, message: PriorityMessage) -> None:
        # The server tells a message with nothing in it from none.
        message.SetInParent()
        message.priority_key = self.priority_key or 0
        message.fairness_key = self.fairness_key or ""
        message.fairness_weight = self.fairness_weight or 0.0

    @staticmethod
    def _from_wire(priority: _native.Priority | PriorityMessage) -> Priority:
        return Priority(
            priority_key=priority.priority_key or None,
            fairness_key=priority.fairness_key or None,
            fairness_weight=priority.fairness_weight or None,
        )


Priority.default = Priority()
