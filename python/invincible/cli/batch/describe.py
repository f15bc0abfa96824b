"""`invincible batch describe`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from .._connection import Connection, client_options
from .._options import Command
from .._output import duration_text, json_option, print_fields, print_json, time_text
from .._units import name
from ._types import operation_text
from ._watch import describe, job_json, state_text

if TYPE_CHECKING:
    from invincible.api.workflowservice.v1 import DescribeBatchOperationResponse


@click.command(cls=Command)
@click.argument("job_id", metavar="JOB", type=name)
@json_option
@client_options
def command(job_id: str, as_json: bool, connection: Connection) -> None:
    """Show how far a batch operation is."""
    with connection.client() as client:
        described = describe(client, job_id)
    if not as_json:
        print_fields(_fields(described))
        return
    from invincible.client._proto import time_of

    state = state_text(described.state)
    counts = described.total_operation_count, described.complete_operation_count, described.failure_operation_count
    print_json(
        {
            **job_json(described.job_id, state, *counts),
            "operation": operation_text(described.operation_type),
            "query": described.query,
            "reason": described.reason,
            "identity": described.identity,
            "start_time": time_of(described, "start_time"),
            "close_time": time_of(described, "close_time"),
        }
    )


def _fields(described: DescribeBatchOperationResponse) -> Iterator[tuple[str, str]]:
    from invincible.client._proto import time_of

    began, ended = time_of(described, "start_time"), time_of(described, "close_time")
    yield "batch operation", described.job_id
    yield "does", operation_text(described.operation_type)
    yield "status", state_text(described.state)
    yield "workflows", f"{described.complete_operation_count} of {described.total_operation_count} done"
    yield "failed", str(described.failure_operation_count or "")
    yield "query", described.query
    yield "reason", described.reason
    yield "begun by", described.identity
    yield "began", time_text(began)
    yield "ended", time_text(ended)
    yield "took", "" if began is None or ended is None else duration_text(ended - began)
