"""A server with the search attribute that programs change."""

from __future__ import annotations

import pytest

from invincible.client import Client
from invincible.testing.pytest_plugin import SessionServer, SessionServers

from .interpreter import ATTRIBUTE


@pytest.fixture(scope="session")
def invincible_server(invincible_servers: SessionServers) -> SessionServer:
    return invincible_servers.start("--search-attribute", f"{ATTRIBUTE.name}=Keyword")


@pytest.fixture
async def client(address: str) -> Client:
    """A client that takes failed workflow tasks for what may happen; those that may not are found all the same."""
    return await Client.connect(address)
