"""A server with the search attribute that programs change."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from invincible.client import Client
from invincible.testing._server import ServerProcess

from .interpreter import ATTRIBUTE


@pytest.fixture(scope="session")
def server() -> Iterator[ServerProcess]:
    server = ServerProcess(["--port", "0", "--headless", "--search-attribute", f"{ATTRIBUTE.name}=Keyword"])
    yield server
    server.stop()


@pytest.fixture
async def client(address: str) -> Client:
    """A client that takes failed workflow tasks for what may happen; those that may not are found all the same."""
    return await Client.connect(address)
