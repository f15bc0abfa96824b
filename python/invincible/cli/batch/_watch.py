"""How far a batch operation is."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from .._connection import same_connection
from .._output import clean, failure, print_json

if TYPE_CHECKING:
    from invincible.api.workflowservice.v1 import DescribeBatchOperationResponse
    from invincible.client import SyncClient

_POLL = 0.5  # seconds between two questions
_UNKNOWN = 10.0  # seconds for which the server may not know a new operation
_LINE = 10.0  # seconds between two lines, where there is no terminal
_INTERRUPTED = 130  # exit code


def state_text(state: int) -> str:
    """``running``, ``completed`` or ``failed``."""
    from invincible.api.enums.v1 import BatchOperationState

    return BatchOperationState.Name(state).removeprefix("BATCH_OPERATION_STATE_").lower()  # type: ignore[arg-type]


def describe(client: SyncClient, job_id: str) -> DescribeBatchOperationResponse:
    """Ask how far a batch operation is.

    Raises:
        ClickException: There is none of this id.
    """
    from invincible.api.workflowservice.v1 import DescribeBatchOperationRequest
    from invincible.service import RPCError, RPCStatusCode

    try:
        return client.workflow_service.describe_batch_operation(
            DescribeBatchOperationRequest(namespace=client.namespace, job_id=job_id), retry=True
        )
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND or "namespace" in str(error).lower():
            raise
        raise failure(f"there is no batch operation {job_id!r} in the namespace {client.namespace!r}") from None


def wait_for_end(client: SyncClient, job_id: str, title: str, count: int) -> DescribeBatchOperationResponse:
    """Wait for the end of a batch operation, and show how far it is. Ctrl-C ends the command, not the operation.

    Args:
        client: Asks the server.
        job_id: The operation.
        title: What it does.
        count: Workflows that it is about, as far as is known.

    Raises:
        ClickException: The server does not tell any more.
    """
    from invincible.service import RPCError

    pause = threading.Event()
    began = time.monotonic()
    try:
        with _shown(title, count) as show:
            while True:
                try:
                    described = describe(client, job_id)
                except click.ClickException:
                    # The server may take a moment to know it.
                    if time.monotonic() - began > _UNKNOWN:
                        raise
                else:
                    show(described)
                    if state_text(described.state) != "running":
                        return described
                pause.wait(_POLL)
    except RPCError as error:
        raise failure(f"{error}\nThe batch operation may go on all the same.\n{_hints(job_id)}") from None
    except KeyboardInterrupt:
        click.echo(f"\nThe batch operation goes on.\n{_hints(job_id)}", err=True)
        sys.exit(_INTERRUPTED)


def tell_end(described: DescribeBatchOperationResponse, *, as_json: bool) -> None:
    """Print how an operation ended. Ends the command with exit code 1 if not all went well."""
    state, total = state_text(described.state), described.total_operation_count
    done, failed = described.complete_operation_count, described.failure_operation_count
    if as_json:
        print_json(job_json(described.job_id, state, total, done, failed))
    else:
        words = f"{done} of {total} done" + (f", {failed} failed; the log of the server says why" if failed else "")
        click.echo(f"batch operation {clean(described.job_id)} {state}: {words}")
    if state != "completed" or failed:
        sys.exit(1)


def job_json(job_id: str, status: str, total: int, completed: int, failed: int) -> dict[str, Any]:
    """How far an operation is."""
    return {"job_id": job_id or None, "status": status, "total": total, "completed": completed, "failed": failed}


def _hints(job_id: str) -> str:
    there = same_connection()
    return (
        f"  see how far it is:  invincible batch describe {job_id}{there}\n"
        f"  stop it:            invincible batch stop {job_id} --reason TEXT{there}"
    )


@contextmanager
def _shown(title: str, count: int) -> Iterator[Callable[[DescribeBatchOperationResponse], None]]:
    """Shows how far it is: a bar on a terminal, now and then a line elsewhere."""
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    except ImportError:
        yield _Lines(title)
        return
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield _Lines(title)
        return
    columns = TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(title, total=count)

        def show(described: DescribeBatchOperationResponse) -> None:
            total = described.total_operation_count or count
            done = described.complete_operation_count + described.failure_operation_count
            progress.update(task, total=total, completed=done)

        yield show


class _Lines:
    """Says how far it is, but not too often."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._told = time.monotonic()

    def __call__(self, described: DescribeBatchOperationResponse) -> None:
        if time.monotonic() - self._told < _LINE:
            return
        self._told = time.monotonic()
        done = described.complete_operation_count + described.failure_operation_count
        click.echo(f"{self._title}: {done} of {described.total_operation_count}", err=True)
