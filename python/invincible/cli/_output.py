"""What commands print, tables and lines for people, JSON for programs, and what they ask."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")

# Rows whose columns are made equally wide; tables of any length are printed as they come.
_ROWS_AT_ONCE = 200
# JSON may hold them as they are, but terminals act upon them, and halves of surrogate pairs have no encoding.
_UNSAFE_IN_JSON = re.compile("[\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def clean(text: str, *, lines: bool = False) -> str:
    """Text of others with escapes for everything that a terminal would act upon.

    Args:
        text: The text.
        lines: Whether line breaks and tabs stay as they are.
    """
    from invincible.client._outline.text import clean

    return clean(text, lines=lines)


def failure(message: object) -> click.ClickException:
    """The error that ends a command with exit code 1; the message may quote anything."""
    return click.ClickException(clean(str(message), lines=True))


def ask(question: str) -> None:
    """Ask on standard error whether something is meant. The question must be clean.

    Raises:
        ClickException: It is not, or nobody answers.
    """
    try:
        meant = click.confirm(question, err=True)
    except click.Abort as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        click.echo(err=True)
        raise failure("nothing was done: nobody answered; give --yes where there is nobody to ask") from None
    if not meant:
        raise failure("nothing was done")


def print_json(value: Any) -> None:
    """Print a value as JSON; times as ISO 8601, durations in seconds."""
    click.echo(_json(value))


class JsonArray:
    """A JSON array that is printed while it is made, item by item; whole in the end, even of no items."""

    def __enter__(self) -> JsonArray:
        self._opening = "["
        return self

    def add(self, value: Any) -> None:
        """Print one more item."""
        click.echo(f"{self._opening}\n{_indented(_json(value))}", nl=False)
        self._opening = ","

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            click.echo("[]" if self._opening == "[" else "\n]")


def console(*, stderr: bool = False) -> Console:
    """Where tables and colours go; plain text if it is no terminal.

    Texts of others go through :func:`clean`, and are printed with ``markup=False`` or as a ``Text``.

    Raises:
        ClickException: rich is not installed; the message says how to get it.
    """
    try:
        from rich.console import Console
    except ImportError:
        raise click.ClickException("this needs rich: pip install 'invincible[cli]' (or give --json)") from None
    return Console(stderr=stderr, highlight=False, soft_wrap=True)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str | Text]]) -> None:
    """Print rows under their headings as they come, as wide as they need to be: nothing is cut off.

    Args:
        columns: The headings.
        rows: The cells. Those that are ``str`` are printed as they are, but for what a terminal would act upon.
    """
    out = console()
    from rich.cells import cell_len
    from rich.text import Text

    widths = [cell_len(column) for column in columns]
    heading: list[Text] | None = [Text(column, style="bold") for column in columns]
    for batch in _batches(rows, _ROWS_AT_ONCE):
        cells = [[Text(clean(cell)) if isinstance(cell, str) else cell for cell in row] for row in batch]
        for row in cells:
            widths = [max(width, cell.cell_len) for width, cell in zip(widths, row, strict=True)]
        for row in [*([heading] if heading is not None else []), *cells]:
            line = Text()
            for width, cell in zip(widths, row, strict=True):
                line.append_text(cell)
                line.append(" " * (width - cell.cell_len + 2))
            line.rstrip()
            out.print(line)
        heading = None
    if heading is not None:
        out.print(Text("  ".join(columns), style="bold"))


def print_fields(fields: Iterable[tuple[str, str]]) -> None:
    """Print names and values, one pair a line; those without a value are left out."""
    shown = [(name, clean(value, lines=True)) for name, value in fields if value]
    width = max((len(name) for name, _ in shown), default=0) + 2
    for name, value in shown:
        indented = value.replace("\n", "\n" + " " * width)
        click.echo(f"{click.style(name, bold=True)}{' ' * (width - len(name))}{indented}")


def time_text(moment: datetime | None) -> str:
    """A time as people read it, in their own zone; empty for none."""
    return "" if moment is None else moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def ago_text(moment: datetime | None) -> str:
    """``5m 10s ago``, ``in 2h``; empty for none."""
    if moment is None:
        return ""
    passed = datetime.now(timezone.utc) - moment
    if abs(passed) < timedelta(seconds=1):
        return "now"
    whole = timedelta(seconds=int(abs(passed).total_seconds()))
    return f"{duration_text(whole)} ago" if passed > timedelta(0) else f"in {duration_text(whole)}"


def when_text(moment: datetime | None) -> str:
    """``2026-11-22 11:30:12 (4s ago)``; empty for none."""
    return "" if moment is None else f"{time_text(moment)} ({ago_text(moment)})"


def duration_text(duration: timedelta | None) -> str:
    """``850ms``, ``3.2s``, ``5m 10s``, ``2h 5m``, ``90d 3h``; empty for none."""
    from invincible.client._outline.text import duration_text

    return "" if duration is None else duration_text(duration)


def _batches(rows: Iterable[Sequence[Any]], size: int) -> Iterator[list[Sequence[Any]]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, size)):
        yield batch


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.split("\n"))


def _json(value: Any) -> str:
    utf8 = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") == "utf8"
    text = json.dumps(value, indent=2, default=_plain, ensure_ascii=not utf8)
    return _UNSAFE_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    raise TypeError(f"{type(value).__name__} has no form in JSON")
