"""Activities that are completed from outside of their workers: how the command line names them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .._connection import Connection
from .._options import taken_as
from .._output import print_json
from .._units import name
from ._target import client_for

if TYPE_CHECKING:
    from invincible.client import SyncAsyncActivityHandle

_Function = TypeVar("_Function", bound=Callable[..., Any])

_OPTIONS = (
    click.argument("activity_id", metavar="[ID]", type=name, required=False),
    click.option(
        "--workflow-id", "-w", type=name, metavar="ID", help="The workflow that called it; none for standalone ones."
    ),
    click.option("--run-id", type=name, metavar="RUN", help="Run of that workflow, or of the standalone activity."),
    click.option("--task-token", type=name, metavar="TOKEN", help="Task token in hex or Base64, instead of ids."),
)


@dataclass(frozen=True)
class AsyncActivity:
    """What the options say."""

    activity_id: str | None
    workflow_id: str | None
    run_id: str | None
    task_token: str | None

    def __post_init__(self) -> None:
        ids = (self.activity_id, self.workflow_id, self.run_id)
        if self.task_token is None and self.activity_id is None:
            raise click.UsageError(
                "give the ID of the activity, with the --workflow-id of its workflow, or --task-token"
            )
        if self.task_token is not None and ids != (None, None, None):
            raise click.UsageError("--task-token names an activity by itself: give no ids")

    @property
    def title(self) -> str:
        """The activity as messages name it. Whoever has a token may complete the activity, so that it is not shown."""
        if self.activity_id is None:
            return "the activity of this task token"
        of = f" of workflow {self.workflow_id!r}" if self.workflow_id else ""
        return f"activity {self.activity_id!r}{of}"

    @contextmanager
    def handle(self, connection: Connection) -> Iterator[SyncAsyncActivityHandle]:
        """Its handle."""
        token = None if self.task_token is None else _token(self.task_token)
        with client_for(connection, self.title) as client:
            if token is not None:
                yield client.get_async_activity_handle(task_token=token)
            elif self.workflow_id is None:
                assert self.activity_id is not None
                yield client.get_async_activity_handle(activity_id=self.activity_id, run_id=self.run_id)
            else:
                assert self.activity_id is not None
                yield client.get_async_activity_handle(
                    workflow_id=self.workflow_id, run_id=self.run_id, activity_id=self.activity_id
                )

    def tell(self, what: str, *, as_json: bool) -> None:
        """Say what was done: ``activity 'approval' of workflow 'order' completed``."""
        if as_json:
            ids = {"activity_id": self.activity_id, "workflow_id": self.workflow_id, "run_id": self.run_id}
            print_json({**ids, what: True})
        else:
            click.echo(f"{self.title} {what}")


# A decorator; the command takes the values as ``target: AsyncActivity``.
async_activity_options = taken_as("target", AsyncActivity, _OPTIONS)


def _token(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        pass
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        # It is a secret of a kind: not shown.
        raise click.UsageError("--task-token is neither hex nor Base64") from None
