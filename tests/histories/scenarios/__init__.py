"""How each history is recorded: what happens to the run, and while no worker runs, so that one task brings much."""

from __future__ import annotations

from importlib import import_module

from .stage import FOLDERS, SCENARIOS, Stage

for theme in (
    "activities",
    "asyncio_tools",
    "children",
    "definitions",
    "endings",
    "hops",
    "local_activities",
    "nexus",
    "races",
    "signals",
    "timers",
    "updates",
):
    import_module(f".{theme}", __name__)

__all__ = ["FOLDERS", "SCENARIOS", "Stage"]
