"""What commands print: tables and lines for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


def print_json(value: Any) -> None:
    """Print a value as JSON; times as ISO 8601, durations in seconds."""
    click.echo(json.dumps(value, indent=2, default=_plain, ensure_ascii=False))


def console(*, stderr: bool = False) -> Console:
    """Where tables and colours go; plain text if it is no terminal.

    Raises:
        ClickException: rich is not installed; the message says how to get it.
    """
    try:
        from rich.console import Console
    except ImportError:
        raise click.ClickException("this needs rich: pip install 'invincible[cli]' (or give --json)") from None
    return Console(stderr=stderr, highlight=False, soft_wrap=True)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows under their headings, as wide as they need to be: nothing is cut off."""
    out = console()
    from rich.table import Table

    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*row)
    out.print(table)


def time_text(moment: datetime | None) -> str:
    """A time as people read it, in their own zone; empty for none."""
    return "" if moment is None else moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def duration_text(duration: timedelta | None) -> str:
    """``850ms``, ``3.2s``, ``5m 10s``, ``2h 5m``, ``90d 3h``; empty for none."""
    if duration is None:
        return ""
    seconds = duration.total_seconds()
    if abs(seconds) < 1:
        return f"{seconds * 1000:.0f}ms"
    if abs(seconds) < 60:
        return f"{seconds:.1f}".removesuffix(".0") + "s"
    amounts = []
    rest = round(seconds)
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        amount, rest = divmod(rest, size)
        if amount:
            amounts.append(f"{amount}{unit}")
    return " ".join(amounts[:2])


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    raise TypeError(f"{type(value).__name__} has no form in JSON")
