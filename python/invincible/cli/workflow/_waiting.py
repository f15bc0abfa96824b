"""Waiting for the end of a workflow, in front of people and of programs."""

from __future__ import annotations

import shlex
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from .._connection import same_connection, time_limit
from .._ends import ended_text, failure_for_json, print_failure, print_value, status_of, value_for_json
from .._output import clean, duration_text, print_json
from .._progress import Progress
from .._status import status_json
from ._handles import named

if TYPE_CHECKING:
    from invincible.client import SyncWorkflowHandle

_LOOK_AGAIN = 3.0  # seconds between two questions of how the workflow stands
_INTERRUPTED = 130


def wait_for_end(
    handle: SyncWorkflowHandle[Any, Any],
    *,
    as_json: bool,
    full: bool,
    timeout: timedelta | None,
    follow_runs: bool = True,
) -> None:
    """Wait for a workflow to end and print how it did. Ends the command with exit code 1 if it did not complete.

    Args:
        handle: The workflow.
        as_json: Whether to print JSON.
        full: Whether failures are shown with their stack traces.
        timeout: Longest time to wait.
        follow_runs: Whether the result is that of the last run.
    """
    from invincible.client import WorkflowContinuedAsNewError, WorkflowFailureError

    run_id = handle.result_run_id
    try:
        with time_limit(timeout, _still_running(handle, timeout)), _watched(handle):
            result = handle.result(follow_runs=follow_runs)
    except KeyboardInterrupt:
        click.echo(f"\n{named(handle.id)} goes on.\n{_hints(handle)}", err=True)
        sys.exit(_INTERRUPTED)
    except WorkflowFailureError as error:
        status = status_of(error.cause)
        if as_json:
            failed = {"workflow_id": handle.id, "run_id": run_id, "status": status_json(status)}
            print_json(failed | {"failure": failure_for_json(error.cause)})
        else:
            print_failure(error.cause, f"{named(handle.id)} {ended_text(status)}", full=full)
        sys.exit(1)
    except WorkflowContinuedAsNewError as error:
        if as_json:
            continued = {"workflow_id": handle.id, "run_id": run_id, "status": "continued_as_new"}
            print_json(continued | {"new_run_id": error.new_execution_run_id})
        else:
            click.echo(f"{named(handle.id)} continued as new: run {error.new_execution_run_id}")
        return
    if as_json:
        completed = {"workflow_id": handle.id, "run_id": run_id, "status": "completed"}
        print_json(completed | {"result": value_for_json(result)})
    else:
        print_value(result)


@contextmanager
def _watched(handle: SyncWorkflowHandle[Any, Any]) -> Iterator[None]:
    """Tells what is waited for: in a line at the bottom of a terminal; elsewhere only what is wrong."""
    ended = threading.Event()
    with Progress(f"waiting for {named(handle.id)}") as progress:
        # Made here: threads do not know which command they are of.
        show = _command("show", handle)
        thread = threading.Thread(target=_tell, args=(handle, progress, ended, show), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def _tell(handle: SyncWorkflowHandle[Any, Any], progress: Progress, ended: threading.Event, show: str) -> None:
    from invincible.exceptions import TemporalError
    from invincible.service import RPCStatusCode

    began = asked = time.monotonic()
    stands = ""
    told: set[str] = set()  # of what is wrong
    while not ended.wait(0.5):
        now = time.monotonic()
        if now - asked >= _LOOK_AGAIN:
            wrong = hint = ""
            try:
                raw = handle.describe(rpc_timeout=timedelta(seconds=2)).raw_description
            except (TemporalError, RuntimeError, TimeoutError) as error:
                if getattr(error, "status", None) in (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED):
                    wrong = "silent"
                    stands = "the server does not answer"
            else:
                stands = _how_it_stands(raw)
                wrong, hint = ("stuck", f", see `{show}`") if _is_stuck(raw) else ("", "")
            if wrong and wrong not in told and not sys.stderr.isatty():
                told.add(wrong)
                click.echo(f"{named(handle.id)}: {stands}{hint}", err=True)
            asked = time.monotonic()
        waited = int(now - began)
        since = f", {duration_text(timedelta(seconds=waited))}" if waited else ""
        progress.show(f"waiting for {named(handle.id)}{since}{f': {stands}' if stands else ''}")


def _is_stuck(raw: Any) -> bool:
    failing = raw.HasField("pending_workflow_task") and raw.pending_workflow_task.attempt > 1
    return bool(failing or raw.workflow_extended_info.HasField("pause_info"))


def _how_it_stands(raw: Any) -> str:
    if raw.workflow_extended_info.HasField("pause_info"):
        return "it is paused"
    if _is_stuck(raw):
        return f"its workflow task fails (attempt {raw.pending_workflow_task.attempt})"
    if raw.HasField("pending_workflow_task"):
        return "no worker has taken its workflow task yet" if raw.pending_workflow_task.state == 1 else ""
    retried = next((each for each in raw.pending_activities if each.attempt > 1), None)
    if retried is not None:
        said = f": {clean(retried.last_failure.message)}" if retried.HasField("last_failure") else ""
        return f"activity {clean(retried.activity_type.name)}, attempt {retried.attempt}{said}"
    activities = [clean(each.activity_type.name) for each in raw.pending_activities[:3]]
    return f"activity {', '.join(activities)}" if activities else ""


def _still_running(handle: SyncWorkflowHandle[Any, Any], timeout: timedelta | None) -> str:
    return f"{named(handle.id)} did not end in {duration_text(timeout)}. It goes on.\n{_hints(handle)}"


def _hints(handle: SyncWorkflowHandle[Any, Any]) -> str:
    return "\n".join(
        f"  {what:<18} {_command(command, handle)}{rest}"
        for what, command, rest in (
            ("wait for it:", "result", ""),
            ("see what it does:", "show", " --follow"),
            ("cancel it:", "cancel", ""),
        )
    )


def _command(name: str, handle: SyncWorkflowHandle[Any, Any]) -> str:
    return f"invincible workflow {name} {clean(shlex.quote(handle.id))}{same_connection()}"
