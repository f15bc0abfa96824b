"""Each test has a Go worker, a Nexus endpoint and task queues of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from invincible.client import Client
from tests.support import go_worker as support


@pytest.fixture(scope="session")
def go_program(pytestconfig: pytest.Config) -> Path:
    """The Go worker's program, built."""
    cache = pytestconfig.cache
    assert cache is not None
    return support.build(cache.mkdir("go-worker"))


@pytest.fixture
async def go_worker(go_program: Path, address: str, client: Client, task_queue: str) -> AsyncIterator[support.GoWorker]:
    """A Go worker that polls."""
    async with support.go_worker(
        go_program, address=address, namespace=client.namespace, task_queue=f"go-{task_queue}"
    ) as worker:
        yield worker


@pytest.fixture
def go_queue(go_worker: support.GoWorker) -> str:
    """The task queue of the test's Go worker."""
    return go_worker.task_queue


@pytest.fixture
async def nexus_endpoint(client: Client, go_queue: str) -> AsyncIterator[str]:
    """A Nexus endpoint whose operations the test's Go worker serves."""
    async with support.nexus_endpoint(client, name=go_queue, task_queue=go_queue) as name:
        yield name


@pytest.fixture(params=[{}, {"max_cached_workflows": 0}], ids=["cached", "evicted"])
def worker_options(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Options of a worker that keeps its runs, and of one that replays them for every task."""
    options: dict[str, Any] = request.param
    return options
