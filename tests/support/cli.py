"""The `invincible` command in this process, against a server."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from click.testing import CliRunner, Result

from invincible.cli import main


def run(*arguments: object, address: str | None = None, input: str | None = None) -> Result:
    """Runs the command. To be called in a thread where an event loop runs: it blocks."""
    environment = {} if address is None else {"TEMPORAL_ADDRESS": address}
    return CliRunner().invoke(main, [str(each) for each in arguments], env=environment, input=input)


class Command:
    """The command against one server, for tests with an event loop.

    Args:
        address: Where the server is.
    """

    def __init__(self, address: str) -> None:
        self._address = address

    async def __call__(self, *arguments: object, exit_code: int = 0, input: str | None = None) -> Result:
        """Runs the command, which must end with this exit code."""
        result = await asyncio.to_thread(run, *arguments, address=self._address, input=input)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == exit_code, result.output
        return result

    async def json(self, *arguments: object, exit_code: int = 0) -> Any:
        """Runs the command with `--json`, and returns what it printed."""
        return json.loads((await self(*arguments, "--json", exit_code=exit_code)).stdout)

    async def error(self, *arguments: object, exit_code: int = 1) -> str:
        """Runs a command that fails, and returns what it said on standard error, without a usage line."""
        result = await self(*arguments, exit_code=exit_code)
        assert result.stdout == ""
        return result.stderr.partition("Error: ")[2].strip()
