"""`invincible activity update-options`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from .._connection import Connection, client_options
from .._options import Command
from .._output import duration_text, json_option, print_fields, print_json
from .._retry import Retry, retry_options, retry_text
from .._units import duration, name
from ._target import Target, client_for, target_options

if TYPE_CHECKING:
    from invincible.client import ActivityExecutionOptions, ActivityOptionsUpdate, SyncClient

_UNSET = (
    "schedule-to-close-timeout",
    "schedule-to-start-timeout",
    "start-to-close-timeout",
    "heartbeat-timeout",
    "retry-policy",
)


@click.command(cls=Command)
@target_options
@click.option("--task-queue", "-t", type=name, metavar="NAME", help="Where its next attempts go.")
@click.option("--schedule-to-close-timeout", type=duration, metavar="DURATION", help="Longest time of all attempts.")
@click.option("--schedule-to-start-timeout", type=duration, metavar="DURATION", help="Longest wait for a worker.")
@click.option("--start-to-close-timeout", type=duration, metavar="DURATION", help="Longest time of one attempt.")
@click.option("--heartbeat-timeout", type=duration, metavar="DURATION", help="Longest time between two heartbeats.")
@click.option("--unset", type=click.Choice(_UNSET), multiple=True, help="Take an option away; repeatable.")
@click.option("--restore-original-options", is_flag=True, help="Take all changes back.")
@retry_options
@json_option
@client_options
def command(
    target: Target,
    task_queue: str | None,
    schedule_to_close_timeout: timedelta | None,
    schedule_to_start_timeout: timedelta | None,
    start_to_close_timeout: timedelta | None,
    heartbeat_timeout: timedelta | None,
    unset: tuple[str, ...],
    restore_original_options: bool,
    retry: Retry,
    as_json: bool,
    connection: Connection,
) -> None:
    """Change timeouts, task queue or retries of an activity. What an attempt began with stays with that attempt.

    Retry options that are not given take their defaults. Prints all options as they are then.
    """
    given = {
        "task_queue": task_queue,
        "schedule_to_close_timeout": schedule_to_close_timeout,
        "schedule_to_start_timeout": schedule_to_start_timeout,
        "start_to_close_timeout": start_to_close_timeout,
        "heartbeat_timeout": heartbeat_timeout,
        "retry_policy": retry.policy(),
    }
    changes: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    for each in unset:
        key = each.replace("-", "_")
        if key in changes:
            raise click.UsageError(f"--unset {each} contradicts the value that is given")
        changes[key] = None
    if bool(changes) == restore_original_options:
        raise click.UsageError("give options to change, or --restore-original-options alone")
    with client_for(connection, target.title) as client:
        try:
            options = (_of_standalone if target.workflow_id is None else _of_workflow)(client, target, changes)
        except ValueError as error:
            raise click.UsageError(str(error)) from None
    if as_json:
        told = asdict(options)
        print_json(told)
    else:
        print_fields(_fields(options))


def _updates(changes: dict[str, Any]) -> list[ActivityOptionsUpdate[Any]]:
    from invincible.client import ActivityOptionsKeys, ActivityOptionsUpdate

    return [ActivityOptionsUpdate(getattr(ActivityOptionsKeys, key), value) for key, value in changes.items()]


def _of_standalone(client: SyncClient, target: Target, changes: dict[str, Any]) -> ActivityExecutionOptions:
    handle = target.standalone(client)
    return handle.update_options(_updates(changes)) if changes else handle.restore_original_options()


def _of_workflow(client: SyncClient, target: Target, changes: dict[str, Any]) -> ActivityExecutionOptions:
    from invincible.api.workflowservice.v1 import UpdateActivityExecutionOptionsRequest, UpdateActivityOptionsRequest
    from invincible.client import ActivityExecutionOptions
    from invincible.client._activities.updates import apply_updates

    request = UpdateActivityOptionsRequest(restore_original=not changes)
    target.put_into(request, client)
    if changes:
        changed = UpdateActivityExecutionOptionsRequest()
        apply_updates(_updates(changes), changed)
        request.activity_options.CopyFrom(changed.activity_options)
        request.update_mask.CopyFrom(changed.update_mask)
    response = client.workflow_service.update_activity_options(request, retry=True)
    return ActivityExecutionOptions._from_message(response.activity_options)


def _fields(options: ActivityExecutionOptions) -> Iterator[tuple[str, str]]:
    for name_, value in vars(options).items():
        if isinstance(value, timedelta):
            yield name_.replace("_", " "), duration_text(value) if value else "none"
        elif isinstance(value, str):
            yield name_.replace("_", " "), value
    if options.retry_policy is not None:
        yield "retries", retry_text(options.retry_policy)
