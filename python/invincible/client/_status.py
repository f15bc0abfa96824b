"""Enumerations about workflow executions, with the numbers of the Temporal API."""

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


class WorkflowHistoryEventFilterType(IntEnum):
    """Which events of a history are wanted."""

    ALL_EVENT = 1
    CLOSE_EVENT = 2
