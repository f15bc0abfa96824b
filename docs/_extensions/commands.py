"""What sphinx-click needs to know of our commands."""

from __future__ import annotations

import re
from dataclasses import fields

import click
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from invincible.cli import main
from invincible.cli._connection import Connection, connection_options

_CONNECTION = {field.name for field in fields(Connection)}


@click.command()
@connection_options
def connection() -> None:
    """Every command that talks to a server takes these options."""


def prepare(group: click.Group) -> None:
    """Gives the commands below a group their names, which only the groups know, and shows them without the options that
    most of them have."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        command.name = name
        if isinstance(command, click.Group):
            prepare(command)
        elif "grpc_meta" in {parameter.name for parameter in command.params}:
            for parameter in command.params:
                if isinstance(parameter, click.Option) and parameter.name in _CONNECTION:
                    parameter.hidden = True


def take_as_text(app: Sphinx, context: click.Context, lines: list[str]) -> None:
    """Keeps what help says from being read as markup."""
    lines[:] = [line if line.lstrip().startswith("..") else re.sub(r"([*`\\_])", r"\\\1", line) for line in lines]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Called by Sphinx, after sphinx-click."""
    app.connect("builder-inited", lambda app: prepare(main))
    for part in ("description", "options", "arguments", "epilog"):
        app.connect(f"sphinx-click-process-{part}", take_as_text)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
