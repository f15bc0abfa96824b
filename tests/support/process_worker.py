"""A program with activities in processes, which does not tidy up: `python -m tests.support.process_worker ADDRESS
TASK_QUEUE MARK`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

from invincible.client import Client
from invincible.worker import ActivityProcessExecutor, Worker
from tests.support import process_activities as activities


async def main(address: str, task_queue: str, mark: str) -> None:
    client = await Client.connect(address)
    executor = ActivityProcessExecutor()
    both: list[Callable[..., Any]] = [activities.process_id, activities.sleeps]
    async with Worker(client, task_queue=task_queue, activities=both, activity_executor=executor):
        options: dict[str, Any] = {"task_queue": task_queue, "start_to_close_timeout": activities.MINUTE}
        first = await client.start_activity("process_id", id=f"{task_queue}-first", **options)
        print(f"ran in {await first.result()}")
        if mark:
            second = await client.start_activity("sleeps", mark, id=f"{task_queue}-second", **options)
            await second.result()
    print("done")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
