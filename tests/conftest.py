"""Settings that hold for every kind of test, and one server for all that need one; each has a task queue of its own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from hypothesis import settings

from invincible.client import Client
from invincible.testing._server import ServerProcess

# Machines that run the suite are shared: a slow example is no failure, and a failure must come back on the next run.
settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")


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
