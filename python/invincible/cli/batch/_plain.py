"""Commands whose operation is no more than its name and who asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .._connection import Connection, client_options
from .._options import Command
from .._output import json_option
from ._start import Batch, batch_options, run_batch

if TYPE_CHECKING:
    from invincible.api.workflowservice.v1 import StartBatchOperationRequest

_EXAMPLE = """\
\b
invincible batch {verb} --query "WorkflowType = 'Order'" --reason "wrong prices"
"""


def plain_command(verb: str, operation: str, summary: str) -> click.Command:
    """The command of an operation.

    Args:
        verb: What it does to the workflows; its name.
        operation: Its field in ``StartBatchOperationRequest``.
        summary: What help says of it.
    """

    @click.command(cls=Command, help=f"{summary}\n\n{_EXAMPLE.format(verb=verb)}")
    @batch_options
    @json_option
    @client_options
    def command(batch: Batch, as_json: bool, connection: Connection) -> None:
        with connection.client() as client:

            def ask_for(request: StartBatchOperationRequest) -> None:
                getattr(request, operation).identity = client.identity

            run_batch(client, batch, verb, as_json=as_json, operation=ask_for)

    return command
