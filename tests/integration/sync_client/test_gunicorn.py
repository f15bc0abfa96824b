"""A gunicorn server with two worker processes, each of which runs workflows by the blocking client."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import urllib.request
from typing import Any

import pytest

from tests.support.processes import Program

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="gunicorn needs fork")


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=30) as response:
        return json.load(response)


@pytest.mark.parametrize("worker_class", ["sync", "gthread"])
@pytest.mark.parametrize("preload", [True, False], ids=["preload", "no preload"])
@pytest.mark.usefixtures("worker")
async def test_both_worker_processes_serve(address: str, task_queue: str, worker_class: str, preload: bool) -> None:
    command = [sys.executable, "-m", "gunicorn", "tests.integration.sync_client.app:application"]
    command += [
        "--bind=127.0.0.1:0",
        "--workers=2",
        f"--worker-class={worker_class}",
        "--threads=4",
        "--no-control-socket",
    ]
    command += ["--preload"] * preload
    env = {"TEST_ADDRESS": address, "TEST_TASK_QUEUE": task_queue}
    async with Program(*command, env=env) as gunicorn:
        url = (await gunicorn.line(r"Listening at: http://\S+")).partition("Listening at: ")[2].split()[0]
        served: dict[int, dict[str, Any]] = {}

        async def until_both_served() -> None:
            while len(served) < 2:
                answers = await asyncio.gather(*(asyncio.to_thread(get, f"{url}/{name}") for name in "abcd"))
                assert [answer["greeting"] for answer in answers] == [f"Hello, {name}" for name in "abcd"]
                served.update({answer["pid"]: answer for answer in answers})

        await asyncio.wait_for(until_both_served(), 60)
        assert gunicorn.pid not in served
        for pid, answer in served.items():
            assert (answer["imported_by"] == gunicorn.pid) is preload
            assert answer["identity"].startswith(f"{pid}@")
        gunicorn.send(signal.SIGTERM)
        assert await gunicorn.exit_code() == 0
    assert "Traceback" not in gunicorn.output
