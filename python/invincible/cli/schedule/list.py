"""`invincible schedule list`."""

from __future__ import annotations

import sys
from itertools import islice
from typing import TYPE_CHECKING

import click

from .._connection import Connection, client_options
from .._options import Command
from .._output import JsonArray, ago_text, json_option, print_table, time_text
from .._units import name
from ._calendar import spec_lines
from ._json import listed_json

if TYPE_CHECKING:
    from invincible.client import SyncScheduleListDescription


@click.command(cls=Command)
@click.option(
    "--query", "-q", type=name, metavar="QUERY", help="'TemporalSchedulePaused = true' or by search attributes."
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Most schedules to list.  [default: all]")
@json_option
@client_options
def command(query: str | None, limit: int | None, as_json: bool, connection: Connection) -> None:
    """List schedules. One that was just created may take a second to be there.

    Times are relative on a terminal.
    """
    with connection.client() as client:
        found = islice(client.list_schedules(query), limit)
        if as_json:
            with JsonArray() as array:
                for each in found:
                    array.add(listed_json(each))
            return
        print_table(("ID", "STATUS", "WORKFLOW", "TIMES", "LAST", "NEXT", "NOTE"), map(_row, found))


def _row(each: SyncScheduleListDescription) -> tuple[str, ...]:
    schedule, info = each.schedule, each.info
    if schedule is None or info is None:
        return each.id, "", "", "", "", "", ""
    when = ago_text if sys.stdout.isatty() else time_text
    last = info.recent_actions[-1].started_at if info.recent_actions else None
    return (
        each.id,
        "paused" if schedule.state.paused else "active",
        getattr(schedule.action, "workflow", ""),
        "; ".join(spec_lines(schedule.spec)),
        when(last),
        # Nothing happens then while it is paused.
        "" if schedule.state.paused else when(next(iter(info.next_action_times), None)),
        schedule.state.note or "",
    )
