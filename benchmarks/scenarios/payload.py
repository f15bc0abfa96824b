"""Program: what large payloads cost. Prints one line of JSON.

    payload.py [ADDRESS] [--echoes 20]

Through the default converter, bytes and text: milliseconds of CPU to encode and to decode 1 and 4 MB, and how many more
copies of a value the process holds at the peak. With the address of a server also milliseconds of CPU per
activity that takes 1 MB and returns it; client, workflow and activity are in this process.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import statistics
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from invincible import activity, workflow
from invincible.client import Client
from invincible.converter import PayloadConverter
from invincible.worker import Worker

MEGABYTE = 1_000_000
SIZES = (1, 4)
# So large that allocators give it back when it is freed.
LARGEST = 48
ROUNDS = 15
TIMEOUT = timedelta(seconds=30)


@activity.defn
async def echo(data: bytes) -> bytes:
    return data


@workflow.defn
class Echoes:
    @workflow.run
    async def run(self, data: bytes, count: int) -> int:
        returned = 0
        for _ in range(count):
            returned += len(await workflow.execute_activity(echo, data, start_to_close_timeout=TIMEOUT))
        return returned


def conversions() -> dict[str, float]:
    figures: dict[str, float] = {}
    for kind in (bytes, str):
        for step, function in _steps(kind, LARGEST).items():
            figures[f"{step} {kind.__name__}, copies held"] = _held_at_peak(function) / (LARGEST * MEGABYTE)
        for size in SIZES:
            for step, function in _steps(kind, size).items():
                spent = statistics.median(_milliseconds(function) for _ in range(ROUNDS))
                figures[f"{step} {size} MB of {kind.__name__}, ms"] = spent
    return figures


def _steps(kind: type[Any], size: int) -> dict[str, Callable[[], Any]]:
    converter = PayloadConverter.default
    value = kind(b"Some text, as it is found in documents. " * (size * MEGABYTE // 40), *["ascii"][: kind is str])
    payloads = converter.to_payloads([value])
    return {
        "encode": lambda: converter.to_payloads([value]),
        "decode": lambda: converter.from_payloads(payloads, [kind]),
    }


def _milliseconds(function: Callable[[], Any]) -> float:
    begin = time.process_time_ns()
    function()
    return (time.process_time_ns() - begin) / 1e6


def _held_at_peak(function: Callable[[], Any]) -> int:
    """Bytes by which resident memory grows at most while a function runs."""
    # Linux starts the high-water mark anew.
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = _memory("VmRSS")
    function()
    return _memory("VmHWM") - before


def _memory(name: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


async def echoed(address: str, count: int, options: dict[str, Any]) -> dict[str, float]:
    client = await Client.connect(address)
    task_queue = f"payload-{uuid.uuid4()}"
    data = bytes(MEGABYTE)

    async def run(times: int) -> float:
        begin = time.process_time()
        returned = await client.execute_workflow(
            Echoes.run,
            args=[data, times],
            id=f"echoes-{uuid.uuid4()}",
            task_queue=task_queue,
            execution_timeout=timedelta(minutes=2),
        )
        assert returned == MEGABYTE * times
        return time.process_time() - begin

    async with Worker(client, task_queue=task_queue, workflows=[Echoes], activities=[echo], **options):
        await run(2)
        return {"echo 1 MB of bytes, ms": (await run(count) - await run(0)) / count * 1e3}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("address", nargs="?")
    parser.add_argument("--echoes", type=int, default=20)
    parser.add_argument("--unsandboxed", action="store_true")
    arguments = parser.parse_args()
    options: dict[str, Any] = {}
    if arguments.unsandboxed:
        # Only the official SDK has a sandbox to do without.
        options["workflow_runner"] = importlib.import_module("invincible.worker").UnsandboxedWorkflowRunner()
    figures = conversions()
    if arguments.address is not None:
        figures |= asyncio.run(echoed(arguments.address, arguments.echoes, options))
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
