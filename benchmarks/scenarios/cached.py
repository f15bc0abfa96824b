"""Programs: workflow tasks of a worker that has many idle runs in its cache.

    cached.py worker ADDRESS TASK_QUEUE [--cache 3300] [--unsandboxed]
    cached.py drive ADDRESS TASK_QUEUE [--idle 3000] [--runs 50] [--tasks 5000]

`worker` prints {"ready": true}, then {"cpu_seconds": ..} for each line that it reads. It ends with its input.

`drive` has three parts. It starts `--idle` runs that wait, and `--runs` runs that answer updates; prints
{"idle": .., "ready": true} and waits for a line; has the runs answer `--tasks` updates, one after the other for each
run, which is a workflow task for each; and prints {"tasks": .., "wall_seconds": .., "replayed": ..}: how many of up to
50 idle runs were not in the cache any more, which is to be 0. One and the same driver serves for both SDKs.

The rate with 3,000 idle runs as a share of the same worker's rate with 100 is the figure: workers look at every run in
their cache for every task.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import os
import sys
import time
import uuid
from datetime import timedelta
from typing import Any

from invincible import workflow
from invincible.client import Client, WorkflowHandle
from invincible.worker import Worker

# A benchmark that dies leaves no run open on the server for longer.
EXECUTION_TIMEOUT = timedelta(minutes=10)
STARTS_AT_A_TIME = 50
WARM_UP_TASKS = 200
LOOKED_AT = 50


@workflow.defn
class Answering:
    """Answers updates until the benchmark is over."""

    @workflow.run
    async def run(self) -> None:
        self.replayed = workflow.unsafe.is_replaying()
        await workflow.wait_condition(lambda: False)

    @workflow.query
    def has_left_cache(self) -> bool:
        return self.replayed

    @workflow.update
    def answer(self, number: int) -> int:
        return number


async def serve(address: str, task_queue: str, cache: int, options: dict[str, Any]) -> None:
    client = await Client.connect(address)
    worker = Worker(client, task_queue=task_queue, workflows=[Answering], max_cached_workflows=cache, **options)
    async with worker:
        print(json.dumps({"ready": True}), flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps({"cpu_seconds": time.process_time()}), flush=True)


async def start(client: Client, task_queue: str, runs: int) -> list[WorkflowHandle[Any, Any]]:
    """Start runs and return when each has answered."""
    starts = asyncio.Semaphore(STARTS_AT_A_TIME)

    async def one() -> WorkflowHandle[Any, Any]:
        async with starts:
            handle: WorkflowHandle[Any, Any] = await client.start_workflow(
                "Answering", id=f"answering-{uuid.uuid4()}", task_queue=task_queue, execution_timeout=EXECUTION_TIMEOUT
            )
            await handle.execute_update("answer", 0)
            return handle

    return await asyncio.gather(*[one() for _ in range(runs)])


async def ask(handles: list[WorkflowHandle[Any, Any]], tasks: int) -> None:
    """Have the runs answer at the same time, each one update after the other."""

    async def one(handle: WorkflowHandle[Any, Any], updates: int) -> None:
        for number in range(updates):
            if await handle.execute_update("answer", number, result_type=int) != number:
                raise RuntimeError(f"workflow {handle.id} gave a wrong answer")

    await asyncio.gather(*[one(handle, tasks // len(handles)) for handle in handles])


async def drive(address: str, task_queue: str, idle: int, runs: int, tasks: int) -> None:
    client = await Client.connect(address)
    waiting = await start(client, task_queue, idle)
    busy = await start(client, task_queue, runs)
    await ask(busy, WARM_UP_TASKS)
    print(json.dumps({"idle": idle, "ready": True}), flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    begin = time.monotonic()
    await ask(busy, tasks)
    spent = time.monotonic() - begin
    replayed = sum([await handle.query("has_left_cache", result_type=bool) for handle in waiting[:LOOKED_AT]])
    result = {"tasks": tasks // runs * runs, "wall_seconds": spent, "replayed": replayed}
    print(json.dumps(result), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("part", choices=["worker", "drive"])
    parser.add_argument("address")
    parser.add_argument("task_queue")
    parser.add_argument("--cache", type=int, default=3300)
    parser.add_argument("--idle", type=int, default=3000)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--tasks", type=int, default=5000)
    parser.add_argument("--unsandboxed", action="store_true")
    arguments = parser.parse_args()

    if arguments.part == "drive":
        asyncio.run(drive(arguments.address, arguments.task_queue, arguments.idle, arguments.runs, arguments.tasks))
        # A native thread of the client that outlives the interpreter aborts the process now and then.
        os._exit(0)
    options: dict[str, Any] = {}
    if arguments.unsandboxed:
        # Only the official SDK has a sandbox to do without.
        options["workflow_runner"] = importlib.import_module("invincible.worker").UnsandboxedWorkflowRunner()
    asyncio.run(serve(arguments.address, arguments.task_queue, arguments.cache, options))


if __name__ == "__main__":
    main()
