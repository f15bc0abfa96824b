"""Chromium without a window, driven by its own debugging protocol."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_START_SECONDS = 60.0


class Page:
    """One page of the browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse[Any]) -> None:
        self._socket = socket
        self._ids = itertools.count(1)

    async def goto(self, url: str) -> None:
        """Loads a page."""
        await self._call("Page.navigate", url=url)

    async def wait_for_text(self, text: str, seconds: float = 60) -> None:
        """Waits until the page shows a text.

        Raises:
            AssertionError: It does not, in time.
        """
        deadline = time.monotonic() + seconds
        while text not in (shown := await self.evaluate("document.body?.innerText ?? ''")):
            assert time.monotonic() < deadline, f"{text!r} does not show up in:\n{shown}"
            await asyncio.sleep(0.1)

    async def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, which may be a promise."""
        answer = await self._call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def _call(self, method: str, **params: Any) -> Any:
        number = next(self._ids)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        while (answer := await self._socket.receive_json(timeout=60)).get("id") != number:
            pass
        assert "error" not in answer, answer
        return answer["result"]


@asynccontextmanager
async def browsing(profile: Path) -> AsyncIterator[Page]:
    """A page of a browser that is started for it.

    Args:
        profile: Directory for the browser's own files.
    """
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    assert program is not None, "this test needs Chromium: apt-get install chromium"
    # What runs as root, in a container say, has no sandbox of the browser's.
    sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    process = await asyncio.create_subprocess_exec(
        *(program, "--headless=new", "--remote-debugging-port=0", f"--user-data-dir={profile}"),
        *("--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking", *sandbox),
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        port = await _port(profile, process)
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json") as response:
                pages = [each for each in await response.json() if each["type"] == "page"]
            async with session.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                yield Page(socket)
    finally:
        process.kill()
        await process.wait()


async def _port(profile: Path, process: asyncio.subprocess.Process) -> int:
    """The port that the browser writes down once it listens."""
    written = profile / "DevToolsActivePort"
    deadline = time.monotonic() + _START_SECONDS
    while True:
        assert process.returncode is None, f"the browser ended with {process.returncode}"
        assert time.monotonic() < deadline, "the browser does not start"
        lines = (await asyncio.to_thread(_read, written)).splitlines()
        if len(lines) == 2:
            return int(lines[0])
        await asyncio.sleep(0.05)


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""
