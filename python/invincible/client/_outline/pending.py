"""What the server tells of steps that are open and of which histories tell nothing yet: attempts and their failures."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from .messages import enum_text, time_of
from .steps import Run, Step
from .text import duration_text

if TYPE_CHECKING:
    from invincible.api.workflowservice.v1 import DescribeWorkflowExecutionResponse


def add_pending(run: Run, description: DescribeWorkflowExecutionResponse, now: datetime) -> None:
    """Adds to the open steps of a run what a description tells of them.

    Args:
        run: The run.
        description: The description of the same run, as young as its history.
        now: The present time.
    """
    activities = {step.key: step for step in run.open if step.kind == "activity"}
    for activity in description.pending_activities:
        if (step := activities.get(activity.activity_id)) is not None:
            _attempts(step, activity, "last_failure")
            step.waiting = activity_waits(activity, now)
    for operation in description.pending_nexus_operations:
        if (step := run.step_at(operation.scheduled_event_id)) is not None:
            _attempts(step, operation, "last_attempt_failure")
            step.waiting = next_attempt(operation, now)
    if description.HasField("pending_workflow_task"):
        task = description.pending_workflow_task
        run.task_attempt = max(task.attempt, 1)
        run.waits_since = time_of(task, "original_scheduled_time") or time_of(task, "scheduled_time")
        run.task_started = enum_text(task, "state") == "started"


def _attempts(step: Step, pending: Any, failure: str) -> None:
    step.attempt = max(pending.attempt, 1)
    if pending.HasField(failure):
        step.last_failure = getattr(pending, failure)


def activity_waits(activity: Any, now: datetime) -> str:
    state = enum_text(activity, "state")
    if state == "paused" or activity.paused:
        return "paused"
    if state in ("started", "cancel requested", "pause requested", "reset requested"):
        since = time_of(activity, "last_started_time")
        running = "runs" if since is None else f"runs for {duration_text(max(now - since, now - now))}"
        return f"{running} on {activity.last_worker_identity}" if activity.last_worker_identity else running
    return next_attempt(activity, now) or "waits for a worker"


def next_attempt(pending: Any, now: datetime) -> str:
    following = time_of(pending, "next_attempt_schedule_time")
    if following is None or following <= now:
        return ""
    of = f" of {pending.maximum_attempts}" if getattr(pending, "maximum_attempts", 0) else ""
    return f"attempt {pending.attempt}{of} in {duration_text(following - now)}"
