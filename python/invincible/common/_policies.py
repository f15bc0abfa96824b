"""Enumerations whose numbers are those of the Temporal API."""

from __future__ import annotations

from enum import IntEnum


class WorkflowIDReusePolicy(IntEnum):
    """Whether an id may be used again after the workflow that had it has closed."""

    ALLOW_DUPLICATE = 1
    """It may."""
    ALLOW_DUPLICATE_FAILED_ONLY = 2
    """It may, unless the last workflow has completed."""
    REJECT_DUPLICATE = 3
    """It may not, as long as the server keeps the last workflow."""
    TERMINATE_IF_RUNNING = 4
    """It may, and one that is running is terminated; :class:`WorkflowIDConflictPolicy` says that better."""


class WorkflowIDConflictPolicy(IntEnum):
    """What to do when a workflow of the same id is running already."""

    UNSPECIFIED = 0
    """The server's default, which is to fail."""
    FAIL = 1
    """Raise ``WorkflowAlreadyStartedError``."""
    USE_EXISTING = 2
    """Return a handle of the one that runs."""
    TERMINATE_EXISTING = 3
    """Terminate the one that runs, and start."""


class QueryRejectCondition(IntEnum):
    """The states of a workflow in which a query is refused."""

    NONE = 1
    """In none: closed workflows answer, too."""
    NOT_OPEN = 2
    """When it has closed."""
    NOT_COMPLETED_CLEANLY = 3
    """When it has closed in another way than by completing."""


class ActivityIDReusePolicy(IntEnum):
    """Whether an id may be used again after the standalone activity that had it has closed."""

    UNSPECIFIED = 0
    """The server's default, which is to allow it."""
    ALLOW_DUPLICATE = 1
    """It may."""
    ALLOW_DUPLICATE_FAILED_ONLY = 2
    """It may, unless the last activity has completed."""
    REJECT_DUPLICATE = 3
    """It may not, as long as the server keeps the last activity."""


class ActivityIDConflictPolicy(IntEnum):
    """What to do when a standalone activity of the same id is running already."""

    UNSPECIFIED = 0
    """The server's default, which is to fail."""
    FAIL = 1
    """Raise ``ActivityAlreadyStartedError``."""
    USE_EXISTING = 2
    """Return a handle of the one that runs."""


class NexusOperationIDReusePolicy(IntEnum):
    """Whether an id may be used again after the standalone Nexus operation that had it has closed."""

    UNSPECIFIED = 0
    """The server's default, which is to allow it."""
    ALLOW_DUPLICATE = 1
    """It may."""
    ALLOW_DUPLICATE_FAILED_ONLY = 2
    """It may, unless the last operation has completed."""
    REJECT_DUPLICATE = 3
    """It may not, as long as the server keeps the last operation."""


class NexusOperationIDConflictPolicy(IntEnum):
    """What to do when a standalone Nexus operation of the same id is running already."""

    UNSPECIFIED = 0
    """The server's default, which is to fail."""
    FAIL = 1
    """Raise ``NexusOperationAlreadyStartedError``."""
    USE_EXISTING = 2
    """Return a handle of the one that runs."""


class NexusOperationExecutionStatus(IntEnum):
    """Status of a standalone Nexus operation."""

    UNSPECIFIED = 0
    RUNNING = 1
    COMPLETED = 2
    FAILED = 3
    CANCELED = 4
    TERMINATED = 5
    TIMED_OUT = 6


class PendingNexusOperationExecutionState(IntEnum):
    """What a standalone Nexus operation that has not closed is doing."""

    UNSPECIFIED = 0
    SCHEDULED = 1
    BACKING_OFF = 2
    STARTED = 3
    BLOCKED = 4


class NexusOperationCancellationState(IntEnum):
    """How far the cancellation of a Nexus operation has come."""

    UNSPECIFIED = 0
    SCHEDULED = 1
    BACKING_OFF = 2
    SUCCEEDED = 3
    FAILED = 4
    TIMED_OUT = 5
    BLOCKED = 6


class HeaderCodecBehavior(IntEnum):
    """Which headers pass through the payload codec."""

    NO_CODEC = 1
    """None."""
    CODEC = 2
    """All: of clients, workflows and activities."""
    WORKFLOW_ONLY_CODEC = 3
    """Those that workflows send and receive; activities get those of workflows encoded."""
