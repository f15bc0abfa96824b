"""The recorded histories, and what replays them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from invincible.client import WorkflowHistory

from .workflows import WORKFLOWS

RECORDED = Path(__file__).parent / "recorded"

# Where asyncio itself continues in another order from one Python version to the next, or lacks something.
ANY_PYTHON = "any-python"
FOLDERS = {
    ANY_PYTHON: True,
    "before-3.12": sys.version_info < (3, 12),
    "since-3.11": sys.version_info >= (3, 11),
    "since-3.12": sys.version_info >= (3, 12),
}

REPLAYER_OPTIONS: dict[str, Any] = {"workflows": WORKFLOWS, "workflow_failure_exception_types": [IndexError]}


def names() -> list[str]:
    """Names of the histories that this version of Python should replay."""
    paths = (path for folder, fits in FOLDERS.items() if fits for path in (RECORDED / folder).glob("*.json"))
    return sorted(path.stem for path in paths)


def recording(name: str) -> WorkflowHistory:
    """The history of this name."""
    (path,) = (path for folder, fits in FOLDERS.items() if fits for path in (RECORDED / folder).glob(f"{name}.json"))
    return WorkflowHistory.from_json(name, path.read_text())
