"""A small HTTP proxy that knows the method CONNECT, on a TCP port or a Unix socket."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from .relay import Relay


@dataclass
class Proxy(Relay):
    """A proxy that runs.

    Attributes:
        address: Where it listens, as clients are told: host:port or unix:/path.
        basic_auth: User and password that it wants; None: none.
        targets: What it was asked to connect to, refusals included.
    """

    basic_auth: tuple[str, str] | None = None
    targets: list[str] = field(default_factory=list)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves a connection to its end."""
        request, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        method, target, _ = request.split()
        self.targets.append(target)
        refusal = self._refusal(method, headers) or await _unreachable(target)
        if refusal is None:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await self.accept((reader, writer), target)
        else:
            writer.write(f"HTTP/1.1 {refusal}\r\nContent-Length: 0\r\n\r\n".encode())
            await writer.drain()

    def _refusal(self, method: str, headers: dict[str, str]) -> str | None:
        if method != "CONNECT":
            return "405 Method Not Allowed"
        if self.basic_auth is not None:
            wanted = "Basic " + base64.b64encode(":".join(self.basic_auth).encode()).decode()
            if headers.get("proxy-authorization") != wanted:
                return "407 Proxy Authentication Required"
        return None


async def _unreachable(target: str) -> str | None:
    host, _, port = target.rpartition(":")
    try:
        _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except OSError:
        return "502 Bad Gateway"
    writer.close()
    await writer.wait_closed()
    return None


@asynccontextmanager
async def connect_proxy(
    *, basic_auth: tuple[str, str] | None = None, socket: Path | None = None
) -> AsyncIterator[Proxy]:
    """Run a proxy for the time of the `async with` block.

    Args:
        basic_auth: User and password that it wants.
        socket: The Unix socket to listen on; None: a TCP port.
    """
    proxy = Proxy(basic_auth=basic_auth)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await proxy.handle(reader, writer)
        finally:
            writer.close()

    if socket is None:
        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        proxy.address = "{}:{}".format(*server.sockets[0].getsockname())
    else:
        server = await asyncio.start_unix_server(handle, socket)
        proxy.address = f"unix:{socket}"
    try:
        yield proxy
    finally:
        server.close()
        await proxy.cut()
        await server.wait_closed()
