"""Which activity a command is about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .._connection import Connection
from .._options import taken_as
from .._output import print_json
from .._units import name

if TYPE_CHECKING:
    from invincible.client import SyncActivityHandle, SyncClient

_Function = TypeVar("_Function", bound=Callable[..., Any])

id_argument = click.argument("activity_id", metavar="ID", type=name)
run_id_option = click.option("--run-id", type=name, metavar="RUN", help="The run.  [default: the current one]")
reason_option = click.option("--reason", metavar="TEXT", help="Why.")

_OPTIONS = (
    click.argument("activity_id", metavar="[ID]", type=name, required=False),
    click.option(
        "--workflow-id", "-w", type=name, metavar="ID", help="The workflow that called it; none for standalone ones."
    ),
    click.option("--run-id", type=name, metavar="RUN", help="Run of that workflow, or of the standalone activity."),
    click.option(
        "--type", "activity_type", type=name, metavar="NAME", help="All activities of a type that the workflow has."
    ),
)


@dataclass(frozen=True)
class Target:
    """What the options say: an activity of a workflow, all of a type in a workflow, or a standalone one."""

    activity_id: str | None
    workflow_id: str | None
    run_id: str | None
    activity_type: str | None

    def __post_init__(self) -> None:
        if (self.activity_id is None) == (self.activity_type is None):
            raise click.UsageError("give the ID of the activity, or --type with --workflow-id")
        if self.activity_type is not None and self.workflow_id is None:
            raise click.UsageError("--type is for the activities of a workflow: give --workflow-id too")

    @property
    def title(self) -> str:
        """The activity as messages name it."""
        if self.activity_type is not None:
            return f"activities {self.activity_type!r} of workflow {self.workflow_id!r}"
        of = f" of workflow {self.workflow_id!r}" if self.workflow_id else ""
        return f"activity {self.activity_id!r}{of}"

    def put_into(self, request: Any, client: SyncClient) -> None:
        """Name the activity in a request about activities of a workflow."""
        assert self.workflow_id is not None
        request.namespace, request.identity = client.namespace, client.identity
        request.execution.workflow_id = self.workflow_id
        request.execution.run_id = self.run_id or ""
        if self.activity_type is not None:
            request.type = self.activity_type
        else:
            request.id = self.activity_id

    def standalone(self, client: SyncClient) -> SyncActivityHandle[Any]:
        """The handle of the standalone activity."""
        assert self.activity_id is not None
        return client.get_activity_handle(self.activity_id, run_id=self.run_id)

    def tell(self, what: str, *, as_json: bool) -> None:
        """Say what was done: ``activity '7' of workflow 'order' paused``."""
        if as_json:
            ids = {"activity_id": self.activity_id, "activity_type": self.activity_type}
            print_json({**ids, "workflow_id": self.workflow_id, "run_id": self.run_id, what: True})
        else:
            click.echo(f"{self.title} {what}")


# A decorator; the command takes the values as ``target: Target``.
target_options = taken_as("target", Target, _OPTIONS)


def client_for(connection: Connection, title: str) -> AbstractContextManager[SyncClient]:
    """A client for calls about an activity, the errors of which name it if it is not there."""
    # The server's words do not name it, but may tell more: that it has ended, say.
    return connection.client_about(
        lambda namespace, error: f"{title} cannot be found in the namespace {namespace!r}: {error}"
    )


@contextmanager
def standalone(connection: Connection, activity_id: str, run_id: str | None) -> Iterator[SyncActivityHandle[Any]]:
    """The handle of a standalone activity, its result left as it is."""
    from invincible.common import RawValue

    with client_for(connection, f"activity {activity_id!r}") as client:
        yield client.get_activity_handle(activity_id, run_id=run_id, result_type=RawValue)
