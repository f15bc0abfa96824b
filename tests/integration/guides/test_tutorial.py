"""The tutorial, followed: its files and commands in the order of the page, in an empty folder."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.support import guides
from tests.support.processes import Program

PAGE = "tutorial.md"
_BLOCK = re.compile(r"^```(python|ini|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
# What differs each time.
_VARIES = {
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d": "DATE",
    r"\d\d:\d\d:\d\d": "TIME",
    r"[0-9a-f]{8}-[0-9a-f-]{27}": "RUN",
    r"\b\d+(\.\d+)?(ms|s|m)\b( \d+s\b)?": "DURATION",
    r" --address \S+": "",
    r"127\.0\.0\.1:\d+": "ADDRESS",
    r"[ \t]+": " ",
}


def steps() -> Iterator[tuple[str, str]]:
    """What the page has its reader do: the name and content of a file, or a command and what it prints."""
    for kind, content in _BLOCK.findall(guides.text(PAGE)):
        if kind == "console":
            for command, output in _COMMAND.findall(content):
                yield f"$ {command}", output
        else:
            yield content.split()[1], content


def normal(text: str) -> list[str]:
    for pattern, name in _VARIES.items():
        text = re.sub(pattern, name, text)
    return [line.strip() for line in text.strip().splitlines()]


class Terminals:
    """Runs the commands of the page in a folder: that of the server stays, the others end.

    Args:
        folder: Where they run.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = AsyncExitStack()
        self._ports = free_ports()
        self._dev: Program | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._ports[0]}"

    async def run(self, command: str, expected: str) -> None:
        if command.startswith("pip install"):
            return
        if command.startswith("pkill -KILL"):
            await self.kill()
        elif command.startswith("invincible dev"):
            await self._start(command, expected)
        else:
            async with self._program(command) as program:
                assert await program.exit_code(timeout=90) == 0, program.output
                assert normal(program.output) == normal(expected), program.output

    async def _start(self, command: str, expected: str) -> None:
        port, ui_port = self._ports
        program = self._program(f"{command} --port {port} --ui-port {ui_port}")
        self._dev = await self._server.enter_async_context(program)
        await self._dev.line("watching this folder", timeout=60)
        if expected:
            assert normal(self._dev.output) == normal(expected), self._dev.output

    async def kill(self) -> None:
        """Kills the server; what it has started ends by itself."""
        assert self._dev is not None
        # Its output is open for as long as one of its processes has it.
        self._dev.send(signal.SIGKILL)
        assert await self._dev.exit_code() == -signal.SIGKILL

    async def close(self) -> None:
        await self._server.aclose()

    def _program(self, command: str) -> Program:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        env = {"PATH": path, "TEMPORAL_ADDRESS": self.address, "COLUMNS": "120"}
        return Program("/bin/sh", "-c", f"cd '{self._folder}' && exec {command}", env=env)


def free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


@pytest.fixture
async def terminals(tmp_path: Path) -> AsyncIterator[Terminals]:
    terminals = Terminals(tmp_path)
    yield terminals
    await terminals.close()


async def test_the_tutorial_prints_what_it_says(terminals: Terminals, tmp_path: Path) -> None:
    for step, content in steps():
        if step.startswith("$ "):
            await terminals.run(step[2:], content)
        else:
            # Long enough to kill everything before the timer fires.
            shortened = content.replace("asyncio.sleep(30)", "asyncio.sleep(20)")
            (tmp_path / step).write_text(shortened.replace("localhost:7233", terminals.address), encoding="utf-8")
