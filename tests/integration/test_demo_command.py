"""The hello_ip demo in one command: what it prints, what it leaves behind, and how it is stopped."""

import os
import re
import signal
import sys

import aiohttp
import pytest

from tests.support.hello_ip import GREETING
from tests.support.processes import Program

RUN_URL = r"^http://127\.0\.0\.1:\d+/namespaces/default/workflows/getAddressFromIP-[0-9a-f-]{36}/[0-9a-f-]{36}/history$"


def demo_command(*, seconds: int = 0, keep: str = "") -> Program:
    command = (sys.executable, "-m", "examples.hello_ip.demo", "Ada", "--seconds", str(seconds))
    return Program(*command, env={"KEEP": keep})


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def process_id(demo: Program, step: str) -> int:
    """The process id in the line of a step."""
    found = re.search(r"process (\d+)$", await demo.line(rf"ok  {step} .* process \d+$", timeout=60))
    assert found is not None
    return int(found.group(1))


async def test_it_shows_its_steps_and_the_greeting_and_stops() -> None:
    async with demo_command() as demo:
        worker = await process_id(demo, "worker")
        await demo.line(f"^{re.escape(GREETING)}$", timeout=60)
        await demo.line(RUN_URL)
        await demo.line("ok  everything stopped")
        assert await demo.exit_code() == 0
        assert "\x1b" not in demo.output
        assert not is_running(worker)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_keep_leaves_everything_up_until_a_signal(number: signal.Signals) -> None:
    async with demo_command(keep="1") as demo:
        worker = await process_id(demo, "worker")
        url = await demo.line(RUN_URL, timeout=60)
        await demo.line("^Ctrl-C here stops everything")
        async with aiohttp.ClientSession() as http:
            async with http.get(url) as page:
                assert page.status == 200
            demo.send(number)
            assert await demo.exit_code() == 0
            with pytest.raises(aiohttp.ClientConnectorError):
                await http.get(url)
        assert not is_running(worker)


async def test_ctrl_c_half_way_stops_everything() -> None:
    async with demo_command(seconds=600) as demo:
        worker = await process_id(demo, "worker")
        await demo.line("ok  starter", timeout=60)
        demo.send(signal.SIGINT)
        assert await demo.exit_code() == 130
        assert not is_running(worker)


async def test_a_worker_that_dies_ends_the_demo() -> None:
    async with demo_command(seconds=600) as demo:
        worker = await process_id(demo, "worker")
        await demo.line("ok  starter", timeout=60)
        os.kill(worker, signal.SIGKILL)
        await demo.line("^The demo failed: the worker ended with exit code -9", timeout=60)
        assert await demo.exit_code() == 1
