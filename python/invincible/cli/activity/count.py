"""`invincible activity count`."""

from __future__ import annotations

from typing import Any

import click

from .._connection import Connection, server_options
from .._output import json_option, print_json, print_table
from .._units import name


@click.command()
@click.option(
    "--query", "-q", type=name, metavar="QUERY", help="Which activities; GROUP BY ExecutionStatus counts each."
)
@json_option
@server_options
def command(query: str | None, as_json: bool, connection: Connection) -> None:
    """Count standalone activities."""
    with connection.client() as client:
        found = client.count_activities(query)
    if as_json:
        groups = [{"values": list(each.group_values), "count": each.count} for each in found.groups]
        print_json({"count": found.count, "groups": groups} if groups else {"count": found.count})
    elif found.groups:
        rows = [[str(each.count), ", ".join(map(_text, each.group_values))] for each in found.groups]
        print_table(("COUNT", "GROUP"), [*rows, [str(found.count), "all"]])
    else:
        click.echo(found.count)


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
