"""`invincible schedule delete`."""

from __future__ import annotations

import click

from .._connection import Connection, client_options
from .._options import Command
from .._output import json_option
from ._changes import client_for, schedule_argument, tell


@click.command(cls=Command)
@schedule_argument
@json_option
@client_options
def command(schedule_id: str, as_json: bool, connection: Connection) -> None:
    """Delete a schedule. Workflows that it started go on."""
    with client_for(connection, schedule_id) as client:
        client.get_schedule_handle(schedule_id).delete()
    tell(schedule_id, "deleted", as_json=as_json)
