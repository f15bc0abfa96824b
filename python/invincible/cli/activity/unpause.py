"""`invincible activity unpause`."""

from __future__ import annotations

from datetime import timedelta

import click

from .._connection import Connection, client_options
from .._options import Command
from .._output import json_option
from .._units import duration
from ._target import Target, client_for, target_options


@click.command(cls=Command)
@target_options
@click.option("--jitter", type=duration, metavar="DURATION", help="Begin at a random time within this.")
@json_option
@client_options
def command(target: Target, jitter: timedelta | None, as_json: bool, connection: Connection) -> None:
    """Have a paused activity go on."""
    from invincible.api.workflowservice.v1 import UnpauseActivityRequest
    from invincible.client._proto import duration as duration_message

    with client_for(connection, target.title) as client:
        if target.workflow_id is None:
            target.standalone(client).unpause(jitter=jitter)
        else:
            request = UnpauseActivityRequest(jitter=duration_message(jitter))
            target.put_into(request, client)
            client.workflow_service.unpause_activity(request, retry=True)
    target.tell("unpaused", as_json=as_json)
