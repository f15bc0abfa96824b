"""`invincible activity reset`."""

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
@click.option("--reset-heartbeat", is_flag=True, help="Forget the details of the last heartbeat.")
@click.option("--keep-paused", is_flag=True, help="Leave it paused, if it is.")
@click.option("--restore-original-options", is_flag=True, help="Take changes of its options back.")
@click.option("--jitter", type=duration, metavar="DURATION", help="Begin at a random time within this.")
@json_option
@client_options
def command(
    target: Target,
    reset_heartbeat: bool,
    keep_paused: bool,
    restore_original_options: bool,
    jitter: timedelta | None,
    as_json: bool,
    connection: Connection,
) -> None:
    """Have an activity begin again with its first attempt, now if it waits for the next one.

    An attempt that runs goes on, and hears of it at its next heartbeat.
    """
    from invincible.api.workflowservice.v1 import ResetActivityExecutionRequest, ResetActivityRequest
    from invincible.client._proto import duration as duration_message

    with client_for(connection, target.title) as client:
        if target.workflow_id is None:
            client.workflow_service.reset_activity_execution(
                ResetActivityExecutionRequest(
                    namespace=client.namespace,
                    identity=client.identity,
                    activity_id=target.activity_id or "",
                    run_id=target.run_id or "",
                    reset_heartbeat=reset_heartbeat,
                    keep_paused=keep_paused,
                    restore_original_options=restore_original_options,
                    jitter=duration_message(jitter),
                ),
                retry=True,
            )
        else:
            request = ResetActivityRequest(
                reset_heartbeat=reset_heartbeat,
                keep_paused=keep_paused,
                restore_original_options=restore_original_options,
                jitter=duration_message(jitter),
            )
            target.put_into(request, client)
            client.workflow_service.reset_activity(request, retry=True)
    target.tell("reset", as_json=as_json)
