"""A worker that can be brought to a standstill, as a process of its own: `python -m tests.faults.stalled_worker`.

Arguments are the address of the server and the task queue. It prints where it tells of its health.
"""

from __future__ import annotations

import asyncio
import ctypes
import sys
from datetime import timedelta

from invincible import activity, workflow
from invincible.client import Client
from invincible.worker import Worker


@activity.defn(start_to_close_timeout=timedelta(seconds=60))
def hold_the_gil(seconds: int) -> None:
    ctypes.PyDLL(None).sleep(seconds)


@workflow.defn
async def hold(seconds: int) -> None:
    await hold_the_gil.execute(seconds)


async def main(address: str, task_queue: str) -> None:
    client = await Client.connect(address)
    worker = Worker(
        client,
        task_queue=task_queue,
        workflows=[hold],
        activities=[hold_the_gil],
        health_address="127.0.0.1:0",
        stall_timeout=timedelta(seconds=1),
    )
    async with worker:
        print(f"health at {worker.health_address}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
