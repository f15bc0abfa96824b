"""What commands about one schedule have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from .._connection import Connection
from .._output import clean, failure, print_json
from .._units import name

if TYPE_CHECKING:
    from invincible.client import SyncClient

schedule_argument = click.argument("schedule_id", metavar="ID", type=name)


@contextmanager
def client_for(connection: Connection, schedule_id: str) -> Iterator[SyncClient]:
    """A client for calls about a schedule, the errors of which name it if it is not there.

    The server knows schedules as workflows of its own, and its words are about those.
    """
    from invincible.service import RPCError, RPCStatusCode

    with connection.client() as client:
        try:
            yield client
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND or "namespace" in str(error).lower():
                raise
            raise failure(f"there is no schedule {schedule_id!r} in the namespace {client.namespace!r}") from None


def tell(schedule_id: str, what: str, *, as_json: bool) -> None:
    """Say what was done: ``schedule reports paused``."""
    if as_json:
        print_json({"schedule_id": schedule_id, what: True})
    else:
        click.echo(f"schedule {clean(schedule_id)} {what}")
