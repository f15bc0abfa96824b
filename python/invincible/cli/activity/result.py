"""`invincible activity result`."""

from __future__ import annotations

import sys
from datetime import timedelta

import click

from .._connection import Connection, connection_options, time_limit
from .._ends import ended_text, failure_for_json, print_failure, print_value, status_of, value_for_json
from .._options import Command
from .._output import duration_text, json_option, print_json
from .._status import status_json
from .._units import duration
from ._target import id_argument, run_id_option, standalone

_INTERRUPTED = 130


@click.command(cls=Command)
@id_argument
@run_id_option
@click.option("--timeout", type=duration, metavar="DURATION", help="Longest time to wait.")
@click.option("--full", is_flag=True, help="Show failures with their stack traces.")
@json_option
@connection_options
def command(
    activity_id: str, run_id: str | None, timeout: timedelta | None, full: bool, as_json: bool, connection: Connection
) -> None:
    """Wait for standalone activity ID to end and print its result.

    The exit code is 1 if it does not complete, and 130 after Ctrl-C.
    """
    from invincible.client import ActivityFailureError

    with standalone(connection, activity_id, run_id) as handle:
        title = f"activity {activity_id!r}"
        try:
            with time_limit(timeout, f"{title} did not end in {duration_text(timeout)}. It goes on."):
                result = handle.result()
        except KeyboardInterrupt:
            click.echo(f"\n{title} goes on.", err=True)
            sys.exit(_INTERRUPTED)
        except ActivityFailureError as error:
            status = status_of(error.cause)
            if as_json:
                failed = {"activity_id": activity_id, "run_id": run_id, "status": status_json(status)}
                print_json(failed | {"failure": failure_for_json(error.cause)})
            else:
                print_failure(error.cause, f"{title} {ended_text(status)}", full=full)
            sys.exit(1)
    if as_json:
        completed = {"activity_id": activity_id, "run_id": run_id, "status": "completed"}
        print_json(completed | {"result": value_for_json(result)})
    else:
        print_value(result)
