"""The ``invincible`` command. Each subcommand has a module of its own, imported when it is used."""

from __future__ import annotations

import os
from typing import Any

import click

from ._lazy import LazyGroup
from ._streams import standard_streams

_INTERRUPTED = 130  # exit code

_SUMMARIES = {
    "activity": "Complete, fail and manage activities.",
    "batch": "Cancel, terminate, signal, reset or delete the workflows that a query finds.",
    "check": "Find workflow code that a replay may not repeat.",
    "codec-server": "Show the Web UI and other tools what payloads say.",
    "completion": "Print the completion script of a shell.",
    "dev": "Run a server and a worker that follows each edit.",
    "replay": "Run workflow code against recorded histories.",
    "schedule": "Have workflows started by the calendar.",
    "server": "Run the embedded Temporal server with its Web UI.",
    "worker": "Run workers.",
    "workflow": "Start workflows, talk to them, see what they did.",
}


def _print_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from ._versions import version_lines

        click.echo("\n".join(version_lines()))
        ctx.exit()


class _Main(LazyGroup):
    def main(self, *arguments: Any, **options: Any) -> Any:
        with standard_streams():
            return super().main(*arguments, **options)

    def invoke(self, ctx: click.Context) -> Any:
        if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
            ctx.color = False
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo(err=True)  # after ^C
            ctx.exit(_INTERRUPTED)


@click.command(
    cls=_Main,
    package=__name__,
    summaries=_SUMMARIES,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the versions."
)
def main() -> None:
    """Durable execution for Python on Temporal's Rust core."""
