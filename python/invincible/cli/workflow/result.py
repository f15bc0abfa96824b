"""`invincible workflow result`."""

from __future__ import annotations

from datetime import timedelta

import click

from .._connection import Connection, connection_options
from .._options import Command
from .._output import json_option
from .._units import duration
from ._handles import handle, id_argument, run_id_option
from ._waiting import wait_for_end


@click.command(cls=Command)
@id_argument
@run_id_option
@click.option("--timeout", type=duration, metavar="DURATION", help="Longest time to wait.")
@click.option("--no-follow", is_flag=True, help="Stop at the end of the run, though it goes on as another.")
@click.option("--full", is_flag=True, help="Show failures with their stack traces.")
@json_option
@connection_options
def command(
    workflow_id: str,
    run_id: str | None,
    timeout: timedelta | None,
    no_follow: bool,
    full: bool,
    as_json: bool,
    connection: Connection,
) -> None:
    """Wait for workflow ID to end and print its result.

    The result alone goes to standard output. The exit code is 1 if the workflow does not complete, and 130 after
    Ctrl-C.
    """
    with handle(connection, workflow_id, run_id) as workflow:
        wait_for_end(workflow, as_json=as_json, full=full, timeout=timeout, follow_runs=not no_follow)
