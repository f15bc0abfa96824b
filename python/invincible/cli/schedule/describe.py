"""`invincible schedule describe`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from .._connection import Connection, connection_options
from .._options import Command
from .._output import duration_text, failure, json_option, print_fields, print_json, time_text, when_text
from .._payloads import decoded, decoded_values
from .._retry import retry_text
from ._calendar import spec_lines
from ._changes import client_for, schedule_argument
from ._json import described_json
from ._spec import overlap_text

if TYPE_CHECKING:
    from invincible.client import (
        ScheduleActionExecution,
        ScheduleActionStartWorkflow,
        ScheduleInfo,
        ScheduleState,
        SyncClient,
        SyncScheduleDescription,
    )
    from invincible.common import TypedSearchAttributes

_SHOWN = 200  # characters of each value
_NEXT = 5  # times that are told


@click.command(cls=Command)
@schedule_argument
@json_option
@connection_options
def command(schedule_id: str, as_json: bool, connection: Connection) -> None:
    """Show a schedule: what it starts, when, and what came of it. Times are in the zone of this machine."""
    from invincible.client import ScheduleActionStartWorkflow

    with client_for(connection, schedule_id) as client:
        described = client.get_schedule_handle(schedule_id).describe()
        action = described.schedule.action
        if not isinstance(action, ScheduleActionStartWorkflow):
            raise failure(f"schedule {schedule_id!r} does not start workflows")
        _decode(action, client)
        memo = decoded_values(client, described.raw_description.memo.fields)
    if as_json:
        print_json(described_json(described, action, memo))
    else:
        print_fields(_fields(described, action, memo))


def _decode(action: ScheduleActionStartWorkflow, client: SyncClient) -> None:
    """Undo what the codec did to the values of an action."""
    converter = client._async._workflow_converter(action.id, action.workflow)
    action.args = decoded(client, action.args, converter)
    action.memo = decoded_values(client, action.memo or {}, converter)
    texts: Any = {"static_summary": action.static_summary, "static_details": action.static_details}
    given = {name: payload for name, payload in texts.items() if payload is not None}
    for name, payload in decoded_values(client, given, converter).items():
        setattr(action, name, payload)


def _fields(
    described: SyncScheduleDescription, action: ScheduleActionStartWorkflow, memo: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    schedule, spec = described.schedule, described.schedule.spec
    yield "schedule", described.id
    yield "status", "paused" if schedule.state.paused else "active"
    yield "note", schedule.state.note or ""
    yield from _start_fields(action)
    yield "when", "\n".join(spec_lines(spec))
    yield "jitter", duration_text(spec.jitter)
    yield "begins", time_text(spec.start_at)
    yield "ends", time_text(spec.end_at)
    yield "overlap", overlap_text(schedule.policy.overlap)
    yield "catch-up window", duration_text(schedule.policy.catchup_window)
    yield "on failure", "pauses" if schedule.policy.pause_on_failure else ""
    yield "memo", _values_text(memo)
    yield "memo of workflows", _values_text(action.memo or {})
    yield "search attributes", _attributes_text(described.typed_search_attributes)
    yield "attributes of workflows", _attributes_text(action.typed_search_attributes)
    yield from _run_fields(described.info, schedule.state)


def _start_fields(action: ScheduleActionStartWorkflow) -> Iterator[tuple[str, str]]:
    from invincible.client._outline.values import value_json, values_text

    summary: Any = action.static_summary
    yield "starts", f"{action.workflow}({values_text(action.args, _SHOWN)})"
    yield "task queue", action.task_queue
    yield "workflow ids", f"{action.id}-<time>"
    yield "summary", "" if summary is None else str(value_json(summary))
    for name in ("execution_timeout", "run_timeout", "task_timeout"):
        limit: timedelta | None = getattr(action, name)
        yield name.replace("_", " "), duration_text(limit) if limit else ""
    yield "retries", "" if action.retry_policy is None else retry_text(action.retry_policy)


def _run_fields(info: ScheduleInfo, state: ScheduleState) -> Iterator[tuple[str, str]]:
    counts = (
        (info.num_actions_skipped_overlap, "skipped because the last still ran"),
        (info.num_actions_missed_catchup_window, "dropped as too late"),
    )
    started = [str(info.num_actions), *(f"{count} {what}" for count, what in counts if count)]
    if state.limited_actions:
        started.append(f"{state.remaining_actions} left")
    yield "created", when_text(info.created_at)
    yield "updated", when_text(info.last_updated_at)
    yield "started", ", ".join(started)
    yield "running", "\n".join(map(_workflow_id, info.running_actions))
    yield (
        "last",
        "\n".join(
            f"{when_text(each.started_at)}  {_workflow_id(each.action)}" for each in reversed(info.recent_actions)
        ),
    )
    if state.paused:
        yield "next", "nothing while it is paused"
    elif state.limited_actions and not state.remaining_actions:
        yield "next", "nothing: no actions are left"
    else:
        yield "next", "\n".join(map(when_text, info.next_action_times[:_NEXT])) or "nothing"


def _workflow_id(execution: ScheduleActionExecution) -> str:
    return getattr(execution, "workflow_id", "")


def _values_text(values: Mapping[str, Any]) -> str:
    from invincible.client._outline.values import value_text

    return "\n".join(f"{name} = {value_text(values[name], _SHOWN)}" for name in sorted(values))


def _attributes_text(attributes: TypedSearchAttributes) -> str:
    values = {pair.key.name: pair.value for pair in attributes}
    return "\n".join(
        f"{name} = {value.isoformat() if isinstance(value, datetime) else value}" for name, value in values.items()
    )
