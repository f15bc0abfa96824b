"""`invincible batch reset`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .._connection import Connection, client_options
from .._options import Command
from .._output import json_option
from .._units import name
from ._start import Batch, batch_options, run_batch

if TYPE_CHECKING:
    from invincible.api.workflowservice.v1 import StartBatchOperationRequest


@click.command(cls=Command)
@click.option("--to", "to", type=click.Choice(["first", "last"]), help="To their first or last workflow task.")
@click.option("--build-id", type=name, metavar="ID", help="To the first workflow task that a build had, a bad one say.")
@click.option("--no-signals", is_flag=True, help="Do not send again the signals that came after the point.")
@click.option("--no-updates", is_flag=True, help="Do not send again the updates that came after the point.")
@click.option("--no-nexus-results", is_flag=True, help="Forget results of Nexus operations that came after the point.")
@batch_options
@json_option
@client_options
def command(
    to: str | None,
    build_id: str | None,
    no_signals: bool,
    no_updates: bool,
    no_nexus_results: bool,
    batch: Batch,
    as_json: bool,
    connection: Connection,
) -> None:
    """Take workflows back to a point in their histories, from which new runs go on.

    \b
    invincible batch reset --to last --query "TemporalReportedProblems IS NOT NULL" --reason "fixed in 1.4.2"
    """
    if (to is None) == (build_id is None):
        raise click.UsageError("give one of --to first, --to last and --build-id")

    from invincible.api.enums.v1 import ResetReapplyExcludeType

    excluded = {
        ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL: no_signals,
        ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE: no_updates,
        ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_NEXUS: no_nexus_results,
    }
    with connection.client() as client:

        def operation(request: StartBatchOperationRequest) -> None:
            request.reset_operation.identity = client.identity
            options = request.reset_operation.options
            if build_id is not None:
                options.build_id = build_id
            elif to == "first":
                options.first_workflow_task.SetInParent()
            else:
                options.last_workflow_task.SetInParent()
            options.reset_reapply_exclude_types.extend(kind for kind, left_out in excluded.items() if left_out)

        run_batch(client, batch, "reset", as_json=as_json, operation=operation)
