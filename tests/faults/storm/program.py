"""The worker programs: python -m tests.faults.storm.program ADDRESS QUEUE errands|processes."""

from __future__ import annotations

import sys
from datetime import timedelta

from invincible.client import Client
from invincible.worker import ActivityProcessExecutor, Worker, WorkerProcesses, run_worker
from tests.faults.storm import errands
from tests.faults.storm.trouble import Interceptors, data_converter

PROCESSES = 4
SLOTS = 10
GRACE = 4.0
# Polls of a server that was gone may wait for ten seconds before they are tried again.
KILL_AFTER = 14.0


def _errands(client: Client, queue: str) -> Worker:
    return Worker(
        client,
        task_queue=queue,
        workflows=errands.WORKFLOWS,
        activities=errands.ACTIVITIES,
        interceptors=[Interceptors()],
        max_concurrent_activities=SLOTS,
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),
        processes=WorkerProcesses(
            PROCESSES,
            max_crashes=1000,
            restart_backoff=timedelta(milliseconds=100),
            kill_after=timedelta(seconds=KILL_AFTER),
        ),
    )


def _processes(client: Client, queue: str) -> Worker:
    return Worker(
        client,
        task_queue=queue,
        activities=[errands.crunch],
        activity_executor=ActivityProcessExecutor(2),
        interceptors=[Interceptors()],
    )


async def _make(address: str, queue: str, kind: str) -> Worker:
    client = await Client.connect(address, data_converter=data_converter())
    return {"errands": _errands, "processes": _processes}[kind](client, queue)


async def _made() -> Worker:
    return await _make(*sys.argv[1:4])


if __name__ == "__main__":
    run_worker(_made, grace=timedelta(seconds=GRACE))
