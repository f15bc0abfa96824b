"""`invincible activity describe`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from .._connection import Connection, connection_options
from .._ends import failure_for_json, print_failure
from .._options import Command
from .._output import duration_text, json_option, print_fields, print_json, when_text
from .._payloads import decoded
from .._retry import retry_text
from .._status import status_json, status_text
from ._target import client_for, id_argument, run_id_option
from .list import listed_json

if TYPE_CHECKING:
    from invincible._native import Payload
    from invincible.client import SyncActivityExecutionDescription

_SHOWN = 200  # characters of each value


@click.command(cls=Command)
@id_argument
@run_id_option
@json_option
@connection_options
def command(activity_id: str, run_id: str | None, as_json: bool, connection: Connection) -> None:
    """Show standalone activity ID: what it is given, how far it is, and why it failed."""
    with client_for(connection, f"activity {activity_id!r}") as client:
        found = client.get_activity_handle(activity_id, run_id=run_id).describe(
            include_input=True, include_outcome=True, include_heartbeat_details=True, include_last_failure=True
        )
        raw: Any = found
        groups = {
            "input": raw.raw_input.payloads if found.has_input() else (),
            "result": raw.raw_outcome.result.payloads if found.has_result() else (),
            "heartbeat_details": raw.raw_info.heartbeat_details.payloads if found.has_heartbeat_details() else (),
        }
        values = {title: decoded(client, payloads, raw.data_converter) for title, payloads in groups.items()}
        failure = found.outcome_failure() or found.last_failure()
        summary = found.static_summary() or ""
    if as_json:
        print_json(_plain(found, values, failure))
        return
    print_fields(_fields(found, values, summary))
    if failure is not None:
        click.echo()
        print_failure(failure, "failure" if found.has_outcome_failure() else "last failure", err=False)


def _fields(
    found: SyncActivityExecutionDescription, values: dict[str, list[Payload]], summary: str
) -> Iterator[tuple[str, str]]:
    from invincible.client._outline.values import values_text

    yield "id", found.activity_id
    yield "run", found.activity_run_id or ""
    yield "type", f"{found.activity_type}({values_text(values['input'], _SHOWN)})"
    state = status_text(found.run_state)
    yield "status", status_text(found.status) + (f", {state}" if state else "")
    yield "queue", found.task_queue
    yield "summary", summary
    yield "attempt", str(found.attempt)
    yield "started", when_text(found.schedule_time)
    yield "attempt began", when_text(found.last_started_time)
    yield "next attempt", when_text(found.next_attempt_schedule_time)
    yield "worker", found.last_worker_identity or ""
    heartbeat = values_text(values["heartbeat_details"], _SHOWN)
    yield "last heartbeat", when_text(found.last_heartbeat_time) + (f"  {heartbeat}" if heartbeat else "")
    yield "closed", when_text(found.close_time)
    yield "took", duration_text(found.execution_duration)
    yield "cancellation", found.canceled_reason or ""
    for title, limit in (
        ("schedule-to-close timeout", found.schedule_to_close_timeout),
        ("schedule-to-start timeout", found.schedule_to_start_timeout),
        ("start-to-close timeout", found.start_to_close_timeout),
        ("heartbeat timeout", found.heartbeat_timeout),
    ):
        yield title, duration_text(limit) if limit else ""
    yield "retries", "" if found.retry_policy is None else retry_text(found.retry_policy)
    for pair in found.typed_search_attributes:
        yield pair.key.name, str(pair.value)
    yield "result", values_text(values["result"], _SHOWN)


def _plain(
    found: SyncActivityExecutionDescription, values: dict[str, list[Payload]], failure: BaseException | None
) -> dict[str, Any]:
    from invincible.client._outline.values import value_json

    described: Any = found
    told = {title: [value_json(each) for each in payloads] for title, payloads in values.items()}
    result = told.pop("result")
    return {
        **listed_json(described),
        **told,
        "result": result[0] if result else None,
        "failure": None if failure is None else failure_for_json(failure),
        "attempt": found.attempt,
        "run_state": status_json(found.run_state),
        "canceled_reason": found.canceled_reason,
        "last_heartbeat_time": found.last_heartbeat_time,
        "last_started_time": found.last_started_time,
        "last_worker_identity": found.last_worker_identity,
        "next_attempt_schedule_time": found.next_attempt_schedule_time,
        "schedule_to_close_timeout": found.schedule_to_close_timeout,
        "schedule_to_start_timeout": found.schedule_to_start_timeout,
        "start_to_close_timeout": found.start_to_close_timeout,
        "heartbeat_timeout": found.heartbeat_timeout,
        "total_heartbeat_count": found.total_heartbeat_count,
    }
