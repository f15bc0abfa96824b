"""A relay of TCP connections, which a test can cut, freeze or pause."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def _set_event() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@dataclass
class Relay:
    """Passes bytes on, from clients to servers and back.

    Attributes:
        address: Where it listens, as host:port.
        accepted: How many connections there were.
        sent: Bytes that clients have sent.
    """

    address: str = ""
    accepted: int = 0
    sent: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _frozen: set[asyncio.Task[None]] = field(default_factory=set)
    _flowing: asyncio.Event = field(default_factory=_set_event)

    def pause(self) -> None:
        """Holds everything back, new connections too, until `resume`: a network that is gone for a while."""
        self._flowing.clear()

    def resume(self) -> None:
        """Lets pass what was held back, and what comes."""
        self._flowing.set()

    def freeze(self) -> None:
        """Holds back, for good, what goes through the connections there are, without closing them."""
        self._frozen |= self._tasks

    async def cut(self) -> None:
        """Closes the connections there are."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def accept(self, client: Streams, upstream: str) -> None:
        """Serves a connection to its end."""
        task = asyncio.current_task()
        assert task is not None
        self.accepted += 1
        self._tasks.add(task)
        writers = [client[1]]
        try:
            await self._flowing.wait()
            host, _, port = upstream.rpartition(":")
            server = await asyncio.open_connection(host.strip("[]"), int(port))
            writers.append(server[1])
            await asyncio.gather(
                self._pump(client[0], server[1], task, up=True), self._pump(server[0], client[1], task)
            )
        finally:
            self._tasks.discard(task)
            for writer in writers:
                await _closed(writer)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, task: asyncio.Task[None], *, up: bool = False
    ) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                await self._flowing.wait()
                if task in self._frozen:
                    continue
                if up:
                    self.sent += len(data)
                writer.write(data)
                await writer.drain()
        writer.close()


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


@asynccontextmanager
async def relay(upstream: str, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Relay]:
    """Run a relay for the time of the `async with` block.

    Args:
        upstream: Where it passes connections on to, as host:port.
        host: The address to listen on.
        port: The port; 0 for a free one.
    """
    made = Relay()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):
            await made.accept((reader, writer), upstream)

    server = await asyncio.start_server(accept, host, port)
    made.address = "{}:{}".format(*server.sockets[0].getsockname())
    try:
        yield made
    finally:
        server.close()
        await made.cut()
        await server.wait_closed()
