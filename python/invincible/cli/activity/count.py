"""`invincible activity count`."""

from __future__ import annotations

import click

from .._connection import Connection, client_options
from .._count import print_count
from .._options import Command
from .._output import json_option
from .._units import name


@click.command(cls=Command)
@click.option(
    "--query", "-q", type=name, metavar="QUERY", help="Which activities; GROUP BY ExecutionStatus counts each."
)
@json_option
@client_options
def command(query: str | None, as_json: bool, connection: Connection) -> None:
    """Count standalone activities."""
    with connection.client() as client:
        found = client.count_activities(query)
    print_count(found, as_json=as_json)
