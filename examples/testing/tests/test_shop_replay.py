"""Orders that were begun by an earlier release go on with this one: their histories replay."""

from __future__ import annotations

from pathlib import Path

import pytest

from invincible.client import WorkflowHistory
from invincible.worker import Replayer
from shop.workflows import OrderWorkflow

HISTORIES = sorted(Path(__file__).with_name("histories").glob("*.json"))


@pytest.fixture(params=HISTORIES, ids=lambda path: path.stem)
def history(request: pytest.FixtureRequest) -> WorkflowHistory:
    path: Path = request.param
    return WorkflowHistory.from_json(path.stem, path.read_text(encoding="utf-8"))


async def test_history_replays(history: WorkflowHistory) -> None:
    await Replayer(workflows=[OrderWorkflow]).replay_workflow(history)
