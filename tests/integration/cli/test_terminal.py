"""What people see of batches and replays on a terminal: how far they are."""

from __future__ import annotations

import asyncio
import uuid

from invincible import workflow
from invincible.client import Client
from invincible.worker import Worker
from tests.support.conditions import eventually
from tests.support.terminal import Terminal


@workflow.defn
async def naps() -> None:
    await asyncio.sleep(0.01)


async def test_a_batch_has_a_bar(client: Client, address: str) -> None:
    type = f"Type-{uuid.uuid4()}"
    query = f"WorkflowType = '{type}'"
    for number in range(3):
        await client.start_workflow(type, id=f"{type}-{number}", task_queue="nobody")

    async def found() -> bool:
        return (await client.count_workflows(query)).count == 3

    await eventually(found, what="the workflows are found")
    terminal = Terminal(address, "batch", "terminate", "--query", query, "--reason", "why", "--yes")
    try:
        assert await terminal.ended() == 0
        bar, erased, end = terminal.screen.rpartition("\x1b[2K")
        assert "terminate 3 workflows" in bar
        assert "3/3" in bar
        assert erased
        assert "batch operation " in end
        assert end.endswith(" completed: 3 of 3 done\n")
    finally:
        terminal.close()


async def test_a_replay_counts(client: Client, address: str, task_queue: str) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[naps]):
        for number in range(2):
            await client.execute_workflow(naps, id=f"{task_queue}-{number}", task_queue=task_queue)
    ids = ("--workflow-id", f"{task_queue}-0", "--workflow-id", f"{task_queue}-1")
    terminal = Terminal(address, "replay", "--workflow", f"{__name__}:naps", *ids)
    try:
        assert await terminal.ended() == 0
        erase = "\r\x1b[K"
        assert terminal.screen.startswith(f"{erase}replaying{erase}ok      {task_queue}-0 (naps '{task_queue}-0')\n")
        assert f"{erase}1 replayed, 0 failed{erase}ok      {task_queue}-1 " in terminal.screen
        assert terminal.screen.endswith(f"{erase}2 replayed, all fit\n")
    finally:
        terminal.close()
