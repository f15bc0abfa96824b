"""Calls that the interpreter reports by itself: files, sockets, processes, threads."""

from __future__ import annotations

import sys
from asyncio import _get_running_loop
from collections.abc import Callable, Mapping
from typing import Any

from invincible._engine.loop import WorkflowLoop

from .rules import AUDITED, Rule
from .stack import refuse

_installed = False


def install() -> None:
    """Listen from now on; the interpreter knows no way back."""
    global _installed
    if not _installed:
        _installed = True
        sys.addaudithook(_hook)


# Names are bound as defaults, because the hook is called for the interpreter's last breath too, when globals are gone.
def _hook(
    event: str,
    arguments: tuple[Any, ...],
    audited: Mapping[str, tuple[str, Rule]] = AUDITED,
    running_loop: Callable[[], Any] = _get_running_loop,
    workflow_loop: type = WorkflowLoop,
    refuse: Callable[[str, Rule], None] = refuse,
) -> None:
    if event in audited and type(running_loop()) is workflow_loop:
        if event == "open" and _is_time_zone(arguments[0]):
            return
        refuse(*audited[event])


def _is_time_zone(path: object) -> bool:
    """Whether a file is one that ``ZoneInfo`` reads, which it does without a frame of its own on the stack."""
    zoneinfo = sys.modules.get("zoneinfo")
    return zoneinfo is not None and isinstance(path, str) and path.startswith(zoneinfo.TZPATH)
