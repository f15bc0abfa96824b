"""`invincible workflow reset`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .._connection import Connection, client_options
from .._options import Command
from .._output import failure, json_option, print_json
from .._units import name
from ._handles import handle, id_argument, named, reason_option, run_id_option

if TYPE_CHECKING:
    from invincible.client import WorkflowResetPoint


@click.command(cls=Command)
@id_argument
@run_id_option
@click.option("--to", "to", type=click.Choice(["first", "last"]), help="To its first or last workflow task.")
@click.option("--before-activity", type=name, metavar="TYPE", help="Before it called an activity.")
@click.option("--occurrence", type=int, metavar="N", help="Which call of it: 1 is the first, -1 the last.")
@click.option("--before-activity-id", type=name, metavar="ID", help="Before it called the activity of this id.")
@click.option("--event-id", type=click.IntRange(min=1), metavar="N", help="To a workflow task, by its event.")
@reason_option
@click.option("--no-signals", is_flag=True, help="Do not send again the signals that came after the point.")
@click.option("--no-updates", is_flag=True, help="Do not send again the updates that came after the point.")
@click.option("--no-nexus-results", is_flag=True, help="Forget results of Nexus operations that came after the point.")
@json_option
@client_options
def command(
    workflow_id: str,
    run_id: str | None,
    to: str | None,
    before_activity: str | None,
    occurrence: int | None,
    before_activity_id: str | None,
    event_id: int | None,
    reason: str,
    no_signals: bool,
    no_updates: bool,
    no_nexus_results: bool,
    as_json: bool,
    connection: Connection,
) -> None:
    """Take workflow ID back to a point in its history, from which a new run goes on.

    The workflow task at the point is done again, with the code that workers have now; the run that is current is
    terminated. Name the point with one of --to, --before-activity, --before-activity-id and --event-id.
    """
    from invincible.client import WorkflowResetError

    point = _point(to, before_activity, occurrence, before_activity_id, event_id)
    with handle(connection, workflow_id, run_id) as workflow:
        try:
            new = workflow.reset(
                point,
                reason=reason,
                reapply_signals=not no_signals,
                reapply_updates=not no_updates,
                reapply_nexus_results=not no_nexus_results,
            )
        except WorkflowResetError as error:
            raise failure(error) from None
    if as_json:
        print_json({"workflow_id": workflow_id, "run_id": new.result_run_id})
    else:
        click.echo(f"reset {named(workflow_id)} {point}: it goes on as run {new.result_run_id}")


def _point(
    to: str | None,
    before_activity: str | None,
    occurrence: int | None,
    before_activity_id: str | None,
    event_id: int | None,
) -> WorkflowResetPoint:
    from invincible.client import WorkflowResetPoint

    points = {
        "--to": to,
        "--before-activity": before_activity,
        "--before-activity-id": before_activity_id,
        "--event-id": event_id,
    }
    given = [option for option, value in points.items() if value is not None]
    if len(given) != 1:
        names = "one of --to first, --to last, --before-activity, --before-activity-id and --event-id"
        raise click.UsageError(f"give {names}" if not given else f"{' and '.join(given)} are two points: give {names}")
    if occurrence is not None and before_activity is None:
        raise click.UsageError("--occurrence is for --before-activity")
    if occurrence == 0:
        raise click.UsageError("--occurrence must not be 0: 1 is the first call of the activity, -1 the last")
    if to is not None:
        return WorkflowResetPoint.first_task() if to == "first" else WorkflowResetPoint.last_task()
    if before_activity is not None:
        return WorkflowResetPoint.before_activity(before_activity, occurrence=occurrence or 1)
    if before_activity_id is not None:
        return WorkflowResetPoint.before_activity_id(before_activity_id)
    assert event_id is not None
    return WorkflowResetPoint.event(event_id)
