"""Program: how long workflow tasks take in a worker that has a CPU-heavy activity beside them. Prints one line of JSON.

    tail.py ADDRESS [--workflows 50] [--steps 20] [--burning 1] [--unsandboxed]

The worker runs `--workflows` at the same time, each with `--steps` activities one after the other, while `--burning`
threads run an activity that computes in Python without a pause; 0 is for a worker that has nothing else to do. The
answer is `{"p50_ms": .., "p99_ms": .., "tasks": ..}`: the time from the scheduling of a task to its completion, as the
server has written them into the histories. Start it with the interpreter of the SDK whose name it imports.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import os
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import workflows  # type: ignore[import-not-found]

from invincible import activity, workflow
from invincible.client import Client, WorkflowHandle
from invincible.worker import Worker

# A benchmark that dies leaves no run open on the server for longer.
LIMIT = timedelta(minutes=10)

released = threading.Event()
burning = threading.Semaphore(0)


@activity.defn
def burn() -> int:
    """Computes until it is released."""
    burning.release()
    number = 1
    while not released.is_set():
        for _ in range(1000):
            number = (number * 1103515245 + 12345) % 2147483648
    return number


@workflow.defn
class Burning:
    @workflow.run
    async def run(self) -> int:
        return await workflow.execute_activity(burn, start_to_close_timeout=LIMIT)


def milliseconds_of_tasks(events: Any) -> list[float]:
    """What the workflow tasks of a history took, from their scheduling to their completion."""
    scheduled = {event.event_id: event.event_time.ToNanoseconds() for event in events}
    return [
        (event.event_time.ToNanoseconds() - scheduled[attributes.scheduled_event_id]) / 1e6
        for event in events
        if event.HasField("workflow_task_completed_event_attributes")
        for attributes in (event.workflow_task_completed_event_attributes,)
    ]


async def run(client: Client, task_queue: str, count: int, steps: int) -> list[WorkflowHandle[Any, Any]]:
    handles = [
        await client.start_workflow(
            "SequentialActivities", steps, id=f"tail-{uuid.uuid4()}", task_queue=task_queue, execution_timeout=LIMIT
        )
        for _ in range(count)
    ]
    await asyncio.gather(*[handle.result() for handle in handles])
    return handles


async def measure(arguments: argparse.Namespace, options: dict[str, Any]) -> dict[str, float]:
    client = await Client.connect(arguments.address)
    task_queue = f"tail-{uuid.uuid4()}"
    worker = Worker(
        client,
        task_queue=task_queue,
        workflows=[workflows.SequentialActivities, Burning],
        activities=[workflows.step, burn],
        **options,
    )
    async with worker:
        await run(client, task_queue, 5, 5)
        burners = []
        for _ in range(arguments.burning):
            burners.append(
                await client.start_workflow(Burning.run, id=f"burning-{uuid.uuid4()}", task_queue=task_queue)
            )
            await asyncio.to_thread(burning.acquire)
        handles = await run(client, task_queue, arguments.workflows, arguments.steps)
        released.set()
        await asyncio.gather(*[burner.result() for burner in burners])
        histories = [await handle.fetch_history() for handle in handles]
    took = sorted(time for history in histories for time in milliseconds_of_tasks(history.events))
    return {"p50_ms": took[len(took) // 2], "p99_ms": took[len(took) * 99 // 100], "tasks": len(took)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("--workflows", type=int, default=50)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--burning", type=int, default=1)
    parser.add_argument("--unsandboxed", action="store_true")
    arguments = parser.parse_args()

    options: dict[str, Any] = {}
    if "temporalio" in Worker.__module__:
        # The official SDK has no threads of its own for activities.
        options["activity_executor"] = ThreadPoolExecutor(100)
    if arguments.unsandboxed:
        # Only the official SDK has a sandbox to do without.
        options["workflow_runner"] = importlib.import_module("invincible.worker").UnsandboxedWorkflowRunner()
    print(json.dumps(asyncio.run(measure(arguments, options))), flush=True)
    # A native thread of the client that outlives the interpreter aborts the process now and then.
    os._exit(0)


if __name__ == "__main__":
    main()
