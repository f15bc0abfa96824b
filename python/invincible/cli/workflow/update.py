"""`invincible workflow update`."""

from __future__ import annotations

import sys
from datetime import timedelta

import click

from .._connection import Connection, connection_options, time_limit
from .._ends import failure_for_json, print_failure, print_value, value_for_json
from .._input import Input, input_options
from .._options import Command
from .._output import clean, json_option, print_json
from .._units import duration, name
from ._handles import handle, id_argument, named, run_id_option


@click.command(cls=Command)
@id_argument
@click.argument("update", metavar="NAME", type=name)
@input_options
@run_id_option
@click.option("--update-id", type=name, metavar="ID", help="Id of the update; the same id is one update.")
@click.option("--start-only", is_flag=True, help="Wait until the workflow has accepted it, not for its result.")
@click.option("--timeout", type=duration, metavar="DURATION", help="Longest time to wait.")
@click.option("--full", is_flag=True, help="Show failures with their stack traces.")
@json_option
@connection_options
def command(
    workflow_id: str,
    update: str,
    input: Input,
    run_id: str | None,
    update_id: str | None,
    start_only: bool,
    timeout: timedelta | None,
    full: bool,
    as_json: bool,
    connection: Connection,
) -> None:
    """Send update NAME to workflow ID, wait for its result and print it.

    The exit code is 1 if the workflow rejects it, or its handler fails.
    """
    from invincible.client import WorkflowUpdateFailedError, WorkflowUpdateStage
    from invincible.common import RawValue

    arguments = input.values()
    stage = WorkflowUpdateStage.ACCEPTED if start_only else WorkflowUpdateStage.COMPLETED
    late = f"update {update} of {named(workflow_id)} was not {stage.name.lower()} in time"
    found = {"workflow_id": workflow_id, "update": update, "update_id": update_id}
    with handle(connection, workflow_id, run_id) as workflow, time_limit(timeout, late):
        try:
            sent = workflow.start_update(
                update, args=arguments, id=update_id, wait_for_stage=stage, result_type=RawValue
            )
            found["update_id"] = sent.id
            result = None if start_only else sent.result()
        except WorkflowUpdateFailedError as error:
            if as_json:
                print_json(found | {"status": "failed", "failure": failure_for_json(error.cause)})
            else:
                print_failure(error.cause, f"update {clean(update)} of {named(workflow_id)} failed", full=full)
            sys.exit(1)
    if start_only:
        if as_json:
            print_json(found | {"status": "accepted"})
        else:
            click.echo(f"{named(workflow_id)} accepted update {clean(update)} (id {clean(sent.id)})")
    elif as_json:
        print_json(found | {"status": "completed", "result": value_for_json(result)})
    else:
        print_value(result)
