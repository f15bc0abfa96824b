"""Options that say which workflow a schedule starts, and how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .._input import Input, input_options, named_json
from .._options import taken_as
from .._retry import Retry, retry_options
from .._search_attributes import typed_search_attributes
from .._units import duration, name

if TYPE_CHECKING:
    from invincible.client import ScheduleActionStartWorkflow, SyncClient
    from invincible.common import TypedSearchAttributes

_Function = TypeVar("_Function", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--type", "workflow", type=name, metavar="NAME", help="Type of the workflow."),
    click.option("--task-queue", "-t", type=name, metavar="NAME", help="Its task queue."),
    click.option(
        "--workflow-id",
        "-w",
        type=name,
        metavar="ID",
        help="Beginning of its id, which the time is appended to.  [default: the id of the schedule]",
    ),
    click.option("--execution-timeout", type=duration, metavar="DURATION", help="Longest time of all runs together."),
    click.option("--run-timeout", type=duration, metavar="DURATION", help="Longest time of one run."),
    click.option("--task-timeout", type=duration, metavar="DURATION", help="Longest time of one workflow task."),
    click.option("--memo", multiple=True, metavar="NAME=JSON", help="A memo value of the workflows; repeatable."),
    click.option("--search-attribute", multiple=True, metavar="NAME=JSON", help="One of the workflows; repeatable."),
    click.option("--static-summary", metavar="TEXT", help="A line about the workflows for the Web UI."),
    click.option("--static-details", metavar="TEXT", help="A text about the workflows for the Web UI."),
    click.option(
        "--priority-key", type=click.IntRange(min=1), metavar="N", help="Priority of the workflows; 1 is first."
    ),
    click.option("--fairness-key", type=name, metavar="TEXT", help="Whom they share the task queue with fairly."),
    click.option("--fairness-weight", type=click.FloatRange(min=0, min_open=True), metavar="N", help="Their share."),
)


@dataclass(frozen=True)
class Action:
    """What the options say; ``None`` and nothing for those that are not given."""

    workflow: str | None
    task_queue: str | None
    workflow_id: str | None
    execution_timeout: timedelta | None
    run_timeout: timedelta | None
    task_timeout: timedelta | None
    memo: tuple[str, ...]
    search_attribute: tuple[str, ...]
    static_summary: str | None
    static_details: str | None
    priority_key: int | None
    fairness_key: str | None
    fairness_weight: float | None
    input: Input
    retry: Retry

    def search_attributes(self, client: SyncClient) -> TypedSearchAttributes:
        """The search attributes that are given; the server is asked for their types.

        Raises:
            UsageError: A value is no JSON, or not of its type.
        """
        return typed_search_attributes(client, self.search_attribute, "--search-attribute")

    def change(self, action: ScheduleActionStartWorkflow, search_attributes: TypedSearchAttributes) -> None:
        """Put what is given into an action.

        Args:
            action: It; its values may be payloads.
            search_attributes: What :meth:`search_attributes` returned.

        Raises:
            UsageError: A value is no JSON.
        """
        for option, field in _FIELDS.items():
            if getattr(self, option) is not None:
                setattr(action, field, getattr(self, option))
        arguments = self.input.values()
        if arguments:
            action.args = arguments
        action.retry_policy = self.retry.policy(action.retry_policy)
        if self.memo:
            action.memo = {**(action.memo or {}), **named_json(self.memo, "--memo")}
        action.typed_search_attributes = action.typed_search_attributes.updated(*search_attributes)
        keys = ("priority_key", "fairness_key", "fairness_weight")
        priority = {key: getattr(self, key) for key in keys if getattr(self, key) is not None}
        if priority:
            action.priority = replace(action.priority, **priority)


_FIELDS = {
    "workflow": "workflow",
    "task_queue": "task_queue",
    "workflow_id": "id",
    "execution_timeout": "execution_timeout",
    "run_timeout": "run_timeout",
    "task_timeout": "task_timeout",
    "static_summary": "static_summary",
    "static_details": "static_details",
}


# A decorator; the command takes the values as ``action: Action``.
action_options = taken_as("action", Action, (*_OPTIONS, retry_options, input_options))
