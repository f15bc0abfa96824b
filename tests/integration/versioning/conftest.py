"""A server that forgets workers and drains versions within seconds, and a worker deployment for each test."""

from __future__ import annotations

import pytest

from invincible.client import Client
from invincible.testing.pytest_plugin import SessionServer, SessionServers
from tests.support.versions import SERVER_OPTIONS, Deployment


@pytest.fixture(scope="session")
def invincible_server(invincible_servers: SessionServers) -> SessionServer:
    return invincible_servers.start(*SERVER_OPTIONS)


@pytest.fixture
def deployment(client: Client, task_queue: str) -> Deployment:
    return Deployment(client, task_queue)
