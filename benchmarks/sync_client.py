"""What a blocking call costs beside an awaited one.

    python -m benchmarks.sync_client

Starts a server of its own. Calls of both clients take turns; each figure is the least of some rounds, in microseconds
per call. CPU time is that of this process with all its threads, the server's left out.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from invincible.client import Client, SyncClient, SyncWorkflowHandle, WorkflowHandle
from invincible.client._sync.calls import Calls
from invincible.testing._server import ServerProcess

_CALLS = 1_000
_ROUNDS = 3


class Cost(NamedTuple):
    """Of one call, in microseconds."""

    wall: float
    cpu: float


def _blocking(call: Callable[[], object]) -> Cost:
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(_CALLS):
        call()
    return _cost(wall, cpu)


async def _awaited(call: Callable[[], Awaitable[object]]) -> Cost:
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(_CALLS):
        await call()
    return _cost(wall, cpu)


def _cost(wall: float, cpu: float) -> Cost:
    scale = 1e6 / _CALLS
    return Cost((time.perf_counter() - wall) * scale, (time.process_time() - cpu) * scale)


def _describe(handle: Any) -> Callable[[], Any]:
    return lambda: handle.describe()


def _signal(handle: Any) -> Callable[[], Any]:
    return lambda: handle.signal("signal", 1)


async def _nothing() -> None: ...


def _measure(address: str) -> dict[tuple[str, str], list[Cost]]:
    costs: dict[tuple[str, str], list[Cost]] = {}
    calls, client = Calls(), SyncClient.connect(address)
    for _ in range(_ROUNDS):
        costs.setdefault(("nothing", "awaited"), []).append(asyncio.run(_awaited(_nothing)))
        costs.setdefault(("nothing", "blocking"), []).append(_blocking(lambda: calls.run(lambda _: _nothing()).get()))
        for name, call in (("describe", _describe), ("signal", _signal)):
            costs.setdefault((name, "awaited"), []).append(asyncio.run(_round(address, call)))
            handle: SyncWorkflowHandle[Any, Any] = client.start_workflow(
                "none", id=str(uuid.uuid4()), task_queue="none"
            )
            costs.setdefault((name, "blocking"), []).append(_blocking(call(handle)))
            handle.terminate()
    return costs


async def _round(address: str, call: Callable[[Any], Callable[[], Awaitable[object]]]) -> Cost:
    client = await Client.connect(address)
    handle: WorkflowHandle[Any, Any] = await client.start_workflow("none", id=str(uuid.uuid4()), task_queue="none")
    cost = await _awaited(call(handle))
    await handle.terminate()
    return cost


def main() -> None:
    """Prints the table."""
    server = ServerProcess(["--port", "0", "--headless"])
    try:
        costs = _measure(server.ready.grpc)
    finally:
        server.stop()
    print(f"{'call':10} {'':10} {'wall':>8} {'CPU':>8}")
    for (name, kind), rounds in costs.items():
        print(f"{name:10} {kind:10} {min(c.wall for c in rounds):8.0f} {min(c.cpu for c in rounds):8.0f}")


if __name__ == "__main__":
    main()
