"""Program: a worker that reports its own cost, one line of JSON for each line it reads, until its input ends."""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib
import json
import sys
import time
from typing import Any

import workflows  # type: ignore[import-not-found]

from invincible.client import Client
from invincible.worker import Worker


def anonymous_bytes() -> int:
    """Resident memory without mapped files: what a cached run adds to the process."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon:"))


def sample() -> dict[str, float]:
    # The clock first: the collection is no work of the worker's.
    cpu_seconds = time.process_time()
    gc.collect()
    return {"cpu_seconds": cpu_seconds, "memory_bytes": anonymous_bytes()}


async def serve(address: str, task_queue: str, options: dict[str, Any]) -> None:
    client = await Client.connect(address)
    worker = Worker(
        client,
        task_queue=task_queue,
        workflows=[workflows.SequentialActivities, workflows.Idle],
        activities=[workflows.step],
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
    parser.add_argument("--unsandboxed", action="store_true")
    arguments = parser.parse_args()

    options: dict[str, Any] = {}
    if arguments.unsandboxed:
        # Only the official SDK has a sandbox to do without.
        options["workflow_runner"] = importlib.import_module("invincible.worker").UnsandboxedWorkflowRunner()
    asyncio.run(serve(arguments.address, arguments.task_queue, options))


if __name__ == "__main__":
    main()
