"""The page about interceptors, followed on the real server."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from invincible import workflow
from invincible.client import Client
from invincible.worker import Worker
from tests.support.guides import first_program, follow


async def test_the_example(address: str, tmp_path: Path) -> None:
    program = tmp_path / "tokens.py"
    program.write_text(first_program("interceptors.md", address), encoding="utf-8")
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, str(program)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "paid 10\nForbidden: the caller may not do this\n"


@workflow.defn
class Door:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.query
    def is_open(self) -> bool:
        return False


async def test_functions_from_outside(client: Client, task_queue: str) -> None:
    names = await follow("interceptors.md", only=[1])
    reported: list[tuple[str, float]] = []
    timing = names["Timing"](lambda query, seconds: reported.append((query, seconds)))
    async with Worker(client, task_queue=task_queue, workflows=[Door], interceptors=[timing]):
        handle = await client.start_workflow(Door.run, id=task_queue, task_queue=task_queue)
        assert await handle.query(Door.is_open) is False
    ((query, seconds),) = reported
    assert query == "is_open"
    assert 0 < seconds < 60
