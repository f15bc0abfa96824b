"""What a worker's health endpoint says."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from .conditions import eventually


@dataclass(frozen=True)
class Answer:
    """An answer of the endpoint: its status code, and its JSON."""

    status: int
    body: dict[str, Any]

    @property
    def reasons(self) -> list[str]:
        """What is wrong."""
        reasons: list[str] = self.body["reasons"]
        return reasons

    @property
    def worker(self) -> dict[str, Any]:
        """What is said of the only worker."""
        (worker,) = self.body["workers"]
        found: dict[str, Any] = worker
        return found


async def ask(address: str | None, path: str, *, method: str = "GET") -> Answer:
    """Asks the endpoint at an address, as a probe does: with a connection of its own."""
    assert address is not None
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(f"{method} {path} HTTP/1.1\r\nHost: {address}\r\n\r\n".encode())
        head, _, body = (await asyncio.wait_for(reader.read(), 10)).partition(b"\r\n\r\n")
    finally:
        writer.close()
        await writer.wait_closed()
    lines = head.decode().split("\r\n")
    assert "content-type: application/json" in lines
    return Answer(int(lines[0].split()[1]), json.loads(body) if body else {})


async def answered(address: str | None, path: str, status: int, reason: str = "", *, timeout: float = 30) -> Answer:
    """The first answer with this status, and this text in its reasons."""

    async def probe() -> Answer | None:
        answer = await ask(address, path)
        assert answer.status == status, answer
        assert reason in "; ".join(answer.reasons), answer
        return answer

    return await eventually(probe, what=f"{path} answers {status} {reason}", timeout=timeout)
