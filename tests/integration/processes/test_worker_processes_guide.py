"""`docs/worker-processes.md`, followed."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from invincible.client import Client
from invincible.worker import WorkerProcesses
from tests.support.guides import blocks, first_program, follow, text
from tests.support.processes import Program

PAGE = "worker-processes.md"


async def test_the_program(client: Client, address: str, task_queue: str, tmp_path: Path) -> None:
    program = tmp_path / "quotes.py"
    program.write_text(first_program(PAGE, address).replace('"quotes"', f'"{task_queue}"'))
    async with Program(sys.executable, program) as worker:
        await worker.line("is running", timeout=60)
        options: dict[str, Any] = {"id": task_queue, "task_queue": task_queue}
        assert await client.execute_workflow("quote", ["a", "b"], **options) == ord("a") + ord("b")
        worker.send(signal.SIGTERM)
        assert await worker.exit_code() == 0


async def test_the_function_for_the_command_line(client: Client, address: str, task_queue: str, tmp_path: Path) -> None:
    name = f"shop_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(first_program(PAGE, address) + blocks(PAGE)[1])
    command = [sys.executable, "-m", "invincible", "worker", "run", f"{name}:make", "--task-queue", task_queue]
    async with Program(*command, env={"PYTHONPATH": str(tmp_path), "TEMPORAL_ADDRESS": address}) as worker:
        await worker.line("is running", timeout=60)
        options: dict[str, Any] = {"id": task_queue, "task_queue": task_queue}
        assert await client.execute_workflow("quote", ["a"], **options) == ord("a")
        worker.send(signal.SIGTERM)
        assert await worker.exit_code() == 0


async def test_settings_and_what_is_refused(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    names = await follow(PAGE, address)
    assert isinstance(names["settings"], WorkerProcesses)
    said = capsys.readouterr().out
    assert said.startswith("activity_executor belongs to one process")
    assert f"```\n{said}```" in text(PAGE)
