"""`invincible activity pause`."""

from __future__ import annotations

import click

from .._connection import Connection, client_options
from .._options import Command
from .._output import json_option
from ._target import Target, client_for, reason_option, target_options


@click.command(cls=Command)
@target_options
@reason_option
@json_option
@client_options
def command(target: Target, reason: str | None, as_json: bool, connection: Connection) -> None:
    """Begin no more attempts of an activity. One that runs hears of it at its next heartbeat."""
    from invincible.api.workflowservice.v1 import PauseActivityRequest

    with client_for(connection, target.title) as client:
        if target.workflow_id is None:
            target.standalone(client).pause(reason=reason)
        else:
            request = PauseActivityRequest(reason=reason or "")
            target.put_into(request, client)
            client.workflow_service.pause_activity(request, retry=True)
    target.tell("paused", as_json=as_json)
