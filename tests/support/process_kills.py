"""Open workflows on the processes of a worker, some of which are killed: nothing is lost, nothing is done twice.

python -m tests.support.process_kills ADDRESS --seconds 60 --every 5 --workflows 100 --processes 4
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import tempfile
import time
import uuid
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from invincible.client import Client
from invincible.worker import Worker, WorkerProcesses
from tests.support import process_workers
from tests.support.conditions import eventually


@dataclass
class Outcome:
    """What came of it.

    Attributes:
        kills: How many processes were killed.
        completed: How many workflows completed, each exactly once.
        steps: How many steps the histories have, all workflows together.
        runs: How many times an activity ran to its end; more than the steps where a process was killed between that
            and telling the server.
        seconds: How long it took.
    """

    kills: int
    completed: int
    steps: int
    runs: int
    seconds: float


async def kill_processes(
    client: Client, task_queue: str, *, processes: int, workflows: int, steps: int, kills: int, every: float
) -> Outcome:
    """Start the workflows, kill a process again and again, and wait for all results.

    Args:
        client: Connection.
        task_queue: A queue of its own.
        processes: How many there are.
        workflows: How many are started.
        steps: How many activities each workflow runs, one after the other.
        kills: How many processes are killed.
        every: Seconds between two kills.

    Raises:
        AssertionError: A workflow has not the result or not the history that it should have.
    """
    began = time.monotonic()
    settings = WorkerProcesses(processes, max_crashes=kills + 1, restart_backoff=timedelta(milliseconds=50))
    with tempfile.TemporaryDirectory() as folder:
        marks = Path(folder) / "marks"
        worker = Worker(
            client,
            task_queue=task_queue,
            workflows=process_workers.WORKFLOWS,
            activities=process_workers.ACTIVITIES,
            sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),
            processes=settings,
        )
        async with worker:
            options: dict[str, Any] = {"task_queue": task_queue, "task_timeout": timedelta(seconds=2)}
            handles = [
                await client.start_workflow(
                    process_workers.numbered_steps, args=[steps, str(marks)], id=f"{task_queue}-{number}", **options
                )
                for number in range(workflows)
            ]
            for _ in range(kills):
                await asyncio.sleep(every)
                await _kill_one(worker, processes)
            results = await asyncio.gather(*(handle.result() for handle in handles))
            assert results == [steps] * workflows
            for handle in handles:
                events = (await handle.fetch_history()).events
                done = [each for each in events if each.HasField("activity_task_completed_event_attributes")]
                ends = [each for each in events if each.HasField("workflow_execution_completed_event_attributes")]
                assert (len(done), len(ends)) == (steps, 1), handle.id
        runs = len(await asyncio.to_thread(marks.read_text))
    return Outcome(kills, len(results), steps * workflows, runs, time.monotonic() - began)


async def _kill_one(worker: Worker, processes: int) -> None:
    """Kill a process of those that run, once it is no less than all."""
    supervisor = worker._supervisor
    assert supervisor is not None

    async def running() -> list[int]:
        pids = [state["pid"] for state in supervisor.states() if state.get("state") == "running"]
        return pids if len(pids) == processes else []

    pids = await eventually(running, what="all processes run")
    os.kill(random.choice(pids), signal.SIGKILL)


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    for name, default in {"seconds": 60, "every": 5, "workflows": 100, "processes": 4, "steps": 400}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()

    async def run() -> Outcome:
        return await kill_processes(
            await Client.connect(given.address),
            f"kills-{uuid.uuid4()}",
            processes=given.processes,
            workflows=given.workflows,
            steps=given.steps,
            kills=given.seconds // given.every,
            every=given.every,
        )

    print(asyncio.run(run()))


if __name__ == "__main__":
    _main()
