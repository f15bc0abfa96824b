"""What commands about one workflow have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .._connection import Connection
from .._output import clean
from .._units import name

if TYPE_CHECKING:
    from invincible.client import SyncClient, SyncWorkflowHandle

_Function = TypeVar("_Function", bound=Callable[..., Any])

id_argument = click.argument("workflow_id", metavar="ID", type=name)
run_id_option = click.option("--run-id", type=name, metavar="RUN", help="The run.  [default: the current one]")
reason_option = click.option("--reason", default="", metavar="TEXT", help="Why; kept in the history.")


def handle_of(client: SyncClient, workflow_id: str, run_id: str | None = None) -> SyncWorkflowHandle[Any, Any]:
    """The handle of a workflow whose result is left as its payload."""
    from invincible.common import RawValue

    return client.get_workflow_handle(workflow_id, run_id=run_id, result_type=RawValue)


@contextmanager
def handle(
    connection: Connection, workflow_id: str, run_id: str | None = None
) -> Iterator[SyncWorkflowHandle[Any, Any]]:
    """The handle of a workflow, of a client that is closed in the end."""
    with connection.client() as client:
        yield handle_of(client, workflow_id, run_id)


def named(workflow_id: str) -> str:
    """A workflow as messages name it."""
    return f"workflow {clean(workflow_id)!r}" if workflow_id.isprintable() else f"workflow '{clean(workflow_id)}'"
