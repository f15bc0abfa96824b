"""Programs: what a second process of a worker, or of a replay, adds.

    processes.py worker ADDRESS TASK_QUEUE [--processes 2]
    processes.py drive ADDRESS TASK_QUEUE [--activities 120] [--cpu-ms 100]
    processes.py replay HISTORY MODULE WORKFLOW [--processes 2] [--runs 300]

`worker` prints {"ready": true} once all its processes poll, and ends with its input. Only `invincible` has
`Worker(processes=...)`.

`drive` gives the worker activities that take so much CPU time each, by workflows that run one after the other, and
prints {"activities": .., "wall_seconds": .., "cpu_seconds": ..}, the last being what the activities took. With 100 ms
each, the server on the same machine has little to do.

`replay` has so many processes replay a history `--runs` times each, at the same time, and prints
{"events": .., "wall_seconds": .., "cpu_seconds": ..}, the sums over its processes from the moment when all are ready.
The CPU seconds of one process per second say how much of a second core it takes already, for Core's threads.

The figures are activities and events per wall second, with two processes against one: both need an idle machine with
two cores.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import os
import subprocess
import sys
import time
import uuid
from datetime import timedelta
from pathlib import Path

from invincible import activity, workflow
from invincible.client import Client
from invincible.worker import Replayer, Worker

# A benchmark that dies leaves no run open on the server for longer.
EXECUTION_TIMEOUT = timedelta(minutes=10)
WORKFLOWS = 20
WARM_UP_ACTIVITIES = 20
WARM_UP_RUNS = 20


@activity.defn
def compute(cpu_seconds: float) -> float:
    """Takes the GIL for that much CPU time of its thread, however long that is by the clock."""
    begin = time.thread_time()
    while (spent := time.thread_time() - begin) < cpu_seconds:
        sum(range(1000))
    return spent


@workflow.defn
class Computing:
    @workflow.run
    async def run(self, count: int, cpu_seconds: float) -> float:
        spent = 0.0
        for _ in range(count):
            spent += await workflow.execute_activity(compute, cpu_seconds, start_to_close_timeout=timedelta(minutes=1))
        return spent


async def serve(address: str, task_queue: str, processes: int) -> None:
    client = await Client.connect(address)
    worker = Worker(
        client,
        task_queue=task_queue,
        workflows=[Computing],
        activities=[compute],
        # What one process cannot begin is for the other one.
        max_concurrent_activities=2,
        processes=processes if processes > 1 else None,
    )
    async with worker:
        print(json.dumps({"ready": True}), flush=True)
        await asyncio.to_thread(sys.stdin.read)


async def drive(address: str, task_queue: str, activities: int, cpu_seconds: float) -> None:
    client = await Client.connect(address)

    async def one(count: int) -> float:
        return await client.execute_workflow(
            Computing.run,
            args=[count, cpu_seconds],
            id=f"computing-{uuid.uuid4()}",
            task_queue=task_queue,
            execution_timeout=EXECUTION_TIMEOUT,
        )

    await asyncio.gather(*[one(WARM_UP_ACTIVITIES // WORKFLOWS) for _ in range(WORKFLOWS)])
    each = activities // WORKFLOWS
    begin = time.monotonic()
    spent = await asyncio.gather(*[one(each) for _ in range(WORKFLOWS)])
    figures = {
        "activities": each * WORKFLOWS,
        "wall_seconds": time.monotonic() - begin,
        "cpu_seconds": sum(spent),
    }
    print(json.dumps(figures), flush=True)


def replay(arguments: list[str], processes: int) -> None:
    """Have so many processes do the same at the same time, and sum up."""
    command = [sys.executable, __file__, "replaying", *arguments]
    children = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(processes)
    ]
    for child in children:
        assert child.stdout is not None
        child.stdout.readline()
    begin = time.monotonic()
    # At once: what comes first waits for nobody.
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    answers = [json.loads(child.communicate()[0].splitlines()[-1]) for child in children]
    # Each process is timed by itself: its end is no part of it.
    last = max(answer["end"] for answer in answers)
    figures = {
        "events": sum(answer["events"] for answer in answers),
        "wall_seconds": last - begin,
        "cpu_seconds": sum(answer["cpu_seconds"] for answer in answers),
    }
    print(json.dumps(figures), flush=True)


async def replaying(path: Path, module: str, name: str, runs: int) -> None:
    scenario = importlib.import_module("replay")
    histories = scenario.copies(path)
    replayer = Replayer(workflows=[getattr(importlib.import_module(module), name)])
    await replayer.replay_workflows(aiter(scenario.Feed(histories, 0, WARM_UP_RUNS)))
    print(json.dumps({"ready": True}), flush=True)
    sys.stdin.readline()
    begin = time.process_time()
    await replayer.replay_workflows(aiter(scenario.Feed(histories, 0, runs)))
    figures = {
        "events": runs * len(histories[0].events),
        "cpu_seconds": time.process_time() - begin,
        # The clock of the machine, which the parent reads, too.
        "end": time.monotonic(),
    }
    print(json.dumps(figures), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parts = parser.add_subparsers(dest="part", required=True)
    worker, driver = parts.add_parser("worker"), parts.add_parser("drive")
    for each in (worker, driver):
        each.add_argument("address")
        each.add_argument("task_queue")
    driver.add_argument("--activities", type=int, default=120)
    driver.add_argument("--cpu-ms", type=float, default=100.0)
    replays = parts.add_parser("replay"), parts.add_parser("replaying")
    for each in replays:
        each.add_argument("history", type=Path)
        each.add_argument("module")
        each.add_argument("workflow")
        each.add_argument("--runs", type=int, default=300)
    for each in (worker, replays[0]):
        each.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()

    if arguments.part == "worker":
        asyncio.run(serve(arguments.address, arguments.task_queue, arguments.processes))
    elif arguments.part == "drive":
        asyncio.run(drive(arguments.address, arguments.task_queue, arguments.activities, arguments.cpu_ms / 1000))
        # A native thread of the client that outlives the interpreter aborts the process now and then.
        os._exit(0)
    elif arguments.part == "replay":
        options = [str(arguments.history), arguments.module, arguments.workflow, "--runs", str(arguments.runs)]
        replay(options, arguments.processes)
    else:
        asyncio.run(replaying(arguments.history, arguments.module, arguments.workflow, arguments.runs))


if __name__ == "__main__":
    main()
