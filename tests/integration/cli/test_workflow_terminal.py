"""What people see of `invincible workflow` on a terminal: a line that tells what is waited for, and Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import uuid
from collections.abc import AsyncIterator

import pytest

from invincible.client import Client, WorkflowExecutionStatus
from invincible.service import RPCError
from invincible.worker import Worker
from tests.support.conditions import eventually
from tests.support.server import server_process
from tests.support.terminal import Terminal

from .workflow_orders import ACTIVITIES, Order

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo terminals")


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


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
async def test_colours_can_be_turned_off(address: str, waiting: str, variables: dict[str, str]) -> None:
    for command in ("describe", "show", "result"):
        options = ("--timeout", "100ms") if command == "result" else ()
        terminal = Terminal(address, "workflow", command, waiting, *options, **variables)
        try:
            assert await terminal.ended() == (1 if options else 0)
            assert waiting in terminal.screen
            assert re.search(r"\x1b\[[\d;]*m", terminal.screen) is None
        finally:
            terminal.close()


async def test_ctrl_c_at_a_question(address: str, client: Client, waiting: str) -> None:
    terminal = Terminal(address, "workflow", "delete", waiting)
    try:
        await eventually(lambda: terminal.shows("for good? [y/N]: "), what="the command asks")
        terminal.process.send_signal(signal.SIGINT)
        assert await terminal.ended() == 130
        assert "Error" not in terminal.screen
    finally:
        terminal.close()
    assert (await client.get_workflow_handle(waiting).describe()).status is WorkflowExecutionStatus.RUNNING


async def test_a_server_that_goes_away_is_told_of_where_there_is_no_terminal(task_queue: str) -> None:
    async with server_process() as server:
        arguments = ["workflow", "execute", "Order", "-t", task_queue, "--id", "lost"]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "invincible.cli", *arguments),
            env={**os.environ, "TEMPORAL_ADDRESS": server.address},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            client = await Client.connect(server.address)

            async def is_there() -> bool:
                try:
                    return bool((await client.get_workflow_handle("lost").describe()).run_id)
                except RPCError:
                    return False

            await eventually(is_there, what="the workflow is started")
            await server.program.kill()
            assert process.stderr is not None
            said = (await asyncio.wait_for(process.stderr.readline(), 60)).decode()
        finally:
            process.kill()
            stdout, _ = await process.communicate()
    assert said == "workflow 'lost': the server does not answer\n"
    # Results go there, and nothing else.
    assert stdout == b""


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
