"""What people see of `invincible workflow` on a terminal: a line that tells what is waited for, and Ctrl-C."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import uuid
from collections.abc import AsyncIterator

import pytest

from invincible.client import Client, WorkflowExecutionStatus
from invincible.worker import Worker
from tests.support.conditions import eventually

from .workflow_orders import ACTIVITIES, Order

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo terminals")


class Terminal:
    """A command that runs on a pseudo terminal of 80 columns."""

    def __init__(self, address: str, *arguments: str) -> None:
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))
        self._master = master
        self.screen = ""
        environment = {**os.environ, "TEMPORAL_ADDRESS": address, "TERM": "xterm"}
        command = [sys.executable, "-m", "invincible.cli", *arguments]
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
        )
        os.close(slave)
        os.set_blocking(master, False)

    async def shows(self, text: str) -> bool:
        """Whether it has shown a text."""
        self._read()
        return text in self.screen

    async def ended(self) -> int:
        """Its exit code, once it has ended."""

        async def code() -> tuple[int] | None:
            self._read()
            found = self.process.poll()
            return None if found is None else (found,)

        (exit_code,) = await eventually(code, what=f"the command ends; it shows {self.screen!r}")
        self._read()
        return exit_code

    def close(self) -> None:
        """Ends it, if it has not ended."""
        self.process.kill()
        self.process.wait()
        os.close(self._master)

    def _read(self) -> None:
        try:
            while part := os.read(self._master, 65536):
                self.screen += part.decode(errors="replace").replace("\r\n", "\n")
        except OSError:  # nothing more now, or at all
            pass


@pytest.fixture
async def waiting(client: Client, task_queue: str) -> AsyncIterator[str]:
    """A workflow that waits to be approved."""
    async with Worker(client, task_queue=task_queue, workflows=[Order], activities=ACTIVITIES):
        workflow_id = f"order-{uuid.uuid4()}"
        await client.start_workflow(Order.run, args=["wait"], id=workflow_id, task_queue=task_queue)
        yield workflow_id


async def test_ctrl_c_leaves_the_workflow_and_says_how_to_go_on(address: str, client: Client, waiting: str) -> None:
    terminal = Terminal(address, "workflow", "result", waiting)
    try:
        line = f"waiting for workflow '{waiting}', "
        await eventually(lambda: terminal.shows(line), what="the command tells what it waits for")
        terminal.process.send_signal(signal.SIGINT)
        assert await terminal.ended() == 130
        assert f"workflow '{waiting}' goes on." in terminal.screen
        assert f"invincible workflow result {waiting}" in terminal.screen
        assert "Traceback" not in terminal.screen
    finally:
        terminal.close()
    assert (await client.get_workflow_handle(waiting).describe()).status is WorkflowExecutionStatus.RUNNING


async def test_follow_tells_what_is_waited_for_and_draws_the_end(address: str, client: Client, waiting: str) -> None:
    terminal = Terminal(address, "workflow", "show", waiting, "--follow")
    try:
        line = "… waits for a signal or an update, or a cancellation"
        await eventually(lambda: terminal.shows(line), what="the command tells what the workflow waits for")
        await client.get_workflow_handle(waiting).signal(Order.approve, "Ada")
        assert await terminal.ended() == 0
        plain = re.sub(r"\x1b\[[\d;]*[mK]", "", terminal.screen)
        assert '• signal approve("Ada")' in plain
        assert plain.endswith('result  {"approved by": "Ada"}\n')
        # The colours of the terminal are used.
        assert "\x1b[36m" in terminal.screen
    finally:
        terminal.close()


async def test_ctrl_c_ends_the_drawing(address: str, waiting: str) -> None:
    terminal = Terminal(address, "workflow", "show", waiting, "--follow")
    try:
        await eventually(lambda: terminal.shows("… waits for"), what="the command draws")
        terminal.process.send_signal(signal.SIGINT)
        assert await terminal.ended() == 130
        assert terminal.screen.endswith(f"workflow '{waiting}' goes on.\n")
    finally:
        terminal.close()


async def test_a_workflow_that_cannot_go_on_is_told_of_where_there_is_no_terminal(
    address: str, task_queue: str
) -> None:
    client = await Client.connect(address)
    # Its code wants an argument that it does not get: its workflow tasks fail, over and over.
    arguments = ["workflow", "execute", "Order", "-t", task_queue, "--id", f"stuck-{uuid.uuid4()}"]
    async with Worker(client, task_queue=task_queue, workflows=[Order], activities=ACTIVITIES):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "invincible.cli", *arguments),
            env={**os.environ, "TEMPORAL_ADDRESS": address},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            assert process.stderr is not None
            said = (await asyncio.wait_for(process.stderr.readline(), 60)).decode()
        finally:
            process.kill()
            await process.communicate()
        await client.get_workflow_handle(arguments[-1]).terminate()
    assert re.fullmatch(
        rf"workflow '{arguments[-1]}': its workflow task fails \(attempt \d+\), "
        rf"see `invincible workflow show {arguments[-1]}`\n",
        said,
    )
