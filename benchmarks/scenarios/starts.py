"""Program: what a client's calls cost, without any worker. Prints one line of JSON.

Arguments: the server's address, and how many calls of each kind (``--calls``). It starts workflows on a task queue that
nobody polls, each with an argument of its own, then signals each of them, 50 calls at a time. Per kind of call, the
client's CPU microseconds and the calls per second of wall time:

    {"cpu_us_per_start": .., "starts_per_second": .., "cpu_us_per_signal": .., "signals_per_second": ..}
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from invincible import workflow
from invincible.client import Client

# The server is rid of a run soon after.
EXECUTION_TIMEOUT = timedelta(minutes=2)
CALLS_AT_A_TIME = 50
WARM_UP = 100


@dataclass
class Order:
    customer: str
    items: list[str]
    express: bool = False


@workflow.defn
class Shipping:
    @workflow.run
    async def run(self, order: Order) -> str:
        return order.customer

    @workflow.signal
    def hurry(self, order: Order) -> None:
        """Never handled: nobody polls."""


async def cost(calls: int, call: Callable[[int], Awaitable[object]]) -> tuple[float, float]:
    """CPU microseconds of this process per call, and calls per second."""
    numbers = iter(range(calls))

    async def caller() -> None:
        for number in numbers:
            await call(number)

    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*[caller() for _ in range(CALLS_AT_A_TIME)])
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return cpu / calls * 1e6, calls / wall


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("--calls", type=int, default=2_000)
    arguments = parser.parse_args()

    client = await Client.connect(arguments.address)
    prefix = uuid.uuid4()

    async def start(number: int) -> None:
        await client.start_workflow(
            Shipping.run,
            Order(f"customer {number}", ["book", "lamp"]),
            id=f"{prefix}-{number}",
            task_queue=f"nobody-{prefix}",
            execution_timeout=EXECUTION_TIMEOUT,
        )

    async def signal(number: int) -> None:
        handle = client.get_workflow_handle_for(Shipping.run, f"{prefix}-{number}")
        await handle.signal(Shipping.hurry, Order(f"customer {number}", ["book", "lamp"]))

    # What is made at the first calls, connections say, is not theirs alone.
    await cost(WARM_UP, lambda number: start(-1 - number))
    await cost(WARM_UP, lambda number: signal(-1 - number))
    starts = await cost(arguments.calls, start)
    signals = await cost(arguments.calls, signal)
    figures = {
        "cpu_us_per_start": starts[0],
        "starts_per_second": starts[1],
        "cpu_us_per_signal": signals[0],
        "signals_per_second": signals[1],
    }
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
    # A native thread of the client that outlives the interpreter aborts the process now and then.
    os._exit(0)
