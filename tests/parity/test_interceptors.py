"""Interceptors of workers see the same calls, in the same order and with the same fields, as with temporalio."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.environments import PEER, ROOT

from .peer import peer_python

# Where a signal races with the first workflow task: what comes is certain, and its order is not.
RACING = ("-child", "-other")


@pytest.fixture
async def programs(address: str, tmp_path: Path) -> dict[str, Any]:
    """What the program has seen with each package."""

    async def run(python: str, package: str) -> Any:
        output = tmp_path / f"{package}.json"
        program = await asyncio.create_subprocess_exec(
            python,
            *("-m", "tests.parity.interception", package, address, str(output)),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            said, _ = await asyncio.wait_for(program.communicate(), 90)
        except asyncio.TimeoutError:
            program.kill()
            raise
        assert program.returncode == 0, said.decode()
        return json.loads(output.read_text())

    return {PEER: await run(str(peer_python()), PEER), "invincible": await run(sys.executable, "invincible")}


async def test_interceptors_see_the_same(programs: dict[str, Any]) -> None:
    theirs, ours = programs[PEER], programs["invincible"]
    assert ours["answers"] == theirs["answers"]
    assert ours["calls"].keys() == theirs["calls"].keys()
    for place, calls in theirs["calls"].items():
        found = ours["calls"][place]
        if place.endswith(RACING):
            calls, found = sorted(calls, key=str), sorted(found, key=str)
        assert found == calls, place
    methods = {call[0].partition(".")[2] for calls in ours["calls"].values() for call in calls}
    assert {"handle_update_validator", "start_child_workflow", "continue_as_new", "heartbeat"} < methods, "it did run"
