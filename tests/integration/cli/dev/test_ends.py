"""`invincible dev`: how it ends, and what goes on when a part of it does."""

from __future__ import annotations

import os
import signal
import uuid
from contextlib import suppress
from pathlib import Path

import pytest

from invincible.client import Client
from tests.support.conditions import eventually
from tests.support.dev import SLOW, Dev, children, gone, running, write
from tests.support.processes import worker_processes


async def test_a_crash_of_the_worker_starts_it_again(
    project: Path, address: str, client: Client, task_queue: str
) -> None:
    crashing = SLOW.replace("await asyncio.sleep(600)", "os._exit(7)").replace(
        "seconds=60", "seconds=60), heartbeat_timeout=timedelta(seconds=1"
    )
    write(project, crashing)
    async with running(project, address, task_queue) as dev:
        handle = await client.start_workflow("waiting", id=str(uuid.uuid4()), task_queue=task_queue)
        crash = await dev.log("ended with exit code 7")
        assert crash["level"] == "WARNING"
        assert await handle.result() == "of the first code"


async def test_a_second_signal_ends_it_at_once(project: Path, address: str, client: Client, task_queue: str) -> None:
    write(project, SLOW)

    async def started() -> bool:
        return (project / "started-1").exists()

    async with running(project, address, task_queue, "--grace", "60s") as dev:
        await client.start_workflow("waiting", id=str(uuid.uuid4()), task_queue=task_queue)
        await eventually(started, what="the activity")
        processes = worker_processes(dev.pid)
        dev.send(signal.SIGTERM)
        await dev.log("takes no new tasks")

        async def ended() -> bool:
            # Signals that follow one another too quickly are taken for one.
            with suppress(ProcessLookupError):
                dev.send(signal.SIGTERM)
            await dev.exit_code(timeout=1)
            return True

        await eventually(ended, what="the end")
        assert await dev.exit_code() == 143
        await gone(processes)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP])
async def test_nothing_is_left_when_it_is_killed(project: Path, number: signal.Signals) -> None:
    async with Dev(project, "--port", "0", "--no-ui") as dev:
        await dev.event("ready")
        processes = children(dev.pid)
        assert len(processes) >= 2
        dev.send(number)
        assert await dev.exit_code() == -number
        await gone(processes)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 1)])
async def test_nothing_is_left_of_code_that_holds_the_interpreter(
    project: Path, address: str, client: Client, task_queue: str, number: signal.Signals, code: int
) -> None:
    # Matching takes years, and no other thread of the process can run meanwhile.
    write(project, SLOW.replace("await asyncio.sleep(600)", "__import__('re').match('(a+)+$', 'a' * 60 + 'b')"))
    async with running(project, address, task_queue) as dev:
        await client.start_workflow("waiting", id=str(uuid.uuid4()), task_queue=task_queue)

        async def started() -> bool:
            return (project / "started-1").exists()

        await eventually(started, what="the activity")
        processes = worker_processes(dev.pid)
        dev.send(number)
        assert await dev.exit_code() == code
        await gone(processes)


async def test_the_end_of_the_server_is_the_end_of_it(project: Path) -> None:
    async with Dev(project, "--port", "0", "--no-ui") as dev:
        await dev.event("ready")
        server = next(
            pid for pid in children(dev.pid) if b"--parent-pid" in (Path("/proc") / str(pid) / "cmdline").read_bytes()
        )
        os.kill(server, signal.SIGKILL)
        await dev.event("server-ended", message="the server has ended by itself")
        assert await dev.exit_code() == 1
