"""`invincible workflow describe`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import click

from .._connection import Connection, connection_options
from .._ends import styled
from .._options import Command
from .._output import clean, duration_text, json_option, print_fields, print_json, when_text
from .._status import status_json, status_text
from ._handles import handle_of, id_argument, run_id_option

if TYPE_CHECKING:
    from invincible.client import SyncWorkflowExecutionDescription
    from invincible.client._outline import Line


@click.command(cls=Command)
@id_argument
@run_id_option
@json_option
@connection_options
def command(workflow_id: str, run_id: str | None, as_json: bool, connection: Connection) -> None:
    """Tell how workflow ID stands: its status, and what it waits for."""
    from ._decoding import decode_in_place

    with connection.client() as client:
        found = handle_of(client, workflow_id, run_id).describe()
        problem = decode_in_place(client, [found.raw_description], workflow_id)
    if problem is not None:
        click.echo(f"some payloads are shown as they are: {clean(str(problem))}", err=True)
    if as_json:
        print_json(_plain(found))
        return
    print_fields(_fields(found))
    now = datetime.now(timezone.utc)
    for line in _pending(found.raw_description, now):
        click.echo(styled(line))


def _fields(found: SyncWorkflowExecutionDescription) -> Iterator[tuple[str, str]]:
    from invincible.client._outline.messages import time_of
    from invincible.client._outline.values import value_text

    raw, info = found.raw_description, found.raw_info
    status = status_text(found.status)
    if raw.workflow_extended_info.cancel_requested and status == "running":
        status += ", cancellation requested"
    yield "id", found.id
    yield "run", found.run_id
    yield "type", found.workflow_type
    yield "status", status
    if raw.workflow_extended_info.HasField("pause_info"):
        pause = raw.workflow_extended_info.pause_info
        who = ": ".join(filter(None, (pause.identity, pause.reason)))
        yield "paused", when_text(time_of(pause, "paused_time")) + (f" by {who}" if who else "")
    yield "queue", found.task_queue
    yield "started", when_text(found.start_time)
    if found.execution_time is not None and found.execution_time != found.start_time:
        yield "begins", when_text(found.execution_time)
    yield "closed", when_text(found.close_time)
    if found.close_time is not None:
        yield "duration", duration_text(found.close_time - found.start_time)
    yield "history", f"{found.history_length} events, {_size(info.history_size_bytes)}"
    yield "parent", found.parent_id or ""
    config = raw.execution_config
    for name in ("workflow_execution_timeout", "workflow_run_timeout", "default_workflow_task_timeout"):
        yield name.removeprefix("workflow_").removeprefix("default_workflow_").replace("_", " "), _limit(config, name)
    metadata: Any = config.user_metadata
    for name in ("summary", "details"):
        if metadata.HasField(name):
            from invincible.client._outline.values import parsed

            payload = getattr(metadata, name)
            text = parsed(payload)
            yield name, text if isinstance(text, str) else value_text(payload)
    for name, payload in sorted(info.search_attributes.indexed_fields.items()):
        yield name, value_text(payload)
    for name, payload in sorted(info.memo.fields.items()):
        yield f"memo {name}", value_text(payload, 2000)


def _pending(raw: Any, now: datetime) -> Iterator[Line]:
    from invincible.client._outline.failures import failure_lines
    from invincible.client._outline.lines import line
    from invincible.client._outline.messages import enum_text, time_of
    from invincible.client._outline.pending import activity_waits, next_attempt

    if raw.HasField("pending_workflow_task"):
        task = raw.pending_workflow_task
        since = time_of(task, "original_scheduled_time") or time_of(task, "scheduled_time")
        waited = "" if since is None else f" for {duration_text(max(now - since, now - now))}"
        state = "a worker has it" if enum_text(task, "state") == "started" else "no worker has taken it"
        attempt = f", attempt {task.attempt}" if task.attempt > 1 else ""
        yield line()
        yield line(("workflow task", "strong"), (f"  {state}{waited}{attempt}", "warn"))
    for activity in raw.pending_activities:
        yield line()
        attempt = f", attempt {activity.attempt}" if activity.attempt > 1 else ""
        of = f" of {activity.maximum_attempts}" if attempt and activity.maximum_attempts else ""
        kind = f"activity {clean(activity.activity_type.name)}"
        waits = clean(activity_waits(activity, now))
        yield line(
            (kind, "strong"), (f" (id {clean(activity.activity_id)})", "dim"), (f"  {waits}{attempt}{of}", "warn")
        )
        if activity.HasField("last_failure"):
            for each in failure_lines(activity.last_failure):
                yield each.indented(2)
    for child in raw.pending_children:
        yield line()
        kind = f"child workflow {clean(child.workflow_type_name)}"
        yield line((kind, "strong"), (f" (id {clean(child.workflow_id)})", "dim"))
    for operation in raw.pending_nexus_operations:
        yield line()
        kind = f"Nexus operation {clean(operation.service)}.{clean(operation.operation)}"
        yield line((kind, "strong"), (f"  {next_attempt(operation, now) or enum_text(operation, 'state')}", "warn"))
        if operation.HasField("last_attempt_failure"):
            for each in failure_lines(operation.last_attempt_failure):
                yield each.indented(2)


def _plain(found: SyncWorkflowExecutionDescription) -> dict[str, Any]:
    from google.protobuf.json_format import MessageToDict

    from invincible.client._outline.values import value_json

    raw, info = found.raw_description, found.raw_info
    described = MessageToDict(raw)
    pending = {
        "pending_workflow_task": described.get("pendingWorkflowTask"),
        "pending_activities": described.get("pendingActivities", []),
        "pending_children": described.get("pendingChildren", []),
        "pending_nexus_operations": described.get("pendingNexusOperations", []),
    }
    return {
        "workflow_id": found.id,
        "run_id": found.run_id,
        "workflow_type": found.workflow_type,
        "status": status_json(found.status),
        "cancel_requested": raw.workflow_extended_info.cancel_requested,
        "namespace": found.namespace,
        "task_queue": found.task_queue,
        "start_time": found.start_time,
        "execution_time": found.execution_time,
        "close_time": found.close_time,
        "history_length": found.history_length,
        "history_size": info.history_size_bytes,
        "parent_id": found.parent_id,
        "parent_run_id": found.parent_run_id,
        "root_id": found.root_id,
        "root_run_id": found.root_run_id,
        "search_attributes": {pair.key.name: pair.value for pair in found.typed_search_attributes},
        "memo": {name: value_json(payload) for name, payload in info.memo.fields.items()},
        "pause_info": described.get("workflowExtendedInfo", {}).get("pauseInfo"),
        "execution_config": described.get("executionConfig", {}),
        **pending,
    }


def _limit(config: Any, name: str) -> str:
    from invincible.client._outline.messages import duration_of

    return duration_text(duration_of(config, name))


def _size(size: int) -> str:
    from invincible.client._outline.text import size_text

    return size_text(size)
