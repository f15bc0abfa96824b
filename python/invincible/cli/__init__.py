"""The ``invincible`` command. Each subcommand has a module of its own, imported when it is used."""

from __future__ import annotations

import click

from ._lazy import LazyGroup

_SUMMARIES = {
    "check": "Find workflow code that a replay may not repeat.",
    "replay": "Run workflow code against recorded histories.",
    "server": "Run the embedded Temporal server with its Web UI.",
    "worker": "Run workers.",
}


def _print_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"invincible {version('invincible')}")
        ctx.exit()


@click.command(
    cls=LazyGroup,
    package=__name__,
    summaries=_SUMMARIES,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the version."
)
def main() -> None:
    """Durable execution for Python on Temporal's Rust core."""
