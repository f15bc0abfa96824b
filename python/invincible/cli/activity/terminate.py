"""`invincible activity terminate`."""

from __future__ import annotations

import click

from .._connection import Connection, client_options
from .._options import Command
from .._output import json_option, print_json
from ._target import id_argument, reason_option, run_id_option, standalone


@click.command(cls=Command)
@id_argument
@run_id_option
@reason_option
@json_option
@client_options
def command(activity_id: str, run_id: str | None, reason: str | None, as_json: bool, connection: Connection) -> None:
    """End standalone activity ID at once. A worker that runs it learns of it at its next heartbeat."""
    with standalone(connection, activity_id, run_id) as handle:
        handle.terminate(reason=reason)
    if as_json:
        print_json({"activity_id": activity_id, "run_id": run_id, "terminated": True})
    else:
        click.echo(f"terminated activity {activity_id!r}")
