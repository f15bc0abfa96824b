"""`invincible workflow start`."""

from __future__ import annotations

import click

from .._connection import Connection, connection_options
from .._options import Command
from .._output import json_option, print_fields, print_json
from ._start import Start, start_options


@click.command(cls=Command)
@start_options
@json_option
@connection_options
def command(start: Start, as_json: bool, connection: Connection) -> None:
    """Start a workflow of TYPE and print its id and run.

    Arguments are JSON, each in an --input of its own: --input '{"id": 17}' --input '"express"'.
    """
    options = start.options()
    with connection.client() as client:
        handle = start.start(client, options)
        found = {
            "workflow_id": handle.id,
            "run_id": handle.result_run_id,
            "workflow_type": start.workflow_type,
            "task_queue": start.task_queue,
            "namespace": client.namespace,
        }
    if as_json:
        print_json(found)
        return
    print_fields(
        [
            ("id", handle.id),
            ("run", handle.result_run_id or ""),
            ("type", start.workflow_type),
            ("queue", start.task_queue),
        ]
    )
