"""Replay of the histories that tests have made."""

from __future__ import annotations

from typing import Any

from invincible.client import WorkflowHandle
from invincible.worker import Replayer


async def assert_replays(handle: WorkflowHandle[Any, Any], workflow: Any) -> None:
    """Raise unless the code of a workflow does again what the history of its run says."""
    await Replayer(workflows=[workflow]).replay_workflow(await handle.fetch_history())
