"""`invincible dev` at a terminal."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import termios
from pathlib import Path
from typing import Any

from invincible.client import Client
from tests.support.conditions import eventually
from tests.support.dev import ORDERS, order, write


class Terminal:
    """The command at a terminal of its own, for the time of the block."""

    def __init__(self, folder: Path, *options: str, env: dict[str, str] | None = None) -> None:
        self._command = [sys.executable, "-m", "invincible", "dev", "orders.py", *options]
        self._folder = folder
        self._env = {**os.environ, "TERM": "xterm", **(env or {})}
        self.shown = ""
        self._from = 0

    async def sees(self, pattern: str) -> str:
        """Wait until something is shown that was not looked at before; what led up to it."""

        async def probe() -> re.Match[str] | None:
            return re.search(pattern, self.shown[self._from :])

        try:
            found = await eventually(probe, what=pattern, timeout=60)
        except AssertionError as error:
            raise AssertionError(f"{error}; shown:\n{self.shown}") from None
        part = self.shown[self._from : self._from + found.end()]
        self._from += found.end()
        return part

    @property
    def settings(self) -> list[Any]:
        return termios.tcgetattr(self._keyboard)

    def type(self, keys: str) -> None:
        os.write(self._keyboard, keys.encode())

    async def exit_code(self) -> int:
        return await asyncio.wait_for(self._process.wait(), 30)

    async def __aenter__(self) -> Terminal:
        self._keyboard, its_end = os.openpty()
        # A session of its own whose terminal this is, so that Ctrl-C reaches all of its processes.
        self._process = await asyncio.create_subprocess_exec(
            "setsid",
            "-c",
            *self._command,
            cwd=self._folder,
            env=self._env,
            stdin=its_end,
            stdout=its_end,
            stderr=its_end,
        )
        os.close(its_end)
        asyncio.get_running_loop().add_reader(self._keyboard, self._read)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        asyncio.get_running_loop().remove_reader(self._keyboard)
        os.close(self._keyboard)

    def _read(self) -> None:
        try:
            self.shown += os.read(self._keyboard, 4096).decode(errors="replace")
        except OSError:  # nobody has the other end any more
            asyncio.get_running_loop().remove_reader(self._keyboard)


async def test_a_breakpoint_in_a_workflow_can_be_used(project: Path, address: str, task_queue: str) -> None:
    write(project, ORDERS.replace("        return receipt", "        breakpoint()\n        return receipt"))
    client = await Client.connect(address)
    async with Terminal(project, "--address", address, "--task-queue", task_queue, "--debugger") as terminal:
        await terminal.sees("watching")
        handle = await order(client, task_queue)
        await handle.signal("ship")
        await terminal.sees(r"return receipt\r\n\(Pdb\) ")
        terminal.type("p receipt\n")
        await terminal.sees("'Ada paid 5.0'\r\n")
        terminal.type("c\n")
        assert await handle.result() == "Ada paid 5.0"
        handle = await order(client, task_queue)
        await handle.signal("ship")
        await terminal.sees(r"\(Pdb\) ")
        terminal.type("\x03")
        await terminal.sees("SIGINT: invincible dev takes no new tasks")
        await terminal.sees("(?s)had not ended .* is killed")
        await terminal.sees(r"1 of its\s+processes killed or crashed")
        assert await terminal.exit_code() == 1


async def test_the_terminal_is_as_it_was_after_a_second_ctrl_c(project: Path, address: str, task_queue: str) -> None:
    write(project, ORDERS.replace("    return f", "    breakpoint()\n    return f"))
    client = await Client.connect(address)
    options = ("--address", address, "--task-queue", task_queue, "--debugger", "--grace", "60s")
    async with Terminal(project, *options) as terminal:
        await terminal.sees("watching")
        settings = terminal.settings
        await order(client, task_queue)
        await terminal.sees(r"\(Pdb\) ")
        assert terminal.settings != settings, "the prompt reads keys by itself"
        terminal.type("\x03")
        await terminal.sees("SIGINT: invincible dev takes no new tasks")

        async def ended_at_once() -> bool:
            # Signals that follow one another too quickly are taken for one.
            terminal.type("\x03")
            return "ended at once" in terminal.shown

        await eventually(ended_at_once, what="the end")
        assert await terminal.exit_code() == 130
        assert terminal.settings == settings


async def test_a_terminal_has_colours_and_ctrl_c(project: Path, address: str, task_queue: str) -> None:
    options = ("--address", address, "--task-queue", task_queue)
    async with Terminal(project, *options) as terminal:
        assert "\x1b[1minvincible dev" in await terminal.sees("watching")
        terminal.type("\x03")
        await terminal.sees("\x1b\\[36mdev.*has ended")
        assert await terminal.exit_code() == 0
    async with Terminal(project, *options, env={"NO_COLOR": "1"}) as terminal:
        assert "\x1b" not in await terminal.sees("watching")
