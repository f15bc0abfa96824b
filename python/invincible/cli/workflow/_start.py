"""The options of commands that start workflows."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .._input import Input, checked_json, input_options, named_json
from .._options import taken_as
from .._output import clean, failure
from .._retry import Retry, retry_options
from .._units import duration, name
from ._handles import named

if TYPE_CHECKING:
    from invincible.client import SyncClient, SyncWorkflowHandle

_Function = TypeVar("_Function", bound=Callable[..., Any])

_REUSE = ("allow-duplicate", "allow-duplicate-failed-only", "reject-duplicate", "terminate-if-running")
_CONFLICT = ("fail", "use-existing", "terminate-existing")

_OPTIONS = (
    click.argument("workflow_type", metavar="TYPE", type=name),
    click.option("--task-queue", "-t", type=name, required=True, metavar="NAME", help="Task queue of its workers."),
    click.option("--id", "-w", "workflow_id", type=name, metavar="ID", help="Its id.  [default: a random one]"),
    click.option("--execution-timeout", type=duration, metavar="DURATION", help="Longest time of all runs together."),
    click.option("--run-timeout", type=duration, metavar="DURATION", help="Longest time of one run."),
    click.option("--task-timeout", type=duration, metavar="DURATION", help="Longest time of one workflow task."),
    click.option(
        "--id-reuse-policy",
        type=click.Choice(_REUSE),
        metavar="POLICY",
        help=f"If a workflow of this id has closed: {', '.join(_REUSE)}.",
    ),
    click.option(
        "--id-conflict-policy",
        type=click.Choice(_CONFLICT),
        metavar="POLICY",
        help=f"If a workflow of this id is running: {', '.join(_CONFLICT)}.",
    ),
    click.option("--cron", type=name, metavar="SPEC", help="When to repeat it, in cron's notation."),
    click.option("--start-delay", type=duration, metavar="DURATION", help="Time to wait before it begins."),
    click.option("--start-signal", type=name, metavar="NAME", help="Signal to send with the start."),
    click.option("--start-signal-input", multiple=True, metavar="JSON", help="An argument of the signal; repeatable."),
    click.option("--memo", multiple=True, metavar="NAME=JSON", help="A value to keep with it; repeatable."),
    click.option("--search-attribute", multiple=True, metavar="NAME=JSON", help="A value to find it by; repeatable."),
    click.option("--static-summary", metavar="TEXT", help="A line about it for the Web UI."),
    click.option("--static-details", metavar="TEXT", help="A text about it for the Web UI."),
    click.option("--priority-key", type=click.IntRange(min=1), metavar="N", help="Its priority; 1 is first."),
    click.option("--fairness-key", type=name, metavar="TEXT", help="Whom it shares the task queue with fairly."),
    click.option("--fairness-weight", type=click.FloatRange(min=0, min_open=True), metavar="N", help="Its share."),
)


@dataclass(frozen=True)
class Start:
    """What the options say."""

    workflow_type: str
    task_queue: str
    workflow_id: str | None
    execution_timeout: timedelta | None
    run_timeout: timedelta | None
    task_timeout: timedelta | None
    id_reuse_policy: str | None
    id_conflict_policy: str | None
    cron: str | None
    start_delay: timedelta | None
    start_signal: str | None
    start_signal_input: tuple[str, ...]
    memo: tuple[str, ...]
    search_attribute: tuple[str, ...]
    static_summary: str | None
    static_details: str | None
    priority_key: int | None
    fairness_key: str | None
    fairness_weight: float | None
    input: Input
    retry: Retry

    def options(self) -> dict[str, Any]:
        """Arguments of ``start_workflow``, but for the search attributes, whose types the server has to tell.

        Raises:
            UsageError: A value is no JSON, or options contradict each other.
        """
        from invincible.common import Priority, WorkflowIDConflictPolicy, WorkflowIDReusePolicy

        if self.start_signal is None and self.start_signal_input:
            raise click.UsageError("--start-signal-input is for --start-signal: give it too")
        options: dict[str, Any] = {
            "args": self.input.values(),
            "id": self.workflow_id or str(uuid.uuid4()),
            "task_queue": self.task_queue,
            "execution_timeout": self.execution_timeout,
            "run_timeout": self.run_timeout,
            "task_timeout": self.task_timeout,
            "retry_policy": self.retry.policy(),
            "cron_schedule": self.cron or "",
            "start_delay": self.start_delay,
            "memo": named_json(self.memo, "--memo") or None,
            "static_summary": self.static_summary,
            "static_details": self.static_details,
            "priority": Priority(self.priority_key, self.fairness_key, self.fairness_weight),
            "start_signal": self.start_signal,
            "start_signal_args": [checked_json(text, "--start-signal-input") for text in self.start_signal_input],
        }
        if self.id_reuse_policy is not None:
            options["id_reuse_policy"] = WorkflowIDReusePolicy[_enum_name(self.id_reuse_policy)]
        if self.id_conflict_policy is not None:
            options["id_conflict_policy"] = WorkflowIDConflictPolicy[_enum_name(self.id_conflict_policy)]
        return options

    def start(self, client: SyncClient, options: dict[str, Any]) -> SyncWorkflowHandle[Any, Any]:
        """Start the workflow.

        Args:
            client: Starts it.
            options: What :meth:`options` returned.

        Raises:
            UsageError: A search attribute does not fit its type.
            ClickException: There is such a workflow already.
        """
        from invincible.common import RawValue, TypedSearchAttributes
        from invincible.exceptions import WorkflowAlreadyStartedError

        if self.search_attribute:
            from .._search_attributes import typed_search_attributes

            given = typed_search_attributes(client, self.search_attribute, "--search-attribute")
            options["search_attributes"] = TypedSearchAttributes([]).updated(*given)
        try:
            return client.start_workflow(self.workflow_type, result_type=RawValue, **options)
        except WorkflowAlreadyStartedError as error:
            run = f" as run {error.run_id}" if error.run_id else ""
            raise failure(
                f"{named(error.workflow_id)} exists already{run}: give another --id, or say with --id-conflict-policy "
                "or --id-reuse-policy what to do"
            ) from None
        except ValueError as error:
            raise click.UsageError(clean(str(error))) from None


# A decorator; the command takes the values as ``start: Start``.
start_options = taken_as("start", Start, (*_OPTIONS, retry_options, input_options))


def _enum_name(choice: str) -> str:
    return choice.upper().replace("-", "_")
