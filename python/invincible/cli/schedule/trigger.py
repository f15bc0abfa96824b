"""`invincible schedule trigger`."""

from __future__ import annotations

import click

from .._connection import Connection, client_options
from .._options import Command
from .._output import json_option
from ._changes import client_for, schedule_argument, tell
from ._spec import overlap_option, overlap_policy


@click.command(cls=Command)
@schedule_argument
@overlap_option("What to do if the last workflow still runs.  [default: as the schedule says]")
@json_option
@client_options
def command(schedule_id: str, overlap: str | None, as_json: bool, connection: Connection) -> None:
    """Have a schedule act now, although it may be paused."""
    with client_for(connection, schedule_id) as client:
        client.get_schedule_handle(schedule_id).trigger(overlap=overlap_policy(overlap))
    tell(schedule_id, "triggered", as_json=as_json)
