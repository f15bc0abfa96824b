"""Programs around `run_worker`, for tests that end them: python -m tests.support.process_program ADDRESS QUEUE HOW."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta

from invincible.client import Client
from invincible.worker import Worker, WorkerProcesses, run_worker
from tests.support import process_workers

ADDRESS, QUEUE, HOW = sys.argv[1:4] if len(sys.argv) > 3 else ("", "", "")


async def make() -> Worker:
    if HOW == "fails":
        raise LookupError("no such thing")
    if HOW == "slow":
        print("connecting", flush=True)
        await asyncio.Event().wait()
    client = await Client.connect(ADDRESS)
    processes = {
        "processes": WorkerProcesses(2, kill_after=timedelta(seconds=20)),
        "stubborn-processes": WorkerProcesses(2, kill_after=timedelta(seconds=1)),
    }
    return Worker(
        client,
        task_queue=QUEUE,
        workflows=process_workers.WORKFLOWS,
        activities=process_workers.ACTIVITIES,
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),
        graceful_shutdown_timeout=timedelta(seconds=1) if HOW == "stubborn-processes" else None,
        processes=processes.get(HOW),
    )


if __name__ == "__main__":
    run_worker(make, grace=timedelta(seconds=20))
