"""Each feature is played four ways; see ``tests.support.features``."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from invincible.client import Client
from invincible.testing._server import ServerProcess
from tests.support.features import SEARCH_ATTRIBUTES, Cache, Feature


@pytest.fixture(scope="session")
def server() -> Iterator[ServerProcess]:
    """The server of the other integration tests, and search attributes."""
    options = [f"--search-attribute={name}={kind}" for name, kind in SEARCH_ATTRIBUTES.items()]
    server = ServerProcess(["--port", "0", "--headless", *options])
    yield server
    server.stop()


@pytest.fixture(params=list(Cache), ids=lambda cache: f"cache-{cache.value}")
def feature(request: pytest.FixtureRequest, client: Client, task_queue: str) -> Feature:
    return Feature.of(client, task_queue, request.param)
