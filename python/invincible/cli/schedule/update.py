"""`invincible schedule update`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .._connection import Connection, connection_options
from .._input import Input
from .._options import Command
from .._output import json_option
from .._retry import Retry
from .._search_attributes import typed_search_attributes
from ._action import Action, action_options
from ._changes import client_for, schedule_argument, search_attribute_option, tell
from ._spec import Timing, timing_options

if TYPE_CHECKING:
    from invincible.client import Schedule, ScheduleActionStartWorkflow

# What --unset takes away, with the part of the schedule and the field of that part.
_UNSET: dict[str, tuple[str, str, Any]] = {
    "catchup-window": ("policy", "catchup_window", None),
    "end-time": ("spec", "end_at", None),
    "execution-timeout": ("action", "execution_timeout", None),
    "input": ("action", "args", ()),
    "jitter": ("spec", "jitter", None),
    "memo": ("action", "memo", None),
    "note": ("state", "note", None),
    "remaining-actions": ("state", "limited_actions", False),
    "retry": ("action", "retry_policy", None),
    "run-timeout": ("action", "run_timeout", None),
    "skip": ("spec", "skip", ()),
    "start-time": ("spec", "start_at", None),
    "static-details": ("action", "static_details", None),
    "static-summary": ("action", "static_summary", None),
    "task-timeout": ("action", "task_timeout", None),
    "time-zone": ("spec", "time_zone_name", None),
}


@click.command(cls=Command)
@schedule_argument
@timing_options
@click.option(
    "--unset",
    type=click.Choice(sorted([*_UNSET, "search-attributes"])),
    multiple=True,
    help="Take away what it has; repeatable.",
)
@search_attribute_option
@action_options
@json_option
@connection_options
def command(
    schedule_id: str,
    timing: Timing,
    unset: tuple[str, ...],
    schedule_search_attribute: tuple[str, ...],
    action: Action,
    as_json: bool,
    connection: Connection,
) -> None:
    """Change what is given, and nothing else.

    Times given by --cron, --interval and --calendar take the place of all of those that it has; so do arguments, while
    memo values and search attributes are added to those that it has. `pause` and `unpause` are commands of their own.

    \b
    invincible schedule update reports --cron '0 8 * * *' --unset jitter
    """
    from invincible.client import ScheduleActionStartWorkflow, ScheduleUpdate, SyncScheduleUpdateInput

    _check(timing, action, unset, schedule_search_attribute)
    with client_for(connection, schedule_id) as client:
        new = action.search_attributes(client)
        own = typed_search_attributes(client, schedule_search_attribute, "--schedule-search-attribute")

        def updated(input: SyncScheduleUpdateInput) -> ScheduleUpdate:
            schedule = input.description.schedule
            starts = schedule.action
            assert isinstance(starts, ScheduleActionStartWorkflow)  # there is no other kind
            _unset(schedule, starts, unset)
            timing.change_spec(schedule.spec)
            timing.change_policy(schedule.policy)
            timing.change_state(schedule.state)
            action.change(starts, new)
            kept = input.description.typed_search_attributes
            return ScheduleUpdate(schedule, kept.updated(*own) if len(own) else None)

        try:
            client.get_schedule_handle(schedule_id).update(updated)
        except ValueError as error:
            raise click.UsageError(str(error)) from None
    tell(schedule_id, "updated", as_json=as_json)


def _check(timing: Timing, action: Action, unset: tuple[str, ...], *others: object) -> None:
    nothing = (None, (), Input(), Retry())
    given = {name for part in (timing, action) for name, value in vars(part).items() if value not in nothing}
    if not (given or unset or any(others)):
        raise click.UsageError("there is nothing to change: give options")
    for each in unset:
        if each.replace("-", "_").removesuffix("attributes") in {name.removesuffix("attribute") for name in given}:
            raise click.UsageError(f"--unset {each} contradicts the value that is given")


def _unset(schedule: Schedule, action: ScheduleActionStartWorkflow, names: tuple[str, ...]) -> None:
    from invincible.common import TypedSearchAttributes

    parts = {"spec": schedule.spec, "policy": schedule.policy, "state": schedule.state, "action": action}
    for each in names:
        if each == "search-attributes":
            action.typed_search_attributes = TypedSearchAttributes.empty
            action.untyped_search_attributes = {}
        else:
            part, field, value = _UNSET[each]
            setattr(parts[part], field, value)
        if each == "remaining-actions":
            schedule.state.remaining_actions = 0
