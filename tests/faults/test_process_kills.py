"""Worker processes that are killed while they have work: every workflow completes, and none twice."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import Any

from invincible.client import Client
from tests.support import process_workers
from tests.support.process_kills import kill_processes
from tests.support.processes import Program


async def test_killed_processes_lose_no_workflow(client: Client, task_queue: str) -> None:
    outcome = await kill_processes(client, task_queue, processes=3, workflows=20, steps=20, kills=3, every=0.3)
    assert (outcome.kills, outcome.completed, outcome.steps) == (3, 20, 400)
    assert outcome.runs >= 400


async def test_sigterm_under_load_loses_no_step(client: Client, address: str, task_queue: str) -> None:
    """What one program has begun, it completes before it ends; the next one goes on from there."""
    program = [sys.executable, "-m", "tests.support.process_program", address, task_queue, "processes"]
    options: dict[str, Any] = {"task_queue": task_queue}
    handles = [
        await client.start_workflow(process_workers.steps, 20, id=f"{task_queue}-{number}", **options)
        for number in range(30)
    ]
    async with Program(*program) as first:
        await first.line("is running", timeout=60)
        await asyncio.wait([asyncio.ensure_future(handle.result()) for handle in handles[:1]], timeout=0.3)
        first.send(signal.SIGTERM)
        assert await first.exit_code() == 0
        assert "all tasks completed" in first.output
    async with Program(*program) as second:
        await second.line("is running", timeout=60)
        assert await asyncio.gather(*(handle.result() for handle in handles)) == [20] * 30
    for handle in handles:
        events = (await handle.fetch_history()).events
        attempts = [
            each.activity_task_started_event_attributes.attempt
            for each in events
            if each.HasField("activity_task_started_event_attributes")
        ]
        assert attempts == [1] * 20
