"""`invincible workflow execute`."""

from __future__ import annotations

from datetime import timedelta

import click

from .._connection import Connection, connection_options
from .._options import Command
from .._output import json_option
from .._units import duration
from ._start import Start, start_options
from ._waiting import wait_for_end


@click.command(cls=Command)
@start_options
@click.option("--timeout", type=duration, metavar="DURATION", help="Longest time to wait; the workflow goes on.")
@click.option("--full", is_flag=True, help="Show failures with their stack traces.")
@json_option
@connection_options
def command(start: Start, timeout: timedelta | None, full: bool, as_json: bool, connection: Connection) -> None:
    """Start a workflow of TYPE, wait for it to end and print its result.

    The result alone goes to standard output. The exit code is 1 if the workflow does not complete, and 130 after
    Ctrl-C, which leaves the workflow as it is.
    """
    options = start.options()
    with connection.client() as client:
        wait_for_end(start.start(client, options), as_json=as_json, full=full, timeout=timeout)
