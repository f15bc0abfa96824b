"""Enumerations about workflow executions and their updates, with the numbers of the Temporal API."""

from __future__ import annotations

from enum import IntEnum


class WorkflowExecutionStatus(IntEnum):
    """Status of a workflow execution."""

    RUNNING = 1
    COMPLETED = 2
    FAILED = 3
    CANCELED = 4
    TERMINATED = 5
    CONTINUED_AS_NEW = 6
    TIMED_OUT = 7
    PAUSED = 8

    @classmethod
    def _of(cls, number: int) -> WorkflowExecutionStatus | None:
        """The status of a number; ``None`` for none, and for those that later servers may have."""
        return cls(number) if number in cls._value2member_map_ else None


class WorkflowHistoryEventFilterType(IntEnum):
    """Which events of a history are wanted."""

    ALL_EVENT = 1
    CLOSE_EVENT = 2


class WorkflowUpdateStage(IntEnum):
    """How far an update of a workflow has come."""

    ADMITTED = 1
    """The server has it; no worker has seen it yet."""
    ACCEPTED = 2
    """It is in the workflow's history: a worker took it, and its validator let it pass."""
    COMPLETED = 3
    """Its handler has returned or raised."""
