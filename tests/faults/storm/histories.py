"""What became of the workflows, by their histories: each has ended once, with each activity completed once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise

from invincible.api.history.v1 import HistoryEvent
from invincible.client import Client
from tests.faults.storm.errands import COMPLETED, FAILURES, SIGNALS
from tests.faults.storm.load import Record

_AT_A_TIME = 10
_ENDS = (
    "workflow_execution_completed_event_attributes",
    "workflow_execution_failed_event_attributes",
    "workflow_execution_terminated_event_attributes",
    "workflow_execution_timed_out_event_attributes",
    "workflow_execution_canceled_event_attributes",
    "workflow_execution_continued_as_new_event_attributes",
)


async def check_histories(client: Client, records: Sequence[Record]) -> None:
    """Note in the records what their histories have too few or too many of."""
    gate = asyncio.Semaphore(_AT_A_TIME)

    async def check(record: Record) -> None:
        async with gate:
            await _check(client, record)

    await asyncio.gather(*(check(each) for each in records if each.ended is not None))


async def _check(client: Client, record: Record) -> None:
    events = (await client.get_workflow_handle(record.id).fetch_history()).events
    kinds = [str(each.WhichOneof("attributes")) for each in events]
    record.waited = _longest_wait(events)
    end = _ENDS[1] if record.kind in FAILURES else _ENDS[0]
    if [each for each in kinds if each in _ENDS] != [end]:
        record.problem = record.problem or "the history has not just the one end that it should have"
    counted = {
        "activity_task_completed_event_attributes": (COMPLETED.get(record.kind), 0),
        "workflow_execution_signaled_event_attributes": (SIGNALS if record.kind == "errand" else 0, record.resent),
        "child_workflow_execution_completed_event_attributes": (int(record.kind == "errand"), 0),
        "workflow_execution_update_completed_event_attributes": (int(record.kind == "errand"), 0),
    }
    for kind, (expected, more) in counted.items():
        if expected is None:
            continue
        number = kinds.count(kind)
        if number < expected:
            record.problem = record.problem or f"{number} of {kind}"
        elif number > expected + more:
            record.doubled = True
            record.problem = record.problem or f"{number} of {kind}"


def _longest_wait(events: Sequence[HistoryEvent]) -> str:
    seconds, kind = max(
        (
            (later.event_time.ToMilliseconds() - event.event_time.ToMilliseconds()) / 1000,
            str(event.WhichOneof("attributes")),
        )
        for event, later in pairwise(events)
    )
    return f"{seconds:.1f} s after {kind}"
