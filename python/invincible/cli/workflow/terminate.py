"""`invincible workflow terminate`."""

from __future__ import annotations

import click

from .._connection import Connection, client_options
from .._options import Command
from .._output import json_option, print_json
from ._handles import handle, id_argument, named, reason_option, run_id_option


@click.command(cls=Command)
@id_argument
@run_id_option
@reason_option
@json_option
@client_options
def command(workflow_id: str, run_id: str | None, reason: str, as_json: bool, connection: Connection) -> None:
    """End workflow ID at once.

    Its code does not hear of it and cannot clean up: to have it do so, cancel it.
    """
    with handle(connection, workflow_id, run_id) as workflow:
        workflow.terminate(reason=reason or None)
    if as_json:
        print_json({"workflow_id": workflow_id, "run_id": run_id, "terminated": True})
    else:
        click.echo(f"terminated {named(workflow_id)}")
