"""`invincible activity list`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from .._connection import Connection, client_options
from .._options import Command
from .._output import JsonArray, ago_text, json_option, print_table, time_text
from .._status import status_cell, status_json
from .._units import name

if TYPE_CHECKING:
    from rich.text import Text

    from invincible.client import SyncActivityExecution


@click.command(cls=Command)
@click.option("--query", "-q", type=name, metavar="QUERY", help="Which, \"ActivityType = 'charge'\" say.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Most activities to list.  [default: all]")
@json_option
@client_options
def command(query: str | None, limit: int | None, as_json: bool, connection: Connection) -> None:
    """List standalone activities, the last started first. Those of workflows are in `invincible workflow describe`."""
    with connection.client() as client:
        found = client.list_activities(query or "", limit=limit, page_size=200)
        if not as_json:
            print_table(("STATUS", "ID", "TYPE", "QUEUE", "STARTED", "CLOSED"), _rows(found))
            return
        with JsonArray() as array:
            for each in found:
                array.add(listed_json(each))


def listed_json(each: SyncActivityExecution) -> dict[str, Any]:
    """An activity as a list has it."""
    return {
        "activity_id": each.activity_id,
        "run_id": each.activity_run_id,
        "activity_type": each.activity_type,
        "status": status_json(each.status),
        "task_queue": each.task_queue,
        "schedule_time": each.schedule_time,
        "execution_time": each.execution_time,
        "close_time": each.close_time,
        "execution_duration": each.execution_duration,
        "search_attributes": {pair.key.name: pair.value for pair in each.typed_search_attributes},
    }


def _rows(found: Iterable[SyncActivityExecution]) -> Iterator[list[str | Text]]:
    when = ago_text if sys.stdout.isatty() else time_text
    for each in found:
        yield [
            status_cell(each.status),
            each.activity_id,
            each.activity_type,
            each.task_queue,
            when(each.schedule_time),
            when(each.close_time),
        ]
