"""Options between what Core takes and what inputs of interceptors show."""

from __future__ import annotations

from typing import Any, TypeVar

from invincible import _native
from invincible._engine.options import (
    ActivityCancellationType,
    ActivityOptions,
    ChildWorkflowCancellationType,
    ChildWorkflowOptions,
    LocalActivityOptions,
    ParentClosePolicy,
    VersioningIntent,
    timedelta_or_none,
)
from invincible.common import (
    AutoUpgradeVersioningOverride,
    OneTimeVersioningOverride,
    PinnedVersioningOverride,
    Priority,
    RetryPolicy,
    VersioningOverride,
    WorkerDeploymentVersion,
    WorkflowIDReusePolicy,
)

from .inputs import StartActivityInput, StartChildWorkflowInput, StartLocalActivityInput

O = TypeVar("O", ActivityOptions, LocalActivityOptions, ChildWorkflowOptions)  # noqa: E741

_VERSIONED = {"pinned": PinnedVersioningOverride, "one_time": OneTimeVersioningOverride}


def activity_fields(options: ActivityOptions) -> dict[str, Any]:
    """The fields of an input that are options."""
    return {
        "activity_id": options.activity_id,
        "task_queue": options.task_queue,
        "schedule_to_close_timeout": timedelta_or_none(options.schedule_to_close_timeout),
        "schedule_to_start_timeout": timedelta_or_none(options.schedule_to_start_timeout),
        "start_to_close_timeout": timedelta_or_none(options.start_to_close_timeout),
        "heartbeat_timeout": timedelta_or_none(options.heartbeat_timeout),
        "retry_policy": _retry_policy(options.retry_policy),
        "cancellation_type": ActivityCancellationType(options.cancellation_type),
        "versioning_intent": _intent(options.versioning_intent),
        "summary": options.summary,
        "event_groups": options.event_groups or None,
        "priority": _priority(options.priority),
    }


def local_activity_fields(options: LocalActivityOptions) -> dict[str, Any]:
    """The fields of an input that are options."""
    return {
        "activity_id": options.activity_id,
        "schedule_to_close_timeout": timedelta_or_none(options.schedule_to_close_timeout),
        "schedule_to_start_timeout": timedelta_or_none(options.schedule_to_start_timeout),
        "start_to_close_timeout": timedelta_or_none(options.start_to_close_timeout),
        "retry_policy": _retry_policy(options.retry_policy),
        "local_retry_threshold": timedelta_or_none(options.local_retry_threshold),
        "cancellation_type": ActivityCancellationType(options.cancellation_type),
        "summary": options.summary,
        "event_groups": options.event_groups or None,
    }


def child_workflow_fields(options: ChildWorkflowOptions) -> dict[str, Any]:
    """The fields of an input that are options, but for the id."""
    return {
        "task_queue": options.task_queue,
        "cancellation_type": ChildWorkflowCancellationType(options.cancellation_type),
        "parent_close_policy": ParentClosePolicy(options.parent_close_policy),
        "execution_timeout": timedelta_or_none(options.execution_timeout),
        "run_timeout": timedelta_or_none(options.run_timeout),
        "task_timeout": timedelta_or_none(options.task_timeout),
        "id_reuse_policy": WorkflowIDReusePolicy(options.id_reuse_policy),
        "retry_policy": _retry_policy(options.retry_policy),
        "cron_schedule": options.cron_schedule,
        "memo": options.memo,
        "search_attributes": options.search_attributes,
        "versioning_intent": _intent(options.versioning_intent),
        "static_summary": options.static_summary,
        "static_details": options.static_details,
        "versioning_override": _override(options.versioning_override),
        "event_groups": options.event_groups or None,
        "priority": _priority(options.priority),
    }


def options_of(kind: type[O], input: StartActivityInput | StartLocalActivityInput | StartChildWorkflowInput) -> O:
    """The options of an input as interceptors have left it.

    Raises:
        TypeError: one of them is of the wrong type.
        ValueError: a timeout is negative, a number is no member of its enumeration.
    """
    config = {name: getattr(input, name) for name in kind._converters}
    if config.get("priority") == Priority.default:
        config["priority"] = None
    return kind().replaced(config)


def _retry_policy(native: _native.RetryPolicy | None) -> RetryPolicy | None:
    if native is None:
        return None
    policy = RetryPolicy._from_native(native)
    # What Core is told if nothing is said.
    if policy.maximum_interval == 100 * policy.initial_interval:
        policy.maximum_interval = None
    return policy


def _intent(intent: int) -> VersioningIntent | None:
    return VersioningIntent(intent) if intent else None


def _priority(priority: _native.Priority | None) -> Priority:
    return Priority._from_wire(priority) if priority is not None else Priority.default


def _override(native: tuple[str, tuple[str, str] | None] | None) -> VersioningOverride | None:
    if native is None:
        return None
    kind, version = native
    if version is None:
        return AutoUpgradeVersioningOverride()
    return _VERSIONED[kind](WorkerDeploymentVersion(*version))
