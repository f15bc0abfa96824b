"""One server for all integration tests; each test has a task queue of its own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from invincible.client import Client
from invincible.testing._server import ServerProcess


@pytest.fixture(scope="session")
def server() -> Iterator[ServerProcess]:
    server = ServerProcess(["--port", "0", "--headless"])
    yield server
    server.stop()


@pytest.fixture
def address(server: ServerProcess) -> str:
    return server.ready.grpc


@pytest.fixture
async def client(address: str) -> Client:
    client = await Client.connect(address)
    client._raise_task_failures = True
    return client


@pytest.fixture
def task_queue() -> str:
    return f"test-{uuid.uuid4()}"
