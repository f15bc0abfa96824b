"""`invincible activity fail`."""

from __future__ import annotations

import click

from .._connection import Connection, connection_options
from .._input import checked_json
from .._options import Command
from .._output import json_option
from .._units import name
from ._async import AsyncActivity, async_activity_options


@click.command(cls=Command)
@async_activity_options
@click.option("--reason", type=name, required=True, metavar="TEXT", help="Message of the error.")
@click.option("--detail", "details", multiple=True, metavar="JSON", help="What else the error has; repeatable.")
@click.option("--error-type", type=name, metavar="NAME", help="Type of the error, for retry policies.")
@click.option("--non-retryable", is_flag=True, help="Do not repeat it, whatever its retry policy says.")
@json_option
@connection_options
def command(
    target: AsyncActivity,
    reason: str,
    details: tuple[str, ...],
    error_type: str | None,
    non_retryable: bool,
    as_json: bool,
    connection: Connection,
) -> None:
    """Fail an activity from outside of its worker. It is repeated as its retry policy says.

    \b
    invincible activity fail approval --workflow-id order-42 --reason "refused" --detail '{"by": "Ada"}' --non-retryable
    """
    from invincible.exceptions import ApplicationError

    values = [checked_json(each, "--detail") for each in details]
    error = ApplicationError(reason, *values, type=error_type, non_retryable=non_retryable)
    with target.handle(connection) as handle:
        handle.fail(error)
    target.tell("failed", as_json=as_json)
