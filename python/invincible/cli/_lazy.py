"""Groups of commands whose modules are imported when they are used: the command starts quickly, whatever one needs."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click
from click.shell_completion import CompletionItem


class LazyGroup(click.Group):
    """A group whose command ``list-all`` is the attribute ``command`` of the module ``package.list_all``.

    Args:
        package: Where the modules are.
        summaries: One line of help for each command, in the order in which help lists them.
        attributes: What else a group takes.
    """

    def __init__(self, *, package: str, summaries: Mapping[str, str], **attributes: Any) -> None:
        super().__init__(**attributes)
        self._package = package
        self._summaries = summaries

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names."""
        return list(self._summaries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One command, imported; ``None`` if there is none of the name."""
        if cmd_name not in self._summaries:
            return None
        command: Any = importlib.import_module(f".{cmd_name.replace('-', '_')}", self._package).command
        assert isinstance(command, click.Command)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Names of commands and options, without an import of the commands."""
        found = [
            CompletionItem(name, help=line) for name, line in self._summaries.items() if name.startswith(incomplete)
        ]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without an import of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._summaries.items()))
