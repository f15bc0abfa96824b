"""`invincible server`: the embedded server in the foreground."""

from __future__ import annotations

import os
import subprocess
import sys

import click

from invincible.testing._server import ServerError, server_binary


@click.command(
    add_help_option=False, context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}
)
@click.argument("flags", nargs=-1, type=click.UNPROCESSED)
def command(flags: tuple[str, ...]) -> None:
    """Run the embedded Temporal server with its Web UI. `invincible server --help` lists its flags."""
    try:
        program = server_binary()
    except ServerError as error:
        raise click.ClickException(str(error)) from None
    arguments = [str(program), *flags]
    if os.name == "posix":
        # The server takes this process's place, so that signals and exit codes are its own.
        sys.stdout.flush()
        os.execv(program, arguments)
    raise SystemExit(subprocess.run(arguments, check=False).returncode)
