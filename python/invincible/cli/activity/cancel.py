"""`invincible activity cancel`."""

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
    """Ask standalone activity ID to stop. It hears of it at its next heartbeat, and may refuse."""
    with standalone(connection, activity_id, run_id) as handle:
        handle.cancel(reason=reason)
    if as_json:
        print_json({"activity_id": activity_id, "run_id": run_id, "cancellation_requested": True})
    else:
        click.echo(f"asked activity {activity_id!r} to stop")
