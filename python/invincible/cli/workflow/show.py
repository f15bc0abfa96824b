"""`invincible workflow show`."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .._connection import Connection, connection_options
from .._options import Command
from .._output import clean
from .._units import name
from ._handles import handle_of, run_id_option

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from invincible.api.history.v1 import HistoryEvent
    from invincible.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
    from invincible.client import SyncClient, WorkflowHistory

_path = click.Path(dir_okay=False, path_type=Path)


@click.command(cls=Command)
@click.argument("workflow_id", metavar="[ID]", type=name, required=False)
@run_id_option
@click.option("--file", "-f", type=_path, metavar="FILE", help="Show the history in a JSON file; - reads stdin.")
@click.option("--follow", is_flag=True, help="Go on drawing until the workflow ends.")
@click.option("--events", is_flag=True, help="List the events as they are.")
@click.option("--full", is_flag=True, help="Shorten nothing, and show stack traces.")
@click.option("--output", "-o", type=_path, metavar="FILE", help="Write the history to a JSON file, gzipped for .gz.")
@click.option("--json", "as_json", is_flag=True, help="Print the history as JSON, as `invincible replay` takes it.")
@connection_options
def command(
    workflow_id: str | None,
    run_id: str | None,
    file: Path | None,
    follow: bool,
    events: bool,
    full: bool,
    output: Path | None,
    as_json: bool,
    connection: Connection,
) -> None:
    """Draw what workflow ID did, from its history.

    Each line is something it did or was told: when, counted from its start; what, with its arguments and its result;
    how long it took. What failed has its causes and their place in the code below.
    """
    _check(workflow_id, file, follow, {"--events": events, "--json": as_json, "--output": output is not None})
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    if file is not None:
        from ._history import read_history

        history = read_history(file)
        if not _written(history, output, as_json=as_json):
            _show(history.events, events=events, width=width, full=full)
        return
    assert workflow_id is not None
    with connection.client() as client:
        if follow:
            _follow(client, workflow_id, run_id, width=width, full=full)
            return
        handle = handle_of(client, workflow_id, run_id)
        if as_json or output is not None:
            _written(handle.fetch_history(), output, as_json=as_json)
            return
        description = handle.describe()
        history = handle_of(client, workflow_id, description.run_id).fetch_history()
        pending = description.raw_description
        _decode(client, [*history.events, pending], workflow_id)
        _show(history.events, pending, events=events, width=width, full=full)


def _check(workflow_id: str | None, file: Path | None, follow: bool, others: dict[str, bool]) -> None:
    if (workflow_id is None) == (file is None):
        raise click.UsageError("give the ID of a workflow, or --file with a history")
    if follow and (file is not None or any(others.values())):
        options = ", ".join(["--file"] * (file is not None) + [option for option, given in others.items() if given])
        raise click.UsageError(f"--follow draws a workflow that runs: it cannot be combined with {options}")
    if sum(others.values()) > 1:
        raise click.UsageError(f"give one of {', '.join(option for option, given in others.items() if given)}")


def _written(history: WorkflowHistory, output: Path | None, *, as_json: bool) -> bool:
    from ._history import write_history

    if output is not None:
        write_history(history, output)
        click.echo(f"wrote {len(history.events)} events to {clean(str(output))}", err=True)
    elif as_json:
        click.echo(history.to_json())
    return output is not None or as_json


def _show(
    found: Sequence[HistoryEvent],
    pending: DescribeWorkflowExecutionResponse | None = None,
    *,
    events: bool,
    width: int | None,
    full: bool,
) -> None:
    from invincible.client._outline import Run, View, add_pending, run_lines

    from .._ends import styled
    from ._event_table import print_events

    if events:
        print_events(found, full=full)
        return
    now = datetime.now(timezone.utc)
    run = Run.of(found)
    if pending is not None:
        # A run that was made by a reset begins with the history of another.
        run.run_id = pending.workflow_execution_info.execution.run_id
        add_pending(run, pending, now)
    for line in run_lines(run, View(now if pending is not None else None, width, full)):
        click.echo(styled(line))


def _follow(client: SyncClient, workflow_id: str, run_id: str | None, *, width: int | None, full: bool) -> None:
    from invincible.client._outline import View

    from ._follow import Follower, interrupted

    current = handle_of(client, workflow_id, run_id).describe().run_id
    try:
        while current:
            follower = Follower(
                handle_of(client, workflow_id, current),
                View(width=width, full=full),
                lambda events: _decode(client, events, workflow_id),
            )
            current = follower.follow().next_run_id
            if current:
                click.echo()
    except KeyboardInterrupt:
        interrupted(workflow_id)


def _decode(client: SyncClient, messages: Sequence[Message], workflow_id: str) -> None:
    if not client.data_converter._transforms:
        return
    from ._decoding import decode_in_place

    problem = decode_in_place(client, messages, workflow_id)
    if problem is not None:
        click.echo(f"some payloads are shown as they are: {clean(str(problem))}", err=True)
