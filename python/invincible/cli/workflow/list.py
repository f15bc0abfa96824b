"""`invincible workflow list`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from .._connection import Connection, client_options
from .._options import Command
from .._output import JsonArray, ago_text, json_option, print_table, time_text
from .._status import status_cell, status_json
from .._units import name

if TYPE_CHECKING:
    from rich.text import Text

    from invincible.client import SyncWorkflowExecution

_PAGE = 200


@click.command(cls=Command)
@click.option("--query", "-q", type=name, metavar="QUERY", help="Which, \"ExecutionStatus = 'Running'\" say.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Most workflows to list.  [default: all]")
@click.option(
    "--page-size", type=click.IntRange(1, 1000), default=_PAGE, metavar="N", help="Most workflows to fetch at once."
)
@json_option
@client_options
def command(query: str | None, limit: int | None, page_size: int, as_json: bool, connection: Connection) -> None:
    """List workflows, the last started first.

    Times are relative on a terminal.
    """
    with connection.client() as client:
        found = client.list_workflows(query, limit=limit, page_size=page_size)
        if as_json:
            with JsonArray() as array:
                for each in found:
                    array.add(_plain(each))
        else:
            print_table(("STATUS", "ID", "TYPE", "QUEUE", "STARTED", "CLOSED"), _rows(found))


def _rows(found: Any) -> Iterator[list[str | Text]]:
    when = ago_text if sys.stdout.isatty() else time_text
    for each in found:
        yield [
            status_cell(each.status),
            each.id,
            each.workflow_type,
            each.task_queue,
            when(each.start_time),
            when(each.close_time),
        ]


def _plain(each: SyncWorkflowExecution) -> dict[str, Any]:
    return {
        "workflow_id": each.id,
        "run_id": each.run_id,
        "workflow_type": each.workflow_type,
        "status": status_json(each.status),
        "task_queue": each.task_queue,
        "start_time": each.start_time,
        "execution_time": each.execution_time,
        "close_time": each.close_time,
        "history_length": each.history_length,
        "parent_id": each.parent_id,
        "search_attributes": {pair.key.name: pair.value for pair in each.typed_search_attributes},
    }
