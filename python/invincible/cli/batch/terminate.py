"""`invincible batch terminate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .._connection import Connection, client_options
from .._options import Command
from .._output import json_option
from ._start import Batch, batch_options, run_batch

if TYPE_CHECKING:
    from invincible.api.workflowservice.v1 import StartBatchOperationRequest


@click.command(cls=Command)
@batch_options
@json_option
@client_options
def command(batch: Batch, as_json: bool, connection: Connection) -> None:
    """End workflows at once. Their code does not hear of it.

    \b
    invincible batch terminate --query "WorkflowType = 'Order'" --reason "wrong prices"
    """
    with connection.client() as client:

        def operation(request: StartBatchOperationRequest) -> None:
            request.termination_operation.identity = client.identity

        run_batch(client, batch, "terminate", as_json=as_json, operation=operation)
