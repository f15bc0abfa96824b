"""`invincible batch stop`."""

from __future__ import annotations

import click

from .._connection import Connection, client_options
from .._options import Command
from .._output import clean, failure, json_option, print_json
from .._units import name
from ._watch import describe, state_text


@click.command(cls=Command)
@click.argument("job_id", metavar="JOB", type=name)
@click.option("--reason", "-r", type=name, required=True, metavar="TEXT", help="Why.")
@json_option
@client_options
def command(job_id: str, reason: str, as_json: bool, connection: Connection) -> None:
    """Stop a batch operation. What it has done stays done."""
    from invincible.api.workflowservice.v1 import StopBatchOperationRequest

    with connection.client() as client:
        state = state_text(describe(client, job_id).state)
        if state != "running":
            raise failure(f"batch operation {job_id!r} is not running: it has {state}")
        client.workflow_service.stop_batch_operation(
            StopBatchOperationRequest(
                namespace=client.namespace, job_id=job_id, reason=reason, identity=client.identity
            ),
            retry=True,
        )
    if as_json:
        print_json({"job_id": job_id, "stopped": True})
    else:
        click.echo(f"batch operation {clean(job_id)} stopped")
