"""A server that forgets workers and drains versions within seconds, and a worker deployment for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from invincible.client import Client
from invincible.testing._server import ServerProcess
from tests.support.versions import SERVER_OPTIONS, Deployment


@pytest.fixture(scope="session")
def server() -> Iterator[ServerProcess]:
    server = ServerProcess(["--port", "0", "--headless", *SERVER_OPTIONS])
    yield server
    server.stop()


@pytest.fixture
def deployment(client: Client, task_queue: str) -> Deployment:
    return Deployment(client, task_queue)
