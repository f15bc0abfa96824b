"""`invincible schedule pause`."""

from __future__ import annotations

import click

from .._connection import Connection, client_options
from .._options import Command
from .._output import json_option
from ._changes import client_for, schedule_argument, tell


@click.command(cls=Command)
@schedule_argument
@click.option("--note", metavar="TEXT", help="Why.")
@json_option
@client_options
def command(schedule_id: str, note: str | None, as_json: bool, connection: Connection) -> None:
    """Have a schedule start nothing, until it is unpaused. It can be triggered and backfilled nevertheless."""
    with client_for(connection, schedule_id) as client:
        client.get_schedule_handle(schedule_id).pause(note=note)
    tell(schedule_id, "paused", as_json=as_json)
