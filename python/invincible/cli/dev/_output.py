"""What ``invincible dev`` prints: lines for people, or JSON for programs."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import sys
import textwrap
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any, Protocol, TextIO

import click

from .._logging import JSONFormatter
from .._output import clean

_COLOURS = {"dev": "cyan", "server": "magenta"}
_LEVEL_COLOURS = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "red"}
_WIDTH = 7
# Of the lines after the first one: as wide as its time and its source.
_INDENT = 9 + _WIDTH + 1
# Lines of a text that begin with this are code or commands, which are copied: they are as long as they are.
_CODE = "    "
# Columns below which folding makes nothing easier to read.
_NARROWEST = 20
# What stands before the text of an item in a list, or in a table.
_ITEM_START = re.compile(r" *(?:- |\S.{,14}?  +)?")


class Output(Protocol):
    """Where everything goes."""

    def event(self, name: str, text: str, *, level: int = logging.INFO, **fields: Any) -> None:
        """Tell an event: a text for people, and fields for programs."""

    def screen(self, name: str, text: str, **fields: Any) -> None:
        """Tell an event for which people get a text of its own, without a time."""

    def bold(self, text: str) -> str:
        """Text that stands out, where it can."""
        ...

    def handler(self, explain: Callable[[logging.LogRecord], str]) -> logging.Handler:
        """For the log.

        Args:
            explain: What people are told in addition to a record; mostly nothing.
        """
        ...


class Lines:
    """Lines of one style, coloured on a terminal.

    Args:
        stream: Where to.
        log_format: ``text``, or ``json`` for the lines of the log.
    """

    def __init__(self, stream: TextIO, log_format: str = "text") -> None:
        self._stream = stream
        self._is_terminal = stream.isatty()
        self._colours = self._is_terminal and "NO_COLOR" not in os.environ
        self._log_format = log_format
        # Of the streams of the log as well.
        self._lock = threading.Lock()

    def event(self, name: str, text: str, *, level: int = logging.INFO, **fields: Any) -> None:
        """One line, or more that are indented."""
        self._write(self.line("dev", text, level=level))

    def screen(self, name: str, text: str, **fields: Any) -> None:
        """The text as it is; nothing where there is none."""
        if text:
            width = self._columns()
            self._write("\n".join(part for line in text.split("\n") for part in _folded(line, width)))

    def handler(self, explain: Callable[[logging.LogRecord], str]) -> logging.Handler:
        """Prints records between the other lines."""
        formatter = JSONFormatter() if self._log_format == "json" else _RecordFormatter(self, explain)
        return _Handler(formatter, self._write)

    def line(self, source: str, text: str, *, level: int = logging.INFO, moment: datetime | None = None) -> str:
        """A line with its time and its source; further lines of the text are indented."""
        time = (moment or datetime.now()).strftime("%H:%M:%S")
        word = logging.getLevelName(level) if level != logging.INFO else ""
        told = f"{word} {text}" if word else text
        # The echo of a Ctrl-C, after which a line may come.
        width = self._columns() - _INDENT - len("^C")
        first, *rest = [part for each in clean(told, lines=True).split("\n") for part in _folded(each, width)]
        if self._colours:
            time = click.style(time, dim=True)
            shown_source = click.style(f"{source:<{_WIDTH}}", fg=_COLOURS.get(source, "green"))
            if word:
                first = click.style(word, fg=_LEVEL_COLOURS.get(word), bold=True) + first[len(word) :]
        else:
            shown_source = f"{source:<{_WIDTH}}"
        return "\n".join([f"{time} {shown_source} {first}", *(f"{'':{_INDENT}}{each}".rstrip() for each in rest)])

    def bold(self, text: str) -> str:
        """Text that stands out on a terminal."""
        return click.style(text, bold=True) if self._colours else text

    def _columns(self) -> int:
        return shutil.get_terminal_size().columns if self._is_terminal else sys.maxsize

    def _write(self, text: str) -> None:
        with self._lock:
            _write(self._stream, text)


class JSONLines:
    """One JSON object in each line, with the fields ``time`` and ``event``.

    Args:
        stream: Where to.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def event(self, name: str, text: str, *, level: int = logging.INFO, **fields: Any) -> None:
        """The fields, and the text as ``message``."""
        self.screen(name, text, level=logging.getLevelName(level), message=text, **fields)

    def screen(self, name: str, text: str, **fields: Any) -> None:
        """The fields alone."""
        values = {"time": datetime.now(timezone.utc).isoformat(), "event": name, **fields}
        self._write(json.dumps(values, default=str))

    def bold(self, text: str) -> str:
        """The text."""
        return text

    def handler(self, explain: Callable[[logging.LogRecord], str]) -> logging.Handler:
        """Prints records as events ``log``."""
        return _Handler(JSONFormatter(), lambda text: self._write(f'{{"event": "log", {text[1:]}'))

    def _write(self, text: str) -> None:
        with self._lock:
            _write(self._stream, text)


class _Handler(logging.Handler):
    def __init__(self, formatter: logging.Formatter, write: Callable[[str], None]) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._write(self.format(record))
        except Exception:  # as every handler does
            self.handleError(record)


class _RecordFormatter(logging.Formatter):
    """Records in the style of the other lines."""

    def __init__(self, lines: Lines, explain: Callable[[logging.LogRecord], str]) -> None:
        super().__init__()
        self._lines = lines
        self._explain = explain

    def format(self, record: logging.LogRecord) -> str:
        """The lines."""
        text = record.getMessage()
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        if not record.name.startswith("invincible"):
            text = f"{record.name}: {text}"
        workflow = getattr(record, "temporal_workflow", None) or getattr(record, "temporal_activity", None)
        if isinstance(workflow, dict) and workflow.get("workflow_id"):
            text += f" ({workflow['workflow_id']})"
        if record.exc_text:
            text += f"\n{record.exc_text}"
        if explanation := self._explain(record):
            text += f"\n{explanation}"
        moment = datetime.fromtimestamp(record.created)
        return self._lines.line(source_of(record), text, level=record.levelno, moment=moment)


def _folded(line: str, width: int) -> list[str]:
    """A line in parts that a terminal does not break, and that stay below one another."""
    if len(line) <= width or width < _NARROWEST or line.startswith(_CODE):
        return [line]
    start = _ITEM_START.match(line)
    return textwrap.wrap(
        line,
        width,
        subsequent_indent=" " * (start.end() if start is not None else 0),
        expand_tabs=False,
        break_long_words=False,
        break_on_hyphens=False,
    )


def source_of(record: logging.LogRecord) -> str:
    """Who says it: ``dev``, ``server`` or ``worker``."""
    if record.name == "invincible.server":
        return "server"
    return "worker" if record.process != os.getpid() else "dev"


def _write(stream: TextIO, text: str) -> None:
    encoding = stream.encoding or "utf-8"
    # What the terminal has no characters for is written as an escape.
    text = text.encode(encoding, "backslashreplace").decode(encoding)
    with suppress(OSError, ValueError):  # the terminal is gone, which is no reason to leave anything running
        stream.write(f"{text}\n")
        stream.flush()


def output_to(stream: TextIO, *, as_json: bool, log_format: str) -> Output:
    """What prints to a stream."""
    return JSONLines(stream) if as_json else Lines(stream, log_format)
