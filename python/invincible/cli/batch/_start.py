"""Starting a batch operation: what it is about, whether it is meant, and how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

import click

from .._options import taken_as
from .._output import ask, clean, print_json
from .._units import name
from ._watch import job_json, tell_end, wait_for_end

if TYPE_CHECKING:
    from invincible.api.workflowservice.v1 import StartBatchOperationRequest
    from invincible.client import SyncClient

_Function = TypeVar("_Function", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--query", "-q", type=name, required=True, metavar="QUERY", help="Which workflows."),
    click.option(
        "--reason", "-r", type=name, required=True, metavar="TEXT", help="Why; it is kept with the operation."
    ),
    click.option(
        "--rps",
        type=click.FloatRange(min=0, min_open=True),
        metavar="N",
        help="Most workflows per second.  [default: as the server is set up]",
    ),
    click.option("--yes", "-y", is_flag=True, help="Do not ask whether it is meant."),
    click.option("--wait/--no-wait", default=True, show_default=True, help="Whether to stay until it is done."),
)


@dataclass(frozen=True)
class Batch:
    """What the options say."""

    query: str
    reason: str
    rps: float | None
    yes: bool
    wait: bool


# A decorator; the command takes the values as ``batch: Batch``.
batch_options = taken_as("batch", Batch, _OPTIONS)


def run_batch(
    client: SyncClient,
    batch: Batch,
    verb: str,
    *,
    as_json: bool,
    operation: Callable[[StartBatchOperationRequest], None],
) -> None:
    """Start a batch operation, if it is meant, and wait for it.

    Args:
        client: Makes the calls.
        batch: What the options say.
        verb: What is done to the workflows, in a word or two.
        as_json: Whether to print JSON.
        operation: Sets the operation of the request.

    Raises:
        ClickException: It is not meant, or some workflows failed.
    """
    from invincible.api.workflowservice.v1 import StartBatchOperationRequest
    from invincible.service import RPCError, RPCStatusCode

    count = client.count_workflows(batch.query).count
    if not count:
        if as_json:
            print_json(job_json("", "none", 0, 0, 0))
        else:
            click.echo("no workflows match: nothing to do")
        return
    workflows = f"{count} workflow{'s' * (count != 1)}"
    if not batch.yes:
        ask(f"{verb} {workflows} in the namespace {clean(client.namespace)}?")
    job_id = str(uuid4())
    request = StartBatchOperationRequest(
        namespace=client.namespace,
        visibility_query=batch.query,
        job_id=job_id,
        reason=batch.reason,
        max_operations_per_second=batch.rps or 0,
    )
    operation(request)
    try:
        client.workflow_service.start_batch_operation(request, retry=True)
    except RPCError as error:
        # A retry may find what an attempt before it has started.
        if error.status is not RPCStatusCode.ALREADY_EXISTS:
            raise
    if not batch.wait:
        if as_json:
            print_json(job_json(job_id, "running", count, 0, 0))
        else:
            click.echo(f"{verb} {workflows}: batch operation {job_id} runs on the server")
        return
    end = wait_for_end(client, job_id, f"{verb} {workflows}", count)
    tell_end(end, as_json=as_json)
