"""How far a standalone activity is, with the numbers of the Temporal API."""

from __future__ import annotations

from enum import IntEnum


class ActivityExecutionStatus(IntEnum):
    """Status of a standalone activity."""

    UNSPECIFIED = 0
    RUNNING = 1
    COMPLETED = 2
    FAILED = 3
    CANCELED = 4
    TERMINATED = 5
    TIMED_OUT = 6
    PAUSED = 7


class PendingActivityState(IntEnum):
    """What an activity that has not closed is doing."""

    UNSPECIFIED = 0
    SCHEDULED = 1
    """It waits for a worker, or for its next attempt."""
    STARTED = 2
    """A worker runs it."""
    CANCEL_REQUESTED = 3
    """A worker runs it, and is told at the next heartbeat that it is to stop."""
    PAUSED = 4
    """It is paused, and no worker runs it."""
    PAUSE_REQUESTED = 5
    """It is paused, but a worker runs it still, and is told at the next heartbeat."""
