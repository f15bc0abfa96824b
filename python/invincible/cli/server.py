"""`invincible server`: the embedded server in the foreground."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from invincible.testing._server import ServerStartError, server_binary

_NAME = "invincible server"  # what the program calls itself in its help and its errors


@click.command(
    # The flags are the program's own, its --help among them.
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("flags", nargs=-1, type=click.UNPROCESSED)
def command(flags: tuple[str, ...]) -> None:
    """Run the embedded Temporal server with its Web UI. `invincible server --help` lists its flags."""
    try:
        program = server_binary()
    except ServerStartError as error:
        raise click.ClickException(str(error)) from None
    _become(program, server_flags(flags, terminal=sys.stdout.isatty()))


def server_flags(flags: Sequence[str], *, terminal: bool) -> list[str]:
    """The program's flags: people at a terminal are told where it serves in words, programs in one line of JSON."""
    as_json = "--json" in flags or not terminal
    return ["--output", "json" if as_json else "text", *(flag for flag in flags if flag != "--json")]


def _become(program: Path, flags: Sequence[str]) -> NoReturn:
    arguments = [_NAME, *flags]
    sys.stdout.flush()
    if os.name == "posix":
        # The server takes this process's place, so that signals and exit codes are its own.
        try:
            os.execv(program, arguments)
        except OSError as error:
            raise click.ClickException(f"cannot run the server {program}: {error.strerror}") from None
    # Ctrl-C reaches both; the server stops, and this process with it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    watched = [*arguments, "--parent-pid", str(os.getpid())]
    sys.exit(subprocess.Popen(watched, executable=program).wait())
