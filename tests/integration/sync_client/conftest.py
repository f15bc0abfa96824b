"""A blocking client, and a worker that runs beside the test in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from invincible.client import Client, SyncClient
from invincible.worker import Worker

from . import workflows


@pytest.fixture
def sync_client(address: str) -> Iterator[SyncClient]:
    with SyncClient.connect(address) as client:
        yield client


@pytest.fixture
def worker(address: str, task_queue: str) -> Iterator[None]:
    ready = threading.Event()
    stop: list[asyncio.Event] = []

    async def serve() -> None:
        stop.append(asyncio.Event())
        async with Worker(await Client.connect(address), task_queue=task_queue, workflows=workflows.ALL):
            loops.append(asyncio.get_running_loop())
            ready.set()
            await stop[0].wait()

    loops: list[asyncio.AbstractEventLoop] = []
    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(30)
    yield
    loops[0].call_soon_threadsafe(stop[0].set)
    thread.join(30)
    assert not thread.is_alive()
