"""One server for the guides, with a namespace for each: their workflows have the ids that the pages give them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from invincible.testing._server import ServerProcess

PAGES = ("workflows", "messages", "children", "errors", "recipes")


@pytest.fixture(scope="session")
def guide_server() -> Iterator[str]:
    """The address of the server."""
    server = ServerProcess(
        ["--port", "0", "--headless", "--search-attribute=State=Keyword", *(f"--namespace={page}" for page in PAGES)]
    )
    yield server.ready.grpc
    server.stop()
