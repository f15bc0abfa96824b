"""Program: the worker under load, until its input ends."""

from __future__ import annotations

import asyncio
import logging
import sys

from benchmarks.soak.program import ACTIVITIES, TASK_QUEUE, WORKFLOWS
from invincible.client import Client
from invincible.worker import Worker


async def main(address: str) -> None:
    # Some activities fail as they should.
    logging.getLogger("invincible.worker").setLevel(logging.ERROR)
    client = await Client.connect(address)
    async with Worker(client, task_queue=TASK_QUEUE, workflows=WORKFLOWS, activities=ACTIVITIES):
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
