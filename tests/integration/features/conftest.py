"""Each feature is played four ways; see ``tests.support.features``."""

from __future__ import annotations

import pytest

from invincible.client import Client
from invincible.testing.pytest_plugin import SessionServer, SessionServers
from tests.support.features import SEARCH_ATTRIBUTES, Cache, Feature


@pytest.fixture(scope="session")
def invincible_server(invincible_servers: SessionServers) -> SessionServer:
    """The server of the other integration tests, and search attributes."""
    options = [f"--search-attribute={name}={kind}" for name, kind in SEARCH_ATTRIBUTES.items()]
    return invincible_servers.start(*options)


@pytest.fixture(params=list(Cache), ids=lambda cache: f"cache-{cache.value}")
def feature(request: pytest.FixtureRequest, client: Client, task_queue: str) -> Feature:
    return Feature.of(client, task_queue, request.param)
