"""What options of calls there are, for type checkers and for programs that collect them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from typing_extensions import TypedDict

from invincible.common import (
    Priority,
    RetryPolicy,
    SearchAttributes,
    TypedSearchAttributes,
    VersioningOverride,
    WorkflowIDReusePolicy,
)

from .groups import EventGroup
from .options import (
    ActivityCancellationType,
    ChildWorkflowCancellationType,
    ParentClosePolicy,
    VersioningIntent,
)


class ActivityConfig(TypedDict, total=False):
    """The options of an activity call. One of ``start_to_close_timeout`` and ``schedule_to_close_timeout`` is needed,
    on the definition or for the call."""

    task_queue: str | None
    """Where its workers poll; that of the workflow by default."""
    schedule_to_close_timeout: timedelta | None
    """Longest time for all attempts together, with the waits between them."""
    schedule_to_start_timeout: timedelta | None
    """Longest time for an attempt to wait for a worker; it is not repeated after that."""
    start_to_close_timeout: timedelta | None
    """Longest time for one attempt."""
    heartbeat_timeout: timedelta | None
    """Longest time between two heartbeats."""
    retry_policy: RetryPolicy | None
    """How a failed attempt is repeated; without end by default."""
    cancellation_type: ActivityCancellationType
    """What cancelling it waits for; ``TRY_CANCEL`` by default."""
    activity_id: str | None
    """Its id; a number by default."""
    versioning_intent: VersioningIntent | None
    """With build-id based versioning, which workers take it."""
    summary: str | None
    """One line for the Web UI."""
    event_groups: Sequence[EventGroup] | None
    """Groups that its event belongs to."""
    priority: Priority
    """Priority and fairness; those of the workflow by default."""


class LocalActivityConfig(TypedDict, total=False):
    """The options of a local activity call. One of ``start_to_close_timeout`` and ``schedule_to_close_timeout`` is
    needed, on the definition or for the call."""

    schedule_to_close_timeout: timedelta | None
    """Longest time for all attempts together, with the waits between them."""
    schedule_to_start_timeout: timedelta | None
    """Longest time for it to wait for a slot of the worker."""
    start_to_close_timeout: timedelta | None
    """Longest time for one attempt."""
    retry_policy: RetryPolicy | None
    """How a failed attempt is repeated; without end by default."""
    local_retry_threshold: timedelta | None
    """Waits between attempts that are longer than this are timers of the server; a minute by default."""
    cancellation_type: ActivityCancellationType
    """What cancelling it waits for; ``TRY_CANCEL`` by default."""
    activity_id: str | None
    """Its id; a number by default."""
    summary: str | None
    """One line for the Web UI."""
    event_groups: Sequence[EventGroup] | None
    """Groups that its event belongs to."""


class ChildWorkflowConfig(TypedDict, total=False):
    """The options of a child workflow call."""

    id: str | None
    """Its id; a random one by default, the same on each replay."""
    task_queue: str | None
    """Where its workers poll; that of the workflow by default."""
    cancellation_type: ChildWorkflowCancellationType
    """What cancelling it waits for; ``WAIT_CANCELLATION_COMPLETED`` by default."""
    parent_close_policy: ParentClosePolicy
    """What becomes of it when this workflow ends; ``TERMINATE`` by default."""
    execution_timeout: timedelta | None
    """Longest time for all runs together, retries and continuing as new included."""
    run_timeout: timedelta | None
    """Longest time for one run."""
    task_timeout: timedelta | None
    """Longest time for a worker to answer one workflow task."""
    id_reuse_policy: WorkflowIDReusePolicy
    """Whether the id of a closed workflow may be used again; ``ALLOW_DUPLICATE`` by default."""
    retry_policy: RetryPolicy | None
    """How a failed child is repeated; by default it is not."""
    cron_schedule: str
    """When to repeat it, in cron's notation."""
    memo: Mapping[str, Any] | None
    """Values to keep with it that cannot be searched for."""
    search_attributes: SearchAttributes | TypedSearchAttributes | None
    """Values that it can be found by."""
    versioning_intent: VersioningIntent | None
    """With build-id based versioning, which workers run it."""
    versioning_override: VersioningOverride | None
    """Version to run on, whatever the workers say."""
    static_summary: str | None
    """One line for the Web UI."""
    static_details: str | None
    """A text for the Web UI."""
    event_groups: Sequence[EventGroup] | None
    """Groups that its event belongs to."""
    priority: Priority
    """Priority and fairness; those of the workflow by default."""
