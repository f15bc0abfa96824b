"""`invincible dev` as a process, in a folder that is edited."""

from __future__ import annotations

import json
import sys
import textwrap
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from typing_extensions import Self

from invincible.client import Client, WorkflowHandle
from tests.support.conditions import eventually
from tests.support.processes import Program

ORDERS = """
from datetime import timedelta

from invincible import activity, workflow


@activity.defn(start_to_close_timeout=timedelta(seconds=30))
async def charge(customer: str, amount: float) -> str:
    return f"{customer} paid {amount}"


@workflow.defn
class Order:
    def __init__(self) -> None:
        self.shipped = False

    @workflow.run
    async def run(self, customer: str, amount: float) -> str:
        receipt = await charge.execute(customer, amount)
        await workflow.wait_condition(lambda: self.shipped)
        return receipt

    @workflow.signal
    def ship(self) -> None:
        self.shipped = True


if __name__ == "__main__":
    raise SystemExit("this must not run")
"""


SLOW = """
import asyncio
import os
from datetime import timedelta
from pathlib import Path

from invincible import activity, workflow

HERE = Path(__file__).parent


@activity.defn(start_to_close_timeout=timedelta(seconds=60))
async def wait() -> str:
    attempt = activity.info().attempt
    (HERE / f"started-{attempt}").touch()
    if attempt > 1:
        return "of the first code"
    try:
        await asyncio.sleep(600)
    finally:
        (HERE / "cancelled").touch()
    return "never"


@workflow.defn
async def waiting() -> str:
    return await wait.execute()
"""


class Dev(Program):
    """The command in a folder, with events as JSON unless that is left out."""

    def __init__(
        self,
        folder: Path,
        *options: str | Path,
        target: str = "orders.py",
        as_json: bool = True,
        env: dict[str, str] | None = None,
    ) -> None:
        command = [sys.executable, "-m", "invincible", "dev", target, *options, *(["--json"] if as_json else [])]
        super().__init__("sh", "-c", 'cd "$0" && exec "$@"', folder, *command, env=env)

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        return self

    async def event(self, name: str, **expected: Any) -> dict[str, Any]:
        """The next event of a name that has these fields."""
        while True:
            event: dict[str, Any] = json.loads(await self.line(f'"event": "{name}"', timeout=60))
            if all(event.get(field) == value for field, value in expected.items()):
                return event

    async def log(self, part: str) -> dict[str, Any]:
        """The next record of the log with a text in its message."""
        while True:
            record = await self.event("log")
            if part in record["message"]:
                return record

    @property
    def events(self) -> list[dict[str, Any]]:
        """All until now."""
        return [json.loads(line) for line in self.output.splitlines() if line.startswith("{")]


def write(folder: Path, source: str, name: str = "orders.py") -> None:
    """Save a file as editors do: another one takes its place."""
    saved = folder / f".{name}.{uuid.uuid4()}"
    saved.write_text(textwrap.dedent(source).lstrip())
    saved.replace(folder / name)


@asynccontextmanager
async def running(folder: Path, address: str, queue: str, *options: str | Path, **more: Any) -> AsyncIterator[Dev]:
    """The command, over the server of the tests, when its worker polls."""
    async with Dev(folder, "--address", address, "--task-queue", queue, *options, **more) as dev:
        await dev.event("ready")
        yield dev


async def order(client: Client, queue: str) -> WorkflowHandle[Any, Any]:
    return await client.start_workflow("Order", args=["Ada", 5], id=str(uuid.uuid4()), task_queue=queue)


async def has(handle: WorkflowHandle[Any, Any], event: str) -> None:
    async def probe() -> bool:
        types = [each.event_type for each in (await handle.fetch_history()).events]
        from invincible.api.enums.v1 import EventType

        return EventType.Value(event) in types

    await eventually(probe, what=f"an event {event}")


def is_running(pid: int) -> bool:
    try:
        # Of those that have ended and were not waited for, there is an entry still.
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def children(pid: int) -> list[int]:
    """All processes that a process has started, and theirs."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:  # it has ended
                continue
            if parent == pid:
                found += [int(entry.name), *children(int(entry.name))]
    return found


async def gone(pids: list[int]) -> None:
    assert pids

    async def probe() -> bool:
        return not any(map(is_running, pids))

    await eventually(probe, what=f"the end of the processes {pids}")
