"""`invincible schedule create`."""

from __future__ import annotations

import click

from .._connection import Connection, connection_options
from .._input import named_json
from .._options import Command
from .._output import clean, failure, json_option, print_json, time_text
from .._search_attributes import typed_search_attributes
from ._action import Action, action_options
from ._changes import schedule_argument, search_attribute_option
from ._spec import Timing, timing_options


@click.command(cls=Command)
@schedule_argument
@timing_options
@click.option("--paused", is_flag=True, help="Start nothing before `invincible schedule unpause`.")
@click.option("--trigger", is_flag=True, help="Act once now, too.")
@click.option("--schedule-memo", multiple=True, metavar="NAME=JSON", help="A memo value of the schedule; repeatable.")
@search_attribute_option
@action_options
@json_option
@connection_options
def command(
    schedule_id: str,
    timing: Timing,
    paused: bool,
    trigger: bool,
    schedule_memo: tuple[str, ...],
    schedule_search_attribute: tuple[str, ...],
    action: Action,
    as_json: bool,
    connection: Connection,
) -> None:
    """Create a schedule.

    \b
    invincible schedule create reports --type report --task-queue reports --input '"Berlin"' \\
        --cron '30 7 * * MON-FRI' --time-zone Europe/Berlin
    invincible schedule create sync --type sync --task-queue sync --interval 1h --jitter 1m --overlap buffer-one

    Times are those of --cron, --interval and --calendar together; without any, it acts when it is triggered or
    backfilled.
    """
    if action.workflow is None or action.task_queue is None:
        missing = "--type" if action.workflow is None else "--task-queue"
        raise click.UsageError(f"{missing} is missing: a schedule starts workflows of a type, on a task queue")
    from invincible.client import (
        Schedule,
        ScheduleActionStartWorkflow,
        ScheduleAlreadyRunningError,
        SchedulePolicy,
        ScheduleSpec,
        ScheduleState,
    )

    spec, policy, state = ScheduleSpec(), SchedulePolicy(), ScheduleState(paused=paused)
    timing.change_spec(spec)
    timing.change_policy(policy)
    timing.change_state(state)
    memo = named_json(schedule_memo, "--schedule-memo")
    starts = ScheduleActionStartWorkflow(
        action.workflow, id=action.workflow_id or schedule_id, task_queue=action.task_queue
    )
    with connection.client() as client:
        action.change(starts, action.search_attributes(client))
        attributes = typed_search_attributes(client, schedule_search_attribute, "--schedule-search-attribute")
        try:
            handle = client.create_schedule(
                schedule_id,
                Schedule(action=starts, spec=spec, policy=policy, state=state),
                trigger_immediately=trigger,
                memo=memo or None,
                search_attributes=attributes if len(attributes) else None,
            )
        except ScheduleAlreadyRunningError:
            raise failure(
                f"there is a schedule {schedule_id!r} already: `invincible schedule update` changes it"
            ) from None
        except ValueError as error:
            raise click.UsageError(str(error)) from None
        times = handle.describe().info.next_action_times
    if as_json:
        print_json({"schedule_id": schedule_id, "next_action_times": times})
        return
    when = "it is paused" if paused else f"next at {time_text(times[0])}" if times else "no time is due"
    click.echo(f"schedule {clean(schedule_id)} created: {when}")
