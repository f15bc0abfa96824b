"""What commands about one schedule have in common."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import click

from .._connection import Connection
from .._output import clean, print_json
from .._units import name

if TYPE_CHECKING:
    from invincible.client import SyncClient

schedule_argument = click.argument("schedule_id", metavar="ID", type=name)
search_attribute_option = click.option(
    "--schedule-search-attribute", multiple=True, metavar="NAME=JSON", help="One of the schedule; repeatable."
)


def client_for(connection: Connection, schedule_id: str) -> AbstractContextManager[SyncClient]:
    """A client for calls about a schedule, the errors of which name it if it is not there.

    The server knows schedules as workflows of its own, and its words are about those.
    """
    return connection.client_about(
        lambda namespace, _: f"there is no schedule {schedule_id!r} in the namespace {namespace!r}"
    )


def tell(schedule_id: str, what: str, *, as_json: bool) -> None:
    """Say what was done: ``schedule reports paused``."""
    if as_json:
        print_json({"schedule_id": schedule_id, what: True})
    else:
        click.echo(f"schedule {clean(schedule_id)} {what}")
