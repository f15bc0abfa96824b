"""Program: gives a worker its work and waits until it is done. Prints one line of JSON."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
import uuid
from datetime import timedelta

from invincible.client import Client

# A benchmark that dies leaves no run open on the server for longer.
EXECUTION_TIMEOUT = timedelta(minutes=10)
STARTS_AT_A_TIME = 50


async def run_steps(client: Client, task_queue: str, workflows: int, steps: int) -> None:
    """Run `workflows` at the same time, each with `steps` activities one after the other."""

    async def one() -> None:
        result = await client.execute_workflow(
            "SequentialActivities",
            steps,
            id=f"steps-{uuid.uuid4()}",
            task_queue=task_queue,
            execution_timeout=EXECUTION_TIMEOUT,
            result_type=int,
        )
        if result != sum(range(steps)):
            raise RuntimeError(f"a workflow of {steps} steps returned {result}")

    await asyncio.gather(*[one() for _ in range(workflows)])


async def start_idle(client: Client, task_queue: str, workflows: int) -> None:
    """Start `workflows` runs that wait for a signal; return when all have come to wait."""
    starts = asyncio.Semaphore(STARTS_AT_A_TIME)

    async def one() -> None:
        async with starts:
            handle = await client.start_workflow(
                "Idle", id=f"idle-{uuid.uuid4()}", task_queue=task_queue, execution_timeout=EXECUTION_TIMEOUT
            )
            if not await handle.query("waiting", result_type=bool):
                raise RuntimeError(f"workflow {handle.id} does not wait")

    await asyncio.gather(*[one() for _ in range(workflows)])


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("task_queue")
    parser.add_argument("--workflows", type=int, required=True)
    parser.add_argument("--steps", type=int, help="activities of each workflow; without it, the workflows just wait")
    arguments = parser.parse_args()

    client = await Client.connect(arguments.address)
    start = time.monotonic()
    if arguments.steps is None:
        await start_idle(client, arguments.task_queue, arguments.workflows)
    else:
        await run_steps(client, arguments.task_queue, arguments.workflows, arguments.steps)
    print(json.dumps({"wall_seconds": time.monotonic() - start}), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
    # A native thread of the client that outlives the interpreter aborts the process now and then.
    os._exit(0)
