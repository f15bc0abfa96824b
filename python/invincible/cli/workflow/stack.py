"""`invincible workflow stack`."""

from __future__ import annotations

from datetime import timedelta

import click

from .._connection import Connection, connection_options, time_limit
from .._options import Command
from .._output import clean, failure, json_option, print_json
from .._units import duration
from ._handles import handle, id_argument, named, run_id_option


@click.command(cls=Command)
@id_argument
@run_id_option
@click.option(
    "--timeout", type=duration, default="10s", show_default=True, metavar="DURATION", help="Longest time to wait."
)
@json_option
@connection_options
def command(workflow_id: str, run_id: str | None, timeout: timedelta, as_json: bool, connection: Connection) -> None:
    """Show where the code of workflow ID waits.

    A worker of the workflow answers.
    """
    from invincible.client import WorkflowQueryFailedError

    late = f"no worker of {named(workflow_id)} answered in time: does one poll its task queue?"
    with handle(connection, workflow_id, run_id) as workflow, time_limit(timeout, late):
        try:
            stack = workflow.query("__stack_trace", result_type=str)
        except WorkflowQueryFailedError as error:
            raise failure(f"{named(workflow_id)} cannot tell: {error.message}") from None
    if as_json:
        print_json({"workflow_id": workflow_id, "stack": stack})
    else:
        click.echo(clean(stack.rstrip(), lines=True) or f"{named(workflow_id)} waits nowhere")
