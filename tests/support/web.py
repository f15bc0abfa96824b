"""ASGI applications served over HTTP for the time of a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvicorn


@asynccontextmanager
async def serving(application: Callable[..., Any]) -> AsyncIterator[str]:
    """The URL where the application is served, on a free port."""
    server = _Server(uvicorn.Config(application, host="127.0.0.1", port=0, lifespan="off", log_config=None))
    running = asyncio.ensure_future(server.serve())
    try:
        await server.started_or(running)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


class _Server(uvicorn.Server):
    """Says when it serves."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ready = asyncio.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self._ready.set()

    async def started_or(self, running: asyncio.Future[None]) -> None:
        """Waits until it serves, or fails as it does."""
        ready = asyncio.ensure_future(self._ready.wait())
        await asyncio.wait((ready, running), return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if running.done():
            running.result()
