"""`invincible activity complete`."""

from __future__ import annotations

import click

from .._connection import Connection, connection_options
from .._input import checked_json
from .._options import Command
from .._output import json_option
from ._async import AsyncActivity, async_activity_options


@click.command(cls=Command)
@async_activity_options
@click.option("--result", metavar="JSON", help="Its result.  [default: none]")
@json_option
@connection_options
def command(target: AsyncActivity, result: str | None, as_json: bool, connection: Connection) -> None:
    """Complete an activity from outside of its worker.

    \b
    invincible activity complete approval --workflow-id order-42 --result '"approved"'
    invincible activity complete --task-token 0a24...
    """
    from invincible._native import Payload
    from invincible.common import RawValue

    if result is not None:
        checked_json(result, "--result")
    with target.handle(connection) as handle:
        if result is None:
            handle.complete()
        else:
            handle.complete(RawValue(Payload({"encoding": b"json/plain"}, result.strip().encode())))
    target.tell("completed", as_json=as_json)
