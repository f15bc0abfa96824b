"""`invincible schedule backfill`."""

from __future__ import annotations

from datetime import datetime

import click

from .._connection import Connection, client_options
from .._options import Command
from .._output import json_option
from .._units import moment
from ._changes import client_for, schedule_argument, tell
from ._spec import overlap_option, overlap_policy


@click.command(cls=Command)
@schedule_argument
@click.option("--from", "start", type=moment, required=True, metavar="TIME", help="Beginning of the time.")
@click.option("--to", "end", type=moment, required=True, metavar="TIME", help="Its end.")
@overlap_option("What to do about workflows that are all due at once.  [default: as the schedule says]")
@json_option
@client_options
def command(
    schedule_id: str, start: datetime, end: datetime, overlap: str | None, as_json: bool, connection: Connection
) -> None:
    """Have a schedule do now what was due in a time that has passed, although it may be paused.

    \b
    invincible schedule backfill reports --from 2027-03-01T00:00:00Z --to 2027-03-02T00:00:00Z --overlap allow-all
    """
    from invincible.client import ScheduleBackfill

    if end < start:
        raise click.UsageError(f"--to {end.isoformat()} is before --from {start.isoformat()}")
    with client_for(connection, schedule_id) as client:
        client.get_schedule_handle(schedule_id).backfill(ScheduleBackfill(start, end, overlap_policy(overlap)))
    tell(schedule_id, "backfilled", as_json=as_json)
