"""Standard input, output and error, whatever they are: closed, full, of an encoding that lacks characters."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

_CANNOT_WRITE = frozenset({errno.ENOSPC, errno.EIO, errno.EFBIG})


@contextmanager
def standard_streams() -> Iterator[None]:
    """Has commands read and print in the block without a care for what the streams are.

    Closed ones have nothing in them and keep nothing; what an encoding lacks is printed as an escape, ``\\u2713``. If
    there is no space for what is printed, the program ends with exit code 1.
    """
    # In the order of their numbers: each takes the lowest that is free.
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream: Any = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - until the program ends
        elif mode == "w" and getattr(stream, "errors", None) == "strict" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        yield
    except OSError as error:
        if error.filename is not None or error.errno not in _CANNOT_WRITE:
            raise
        _give_up_stdout()
        click.echo(f"Error: cannot print: {error.strerror}", err=True)
        sys.exit(1)


def _give_up_stdout() -> None:
    """What is left in its buffer would fail once more when the program ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
