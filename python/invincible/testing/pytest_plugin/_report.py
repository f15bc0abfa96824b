"""What a failed test shows: what its workflows did, and what the server had to say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from invincible.client import Client
from invincible.client._outline import outline

from ._blocking import wait_for
from ._record import Record

if TYPE_CHECKING:
    from invincible.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

_TIMEOUT = 10.0
_WORKFLOWS = 5
_LINES = 60
_LOG_LINES = 20
_WIDTH = 120


def sections(record: Record) -> Iterator[tuple[str, str]]:
    """Titles and texts, for those who look for the reason."""
    if record.workers is not None and (notes := record.workers.notes()):
        yield "invincible: workers", "\n".join(notes)
    if record.own_namespace:
        try:
            told = wait_for(_workflows(record.client), _TIMEOUT)
        except Exception as error:  # the test has failed for another reason, which must be seen
            told = f"the server could not be asked: {type(error).__name__}: {error}"
        if told:
            yield "invincible: workflows of the test", told
    if log := _log(record):
        yield "invincible: log of the server", log


async def _workflows(client: Client) -> str:
    # One that was just started is listed a little later: what is under way when a test fails is seldom that.
    found = [each async for each in client.list_workflows(limit=_WORKFLOWS + 1)]
    drawn = []
    for each in reversed(found[:_WORKFLOWS]):
        handle = client.get_workflow_handle(each.id, run_id=each.run_id)
        events = [event async for event in handle.fetch_history_events()]
        description = await handle.describe()
        raw = description.raw_description
        lines = [str(line) for line in outline(events, description=raw, now=_now(raw), width=_WIDTH)]
        if len(lines) > _LINES:
            half = _LINES // 2
            lines = [*lines[:half], f"... {len(lines) - 2 * half} lines", *lines[-half:]]
        drawn.append("\n".join(lines))
    if len(found) > _WORKFLOWS:
        drawn.insert(0, f"the {_WORKFLOWS} that were started last:")
    return "\n\n".join(drawn)


def _now(description: DescribeWorkflowExecutionResponse) -> datetime:
    extended = description.workflow_extended_info
    if extended.HasField("time_skipping_info"):
        return extended.time_skipping_info.current_time.ToDatetime(timezone.utc)
    return datetime.now(timezone.utc)


def _log(record: Record) -> str:
    try:
        lines = record.server._log(record.log_position).lines
    except Exception as error:  # as above
        return f"the process that runs the server could not be asked: {type(error).__name__}: {error}"
    if record.own_namespace:
        # Tests beside this one have the same server.
        lines = [line for line in lines if f'"{record.client.namespace}"' in line]
    return "\n".join(lines[-_LOG_LINES:])
