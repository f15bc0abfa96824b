"""Counts of what the server finds, whole or by groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ._output import print_json, print_table

if TYPE_CHECKING:
    from invincible.client import ActivityExecutionCount, WorkflowExecutionCount


def print_count(found: WorkflowExecutionCount | ActivityExecutionCount, *, as_json: bool) -> None:
    """Print a count, and those of the groups if the query has any."""
    if as_json:
        groups = [{"values": list(each.group_values), "count": each.count} for each in found.groups]
        print_json({"count": found.count, "groups": groups} if groups else {"count": found.count})
    elif found.groups:
        rows = [[str(each.count), ", ".join(map(_text, each.group_values))] for each in found.groups]
        print_table(("COUNT", "GROUP"), [*rows, [str(found.count), "all"]])
    else:
        click.echo(found.count)


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
