"""`invincible batch cancel`."""

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
    """Ask workflows to cancel themselves. Their code hears of it and may clean up first, or refuse.

    \b
    invincible batch cancel --query "WorkflowType = 'Order'" --reason "wrong prices"
    """
    with connection.client() as client:

        def operation(request: StartBatchOperationRequest) -> None:
            request.cancellation_operation.identity = client.identity

        run_batch(client, batch, "cancel", as_json=as_json, operation=operation)
