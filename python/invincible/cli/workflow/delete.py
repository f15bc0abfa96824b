"""`invincible workflow delete`."""

from __future__ import annotations

import click

from .._connection import Connection, client_options
from .._options import Command
from .._output import ask, json_option, print_json
from .._status import status_text
from ._handles import handle_of, id_argument, named, run_id_option


@click.command(cls=Command)
@id_argument
@run_id_option
@click.option("--yes", "-y", is_flag=True, help="Do not ask whether it is meant.")
@json_option
@client_options
def command(workflow_id: str, run_id: str | None, yes: bool, as_json: bool, connection: Connection) -> None:
    """Delete workflow ID with its history, for good.

    A running one is terminated first. The server takes a moment until it is gone from lists.
    """
    from invincible.api.common.v1 import WorkflowExecution
    from invincible.api.workflowservice.v1 import DeleteWorkflowExecutionRequest

    with connection.client() as client:
        found = handle_of(client, workflow_id, run_id).describe()
        if not yes:
            ask(f"delete {named(workflow_id)} (run {found.run_id}, {status_text(found.status)}) for good?")
        client.workflow_service.delete_workflow_execution(
            DeleteWorkflowExecutionRequest(
                namespace=client.namespace,
                workflow_execution=WorkflowExecution(workflow_id=workflow_id, run_id=found.run_id),
            )
        )
    if as_json:
        print_json({"workflow_id": workflow_id, "run_id": found.run_id, "deleted": True})
    else:
        click.echo(f"deleted {named(workflow_id)} (run {found.run_id})")
