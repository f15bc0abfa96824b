"""The guide to moving: a program for temporalio, with its imports changed as the page says, does the same, continues
runs that temporalio has begun, and leaves runs that temporalio can continue."""

from __future__ import annotations

import asyncio
import itertools
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from invincible.client import Client, WorkflowHandle
from tests.parity.peer import peer_python
from tests.support import guides
from tests.support.conditions import eventually
from tests.support.processes import Program

PAGE = "moving-from-temporalio.md"
DIRECTIONS = [("temporalio", "invincible"), ("invincible", "temporalio")]
ORDER = {"id": "1", "item": "tea", "cents": 1200}


@dataclass
class Side:
    """The program with one of the packages."""

    python: str
    program: Path
    task_queue: str

    async def prints(self, expected: str, *arguments: str | Path) -> bool:
        """Whether the program prints these lines."""
        async with Program(self.python, self.program, *arguments) as program:
            status = await program.exit_code(timeout=60)
            # At times temporalio's threads abort the interpreter when it has done its work, and is ending.
            assert status == 0 or (status == -signal.SIGABRT and self.python != sys.executable), program.output
            lines = program.output.splitlines()
            return lines[: expected.count("\n") + 1] == expected.splitlines()

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[Program]:
        async with Program(self.python, self.program, "worker") as worker:
            await worker.line("^ready$")
            yield worker


@pytest.fixture
def sides(address: str, task_queue: str, tmp_path: Path) -> dict[str, Side]:
    """The program as it was, and moved by the command of the page."""
    [program] = guides.blocks(PAGE)
    program = program.replace("localhost:7233", address).replace('"orders"', f'"{task_queue}"')
    for name in ("temporalio", "invincible"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "orders.py").write_text(re.sub(r"\binvincible\b", "temporalio", program))
    command = re.search(r"^\$ (grep .*)$", guides.text(PAGE), re.MULTILINE)
    assert command
    subprocess.run(command[1], shell=True, cwd=tmp_path / "invincible", check=True)
    assert (tmp_path / "invincible" / "orders.py").read_text() == program
    return {
        "temporalio": Side(str(peer_python()), tmp_path / "temporalio" / "orders.py", task_queue),
        "invincible": Side(sys.executable, tmp_path / "invincible" / "orders.py", task_queue),
    }


async def recorded(handle: WorkflowHandle[Any, Any], folder: Path) -> Path:
    file = folder / f"{handle.id}.json"
    file.write_text((await handle.fetch_history()).to_json())
    return file


@pytest.mark.parametrize(("works", "starts"), DIRECTIONS)
async def test_the_program_does_the_same_and_each_replays_the_others_histories(
    sides: dict[str, Side], client: Client, tmp_path: Path, works: str, starts: str
) -> None:
    ids = [f"{uuid.uuid4()}" for _ in range(2)]
    async with sides[works].worker():
        assert await sides[starts].prints("False\ntea is on its way already", "start", ids[0], "1200")
        assert await sides[starts].prints("not charged: Refused: over the limit", "start", ids[1], "20000")
    files = [await recorded(client.get_workflow_handle(id), tmp_path) for id in ids]
    for side in sides.values():
        assert await side.prints("\n".join(f"{file.name} replays" for file in files), "replay", *files)
    command = ["-m", "invincible", "replay", "--module", str(sides["invincible"].program), *map(str, files)]
    async with Program(sys.executable, *command) as replay:
        assert await replay.exit_code() == 0, replay.output
        assert "2 replayed" in replay.output


@pytest.mark.parametrize(("first", "then"), DIRECTIONS)
async def test_a_run_moves_in_the_middle(
    sides: dict[str, Side], client: Client, tmp_path: Path, first: str, then: str
) -> None:
    queue = sides[first].task_queue
    async with sides[first].worker() as worker:
        handle = await client.start_workflow("OrderWorkflow", ORDER, id=queue, task_queue=queue)
        assert not await handle.execute_update("hurry", True)

        async def paid() -> bool:
            return bool(await handle.query("current_status") == "paid 4")

        await eventually(paid, what="the order is paid")
        # Asked like this, it gives up what it has in its cache.
        worker.send(signal.SIGINT)
        await worker.exit_code()
    async with sides[then].worker():
        await handle.signal("pack")
        assert await handle.result() == "tea is on its way already"
    file = await recorded(handle, tmp_path)
    for side in sides.values():
        assert await side.prints(f"{file.name} replays", "replay", file)


async def test_both_work_on_one_task_queue(sides: dict[str, Side], client: Client) -> None:
    queue = sides["temporalio"].task_queue
    async with sides["temporalio"].worker() as one, sides["invincible"].worker() as other:
        for number in itertools.count():
            handles = [
                await client.start_workflow("OrderWorkflow", ORDER, id=f"{queue}-{number}-{each}", task_queue=queue)
                for each in range(10)
            ]
            for handle in handles:
                await handle.signal("pack")
            assert await asyncio.gather(*(handle.result() for handle in handles)) == ["tea is on its way"] * 10
            histories = [await handle.fetch_history() for handle in handles]
            workers = {
                event.workflow_task_completed_event_attributes.identity.partition("@")[0]
                for history in histories
                for event in history.events
            } - {""}
            if workers >= {str(one.pid), str(other.pid)}:
                break
