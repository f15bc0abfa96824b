"""The embedded server as a process of its own, so that a test can kill it."""

import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from .processes import Program


@dataclass
class ServerProcess:
    """A server that is ready.

    Attributes:
        program: Its process.
        address: Where it takes gRPC calls, as host:port.
    """

    program: Program
    address: str


@asynccontextmanager
async def server_process(
    *, address: str = "127.0.0.1:0", database: Path | None = None, search_attributes: Sequence[str] = ()
) -> AsyncIterator[ServerProcess]:
    """Run a server for the time of the `async with` block, which starts when the server is ready.

    Args:
        address: Where to listen, as host:port; port 0 takes a free one.
        database: The SQLite file to keep everything in. None: in memory.
        search_attributes: Search attributes to create, each as NAME=TYPE.
    """
    host, port = address.split(":")
    options = ["--ip", host, "--port", port, "--headless"]
    for attribute in search_attributes:
        options += ["--search-attribute", attribute]
    if database is not None:
        options += ["--db", str(database)]
    async with Program(sys.executable, "-m", "invincible", "server", *options) as program:
        ready = json.loads(await program.line('"event":"ready"', timeout=60))
        yield ServerProcess(program, ready["grpc"])
