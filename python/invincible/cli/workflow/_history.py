"""Where the histories to show come from, and how they are kept in files."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .._output import failure

if TYPE_CHECKING:
    from invincible.client import WorkflowHistory


def read_history(file: Path) -> WorkflowHistory:
    """The history in a JSON file, gzipped or not.

    Raises:
        ClickException: It is none, or cannot be read.
    """
    from invincible.client import WorkflowHistory

    try:
        with click.open_file(str(file), "rb") as source:
            content = source.read()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        history = WorkflowHistory.from_json(file.name.partition(".")[0], content.decode())
    except OSError as error:
        raise failure(f"{file} cannot be read: {error.strerror or error}") from None
    except (EOFError, ValueError) as error:
        raise failure(f"{file} is no history: {error}") from None
    if not history.events:
        raise failure(f"{file} is no history: it has no events")
    return history


def write_history(history: WorkflowHistory, file: Path) -> None:
    """Writes a history as JSON, gzipped if the name ends so. The file appears as a whole.

    Raises:
        ClickException: It cannot be written.
    """
    content = (history.to_json() + "\n").encode()
    if file.suffix == ".gz":
        content = gzip.compress(content, mtime=0)
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        partial.write_bytes(content)
        partial.replace(file)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise failure(f"{file} cannot be written: {error.strerror or error}") from None
