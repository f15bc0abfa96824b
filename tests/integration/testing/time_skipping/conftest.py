"""Environments whose workflows skip time, on the server of all tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from invincible.client import (
    Client,
)
from invincible.testing import TimeSkipper, WorkflowEnvironment
from invincible.worker import Worker

from .flows import WORKFLOWS, beats, fails, hangs


@pytest.fixture
async def clocked(address: str, task_queue: str) -> AsyncIterator[WorkflowEnvironment]:
    """What ``start_time_skipping`` makes, on the server of all tests."""
    clocked = WorkflowEnvironment.from_client(await Client.connect(address), time_skipping=True)
    async with Worker(clocked.client, task_queue=task_queue, workflows=WORKFLOWS, activities=[fails, hangs, beats]):
        yield clocked


@pytest.fixture
async def free(address: str, task_queue: str) -> AsyncIterator[TimeSkipper]:
    """Workflows that skip time from their start on."""
    skipper = TimeSkipper(await Client.connect(address))
    skipper.client._raise_task_failures = True
    async with Worker(skipper.client, task_queue=task_queue, workflows=WORKFLOWS, activities=[fails, hangs, beats]):
        yield skipper
