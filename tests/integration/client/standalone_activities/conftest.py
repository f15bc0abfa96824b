"""A worker for standalone activities, and an id for one."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

import pytest

from invincible.client import Client
from tests.support.standalone_activities import worker


@pytest.fixture
async def work(client: Client, task_queue: str) -> AsyncIterator[str]:
    async with worker(client, task_queue):
        yield task_queue


@pytest.fixture
def id() -> str:
    return f"activity-{uuid.uuid4()}"
