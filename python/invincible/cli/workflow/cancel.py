"""`invincible workflow cancel`."""

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
    """Ask workflow ID to cancel itself.

    Its code hears of it and may clean up first, or refuse.
    """
    with handle(connection, workflow_id, run_id) as workflow:
        workflow.cancel(reason=reason)
    if as_json:
        print_json({"workflow_id": workflow_id, "run_id": run_id, "cancellation_requested": True})
    else:
        click.echo(f"asked {named(workflow_id)} to cancel itself")
