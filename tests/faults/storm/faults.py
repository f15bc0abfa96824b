"""The faults. Each is there for the time of an `async with` block."""

from __future__ import annotations

import asyncio
import os
import random
import resource
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.storm.crew import Crew
from tests.faults.storm.load import Load
from tests.faults.storm.switches import Switches
from tests.support.relay import Relay
from tests.support.server import ServerProcess, server_process


class Server:
    """The server, which can be killed and started again at the same address.

    Args:
        database: Its SQLite file.
    """

    def __init__(self, database: Path) -> None:
        self._database = database
        self._stack = AsyncExitStack()
        self._process: ServerProcess

    async def start(self, address: str = "127.0.0.1:0") -> str:
        """Start it, and return its address when it is ready."""
        made = server_process(address=address, database=self._database)
        self._process = await self._stack.enter_async_context(made)
        return self._process.address

    async def kill(self) -> None:
        """SIGKILL."""
        await self._process.program.kill()
        await self._stack.aclose()

    async def stop(self) -> None:
        """SIGTERM."""
        await self._stack.aclose()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.program.pid


@dataclass
class Stage:
    """What faults happen to."""

    server: Server
    address: str
    relay: Relay
    crew: Crew
    load: Load
    switches: Switches
    random: random.Random
    # Set while the programs do not have to end.
    at_work: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def process_killed(stage: Stage) -> AsyncIterator[None]:
    async def kill_some() -> None:
        while True:
            if pids := stage.crew.worker_processes():
                with suppress(ProcessLookupError):
                    os.kill(stage.random.choice(pids), signal.SIGKILL)
            await asyncio.sleep(stage.random.uniform(0.5, 2))

    killer = asyncio.create_task(kill_some())
    try:
        yield
    finally:
        killer.cancel()


@asynccontextmanager
async def server_killed(stage: Stage) -> AsyncIterator[None]:
    await stage.server.kill()
    yield
    await stage.server.start(stage.address)


@asynccontextmanager
async def network_cut(stage: Stage) -> AsyncIterator[None]:
    stage.relay.pause()
    if stage.random.random() < 0.5:
        await stage.relay.cut()
    yield
    stage.relay.resume()


@asynccontextmanager
async def disk_full(stage: Stage) -> AsyncIterator[None]:
    pid = stage.server.pid
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, hard))
    yield
    with suppress(ProcessLookupError):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))


@asynccontextmanager
async def stubborn_activities(stage: Stage) -> AsyncIterator[None]:
    stage.switches.set("stubborn", True)
    stage.load.add("stubborn", 3)
    try:
        yield
        await stage.at_work.wait()
    finally:
        stage.switches.set("stubborn", False)


def raising(switch: str) -> Callable[[Stage], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def fault(stage: Stage) -> AsyncIterator[None]:
        stage.switches.set(switch, True)
        try:
            yield
        finally:
            stage.switches.set(switch, False)

    return fault


def workflows(kind: str, number: int) -> Callable[[Stage], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def fault(stage: Stage) -> AsyncIterator[None]:
        stage.load.add(kind, number)
        yield

    return fault


# Those that are there together end in the opposite order: the first one waits until the programs have ended.
FAULTS: dict[str, Callable[[Stage], AbstractAsyncContextManager[None]]] = {
    "cancellation ignored": stubborn_activities,
    "worker process killed": process_killed,
    "server killed": server_killed,
    "network cut": network_cut,
    "disk full": disk_full,
    "heartbeat timeout": workflows("silent", 5),
    "payload over the limit": workflows("oversized", 5),
    "activity refused": workflows("refused", 5),
    "codec raises": raising("codec"),
    "converter raises": raising("converter"),
    "interceptor raises": raising("interceptor"),
    "threads saturated": workflows("saturated", 2),
}
# These cannot be had together.
NOT_BOTH = {"server killed", "disk full"}
