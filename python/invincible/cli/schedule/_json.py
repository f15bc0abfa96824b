"""Schedules as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from invincible.client._outline.values import value_json

from ._calendar import calendar_json
from ._spec import overlap_text

if TYPE_CHECKING:
    from invincible.client import (
        Schedule,
        ScheduleActionResult,
        ScheduleActionStartWorkflow,
        ScheduleSpec,
        SyncScheduleDescription,
        SyncScheduleListDescription,
    )
    from invincible.common import RetryPolicy


def listed_json(each: SyncScheduleListDescription) -> dict[str, Any]:
    """A schedule as a list has it."""
    schedule, info = each.schedule, each.info
    told: dict[str, Any] = {"schedule_id": each.id}
    if schedule is not None:
        told["workflow"] = getattr(schedule.action, "workflow", None)
        told |= {"paused": schedule.state.paused, "note": schedule.state.note, "spec": _spec_json(schedule.spec)}
    if info is not None:
        told["recent_actions"] = [_result_json(each) for each in info.recent_actions]
        told["next_action_times"] = info.next_action_times
    return told | {"search_attributes": dict(each.search_attributes)}


def described_json(
    described: SyncScheduleDescription, action: ScheduleActionStartWorkflow, memo: Mapping[str, Any]
) -> dict[str, Any]:
    """All of a schedule.

    Args:
        described: It.
        action: Its action, the payloads as they were before the codec.
        memo: Its memo, as such payloads.
    """
    schedule, info = described.schedule, described.info
    return {
        "schedule_id": described.id,
        "action": _action_json(action),
        "spec": _spec_json(schedule.spec),
        "policy": _policy_json(schedule),
        "state": asdict(schedule.state),
        "info": {
            "num_actions": info.num_actions,
            "num_actions_missed_catchup_window": info.num_actions_missed_catchup_window,
            "num_actions_skipped_overlap": info.num_actions_skipped_overlap,
            "running_actions": [asdict(each) for each in info.running_actions],  # type: ignore[call-overload]
            "recent_actions": [_result_json(each) for each in info.recent_actions],
            "next_action_times": info.next_action_times,
            "created_at": info.created_at,
            "last_updated_at": info.last_updated_at,
        },
        "memo": _values_json(memo),
        "search_attributes": dict(described.search_attributes),
    }


def _spec_json(spec: ScheduleSpec) -> dict[str, Any]:
    return asdict(spec) | {
        "calendars": [calendar_json(each) for each in spec.calendars],
        "skip": [calendar_json(each) for each in spec.skip],
    }


def _policy_json(schedule: Schedule) -> dict[str, Any]:
    policy = schedule.policy
    return {
        "overlap": overlap_text(policy.overlap),
        "catchup_window": policy.catchup_window,
        "pause_on_failure": policy.pause_on_failure,
    }


def _action_json(action: ScheduleActionStartWorkflow) -> dict[str, Any]:
    return {
        "workflow": action.workflow,
        "workflow_id": action.id,
        "task_queue": action.task_queue,
        "input": [value_json(each) for each in action.args],
        "execution_timeout": action.execution_timeout,
        "run_timeout": action.run_timeout,
        "task_timeout": action.task_timeout,
        "retry_policy": _retry_json(action.retry_policy),
        "memo": _values_json(action.memo or {}),
        "search_attributes": {
            **{pair.key.name: pair.value for pair in action.typed_search_attributes},
            **action.untyped_search_attributes,
        },
        "static_summary": _optional_json(action.static_summary),
        "static_details": _optional_json(action.static_details),
        "priority": asdict(action.priority),
    }


def _result_json(result: ScheduleActionResult) -> dict[str, Any]:
    return asdict(result)


def _retry_json(policy: RetryPolicy | None) -> dict[str, Any] | None:
    return None if policy is None else asdict(policy)


def _values_json(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value_json(payload) for name, payload in values.items()}


def _optional_json(payload: Any) -> Any:
    return None if payload is None else value_json(payload)
