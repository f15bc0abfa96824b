"""`invincible batch list`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

import click

from .._connection import Connection, client_options
from .._options import Command
from .._output import JsonArray, ago_text, json_option, print_table, time_text
from ._types import operation_text
from ._watch import state_text

if TYPE_CHECKING:
    from invincible.api.batch.v1 import BatchOperationInfo
    from invincible.client import SyncClient


@click.command(cls=Command)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Most operations to list.  [default: all]")
@json_option
@client_options
def command(limit: int | None, as_json: bool, connection: Connection) -> None:
    """List the batch operations of the namespace, those of the last days.

    Times are relative on a terminal.
    """
    from invincible.client._proto import time_of

    with connection.client() as client:
        found = islice(_operations(client), limit)
        if not as_json:
            print_table(("JOB", "OPERATION", "STATUS", "BEGAN", "ENDED"), map(_row, found))
            return
        with JsonArray() as array:
            for each in found:
                array.add(
                    {
                        "job_id": each.job_id,
                        "status": state_text(each.state),
                        "operation": operation_text(each.operation_type),
                        "start_time": time_of(each, "start_time"),
                        "close_time": time_of(each, "close_time"),
                    }
                )


def _operations(client: SyncClient) -> Iterator[BatchOperationInfo]:
    from invincible.api.workflowservice.v1 import ListBatchOperationsRequest

    token = b""
    while True:
        response = client.workflow_service.list_batch_operations(
            ListBatchOperationsRequest(namespace=client.namespace, page_size=100, next_page_token=token), retry=True
        )
        yield from response.operation_info
        token = response.next_page_token
        if not token:
            return


def _row(each: BatchOperationInfo) -> tuple[str, ...]:
    from invincible.client._proto import time_of

    when = ago_text if sys.stdout.isatty() else time_text
    began, ended = time_of(each, "start_time"), time_of(each, "close_time")
    return each.job_id, operation_text(each.operation_type), state_text(each.state), when(began), when(ended)
