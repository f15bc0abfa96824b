"""A small HTTP proxy that knows the method CONNECT, on a TCP port or a Unix socket."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Proxy:
    """A proxy that runs.

    Attributes:
        address: Where it listens, as clients are told: host:port or unix:/path.
        basic_auth: User and password that it wants; None: none.
        targets: What it was asked to connect to, refusals included.
        connections: Open connections through it.
        sent: Bytes that clients have sent through it.
    """

    address: str = ""
    basic_auth: tuple[str, str] | None = None
    targets: list[str] = field(default_factory=list)
    connections: set[asyncio.StreamWriter] = field(default_factory=set)
    sent: int = 0
    _frozen: set[asyncio.StreamWriter] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def freeze(self) -> None:
        """Holds back, for good, what goes through the connections there are, without closing them."""
        self._frozen |= self.connections

    async def close_connections(self) -> None:
        """Closes the connections there are."""
        for writer in self.connections:
            writer.close()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=10)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.connections.add(writer)
        self._tasks.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._handle(reader, writer)
        finally:
            self.connections.discard(writer)
            self._tasks.discard(task)
            writer.close()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        method, target, _ = request.split()
        self.targets.append(target)
        if method != "CONNECT":
            writer.write(b"HTTP/1.1 405 Method Not Allowed\r\n\r\n")
            return
        if self.basic_auth is not None:
            wanted = "Basic " + base64.b64encode(":".join(self.basic_auth).encode()).decode()
            if headers.get("proxy-authorization") != wanted:
                writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                return
        host, _, port = target.rpartition(":")
        try:
            upstream = await asyncio.open_connection(host.strip("[]"), int(port))
        except OSError:
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            await asyncio.gather(
                self._pump(reader, upstream[1], client=writer), self._pump(upstream[0], writer, client=writer)
            )
        finally:
            upstream[1].close()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, client: asyncio.StreamWriter
    ) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                if client in self._frozen:
                    continue
                if writer is not client:
                    self.sent += len(data)
                writer.write(data)
                await writer.drain()
        writer.close()


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
    if socket is None:
        server = await asyncio.start_server(proxy.handle, "127.0.0.1", 0)
        proxy.address = "{}:{}".format(*server.sockets[0].getsockname())
    else:
        server = await asyncio.start_unix_server(proxy.handle, socket)
        proxy.address = f"unix:{socket}"
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close_connections()
        await server.wait_closed()
