"""Program: a worker that reports its own cost, one line of JSON for each line it reads, until its input ends.

`--activity` says how it runs the steps of its workflows: as `async def` activities, as `def` activities on threads, or
as local activities. Whoever starts the workflows need not know.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import workflows  # type: ignore[import-not-found]

from invincible.client import Client
from invincible.worker import Worker

# Of each SDK, by default.
ACTIVITY_SLOTS = 100


def anonymous_bytes() -> int:
    """Resident memory without mapped files: what a cached run adds to the process."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon:"))


def sample() -> dict[str, float]:
    # The clock first: the collection is no work of the worker's.
    cpu_seconds = time.process_time()
    gc.collect()
    return {"cpu_seconds": cpu_seconds, "memory_bytes": anonymous_bytes()}


async def serve(address: str, task_queue: str, activity: str, options: dict[str, Any]) -> None:
    client = await Client.connect(address)
    sequential = workflows.SequentialLocalActivities if activity == "local" else workflows.SequentialActivities
    if activity == "thread" and "temporalio" in Worker.__module__:
        # The official SDK has no threads of its own for them.
        options["activity_executor"] = ThreadPoolExecutor(ACTIVITY_SLOTS)
    worker = Worker(
        client,
        task_queue=task_queue,
        workflows=[sequential, workflows.Idle],
        activities=[workflows.step_in_thread if activity == "thread" else workflows.step],
        **options,
    )
    async with worker:
        print(json.dumps({"ready": True}), flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps(sample()), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("task_queue")
    parser.add_argument("--activity", choices=("async", "thread", "local"), default="async")
    parser.add_argument("--unsandboxed", action="store_true")
    arguments = parser.parse_args()

    options: dict[str, Any] = {}
    if arguments.unsandboxed:
        # Only the official SDK has a sandbox to do without.
        options["workflow_runner"] = importlib.import_module("invincible.worker").UnsandboxedWorkflowRunner()
    asyncio.run(serve(arguments.address, arguments.task_queue, arguments.activity, options))


if __name__ == "__main__":
    main()
