"""`invincible workflow signal`."""

from __future__ import annotations

import click

from .._connection import Connection, connection_options
from .._input import Input, input_options
from .._options import Command
from .._output import clean, json_option, print_json
from .._units import name
from ._handles import handle, id_argument, named, run_id_option


@click.command(cls=Command)
@id_argument
@click.argument("signal", metavar="NAME", type=name)
@input_options
@run_id_option
@json_option
@connection_options
def command(
    workflow_id: str, signal: str, input: Input, run_id: str | None, as_json: bool, connection: Connection
) -> None:
    """Send signal NAME to workflow ID.

    It is kept in the history at once; the workflow sees it when a worker takes its next task.
    """
    arguments = input.values()
    with handle(connection, workflow_id, run_id) as workflow:
        workflow.signal(signal, args=arguments)
    if as_json:
        print_json({"workflow_id": workflow_id, "run_id": run_id, "signal": signal})
    else:
        click.echo(f"sent signal {clean(signal)} to {named(workflow_id)}")
