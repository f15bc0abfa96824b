"""A worker of Temporal's Go SDK as a process: tests/interop/worker, built, started and stopped."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from invincible.api.nexus.v1 import EndpointSpec, EndpointTarget
from invincible.api.operatorservice.v1 import (
    CreateNexusEndpointRequest,
    CreateNexusEndpointResponse,
    DeleteNexusEndpointRequest,
    DeleteNexusEndpointResponse,
)
from invincible.client import Client

MODULE = Path(__file__).resolve().parents[1] / "interop"
# As in the Makefile, so that both share Go's build cache.
BUILD_SETTINGS = {"GOFLAGS": "-trimpath", "CGO_ENABLED": "0"}
START_TIMEOUT = 30.0
STOP_TIMEOUT = 10.0


@dataclass(frozen=True)
class GoWorker:
    """A Go worker that polls.

    Attributes:
        process: Its process.
        task_queue: The task queue it serves.
    """

    process: asyncio.subprocess.Process
    task_queue: str


def build(directory: Path) -> Path:
    """Build the worker into a directory, unless the one there is up to date, and return the program.

    Several processes may do so at a time.

    Raises:
        RuntimeError: Go is missing, or the worker does not compile.
    """
    program = directory / ("worker.exe" if os.name == "nt" else "worker")
    command = ["go", "build", "-o", str(program), "./worker"]
    with FileLock(directory / "lock"):
        try:
            built = subprocess.run(command, cwd=MODULE, env={**os.environ, **BUILD_SETTINGS}, capture_output=True)
        except FileNotFoundError:
            raise RuntimeError("the Go worker of the tests cannot be built: go was not found. Install Go.") from None
    if built.returncode != 0:
        raise RuntimeError(f"the Go worker of the tests does not build:\n{built.stderr.decode(errors='replace')}")
    return program


@asynccontextmanager
async def go_worker(program: Path, *, address: str, namespace: str, task_queue: str) -> AsyncIterator[GoWorker]:
    """Run a Go worker for the time of the `async with` block, which starts when the worker polls.

    What it logs goes to this process's standard error. Its standard input ends with this process, and so it does too.

    Args:
        program: What `build` returned.
        address: The server, as host:port.
        namespace: The namespace.
        task_queue: The task queue to serve.

    Raises:
        AssertionError: It is not ready within 30 seconds, ends badly, or does not end within 10 seconds of SIGTERM.
    """
    process = await asyncio.create_subprocess_exec(
        program,
        *("--address", address, "--namespace", namespace, "--task-queue", task_queue),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        await _wait_until_ready(process)
        yield GoWorker(process, task_queue)
        await _stop(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@asynccontextmanager
async def nexus_endpoint(client: Client, *, name: str, task_queue: str) -> AsyncIterator[str]:
    """A Nexus endpoint for the time of the `async with` block: its requests go to the workers of a task queue."""
    worker = EndpointTarget.Worker(namespace=client.namespace, task_queue=task_queue)
    spec = EndpointSpec(name=name, target=EndpointTarget(worker=worker))
    created = await client.service_client._rpc_call(
        "create_nexus_endpoint", CreateNexusEndpointRequest(spec=spec), CreateNexusEndpointResponse, service="operator"
    )
    yield name
    await client.service_client._rpc_call(
        "delete_nexus_endpoint",
        DeleteNexusEndpointRequest(id=created.endpoint.id, version=created.endpoint.version),
        DeleteNexusEndpointResponse,
        service="operator",
    )


async def _wait_until_ready(process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), START_TIMEOUT)
    except asyncio.TimeoutError:
        raise AssertionError(f"the Go worker was not ready within {START_TIMEOUT:g} s") from None
    assert line, f"the Go worker ended with exit code {await process.wait()}; what it said is on standard error"
    assert json.loads(line)["event"] == "ready"


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        code = await asyncio.wait_for(process.wait(), STOP_TIMEOUT)
    except asyncio.TimeoutError:
        raise AssertionError(f"the Go worker had not ended {STOP_TIMEOUT:g} s after SIGTERM") from None
    assert code == 0, f"the Go worker ended with exit code {code}"
