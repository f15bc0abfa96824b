"""The Go worker as a process: it stops when it is told to, and outlives nobody."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import go_worker as support
from tests.support.go_worker import GoWorker

LIMIT = 20.0


def close_standard_input(worker: GoWorker) -> None:
    assert worker.process.stdin is not None
    worker.process.stdin.close()


def send_sigterm(worker: GoWorker) -> None:
    worker.process.terminate()


@pytest.mark.parametrize("stop", [close_standard_input, send_sigterm])
async def test_it_stops(go_worker: GoWorker, stop: Callable[[GoWorker], None]) -> None:
    stop(go_worker)
    assert await asyncio.wait_for(go_worker.process.wait(), LIMIT) == 0


async def test_without_its_namespace_it_says_so(go_program: Path, address: str, task_queue: str) -> None:
    with pytest.raises(AssertionError, match="ended with exit code 1"):
        async with support.go_worker(go_program, address=address, namespace="nowhere", task_queue=task_queue):
            pass


def test_it_explains_its_usage(go_program: Path) -> None:
    ended = subprocess.run([go_program, "--address", "localhost:1"], capture_output=True, text=True, timeout=LIMIT)
    assert ended.returncode == 1
    assert "usage: worker --address HOST:PORT --task-queue NAME" in ended.stderr
