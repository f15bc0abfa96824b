"""`invincible schedule delete`."""

from __future__ import annotations

import click

from .._connection import Connection, server_options
from .._output import json_option
from ._changes import client_for, schedule_argument, tell


@click.command()
@schedule_argument
@json_option
@server_options
def command(schedule_id: str, as_json: bool, connection: Connection) -> None:
    """Delete a schedule. Workflows that it started go on."""
    with client_for(connection, schedule_id) as client:
        client.get_schedule_handle(schedule_id).delete()
    tell(schedule_id, "deleted", as_json=as_json)
