"""`invincible batch signal`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .._connection import Connection, connection_options
from .._input import Input, input_options
from .._options import Command
from .._output import clean, json_option
from .._payloads import encoded
from .._units import name
from ._start import Batch, batch_options, run_batch

if TYPE_CHECKING:
    from invincible.api.workflowservice.v1 import StartBatchOperationRequest


@click.command(cls=Command)
@click.argument("signal", metavar="NAME", type=name)
@input_options
@batch_options
@json_option
@connection_options
def command(signal: str, input: Input, batch: Batch, as_json: bool, connection: Connection) -> None:
    """Send signal NAME to workflows.

    \b
    invincible batch signal reprice --input '{"factor": 2}' --query "WorkflowType = 'Order'" --reason "wrong prices"
    """
    values = input.values()
    with connection.client() as client:
        arguments = encoded(client, values)

        def operation(request: StartBatchOperationRequest) -> None:
            request.signal_operation.signal = signal
            request.signal_operation.identity = client.identity
            if arguments:
                request.signal_operation.input.payloads.extend(arguments)

        run_batch(client, batch, f"signal {clean(signal)} to", as_json=as_json, operation=operation)
