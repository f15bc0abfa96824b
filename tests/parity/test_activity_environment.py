"""Activities find the same in an ``ActivityEnvironment`` as with temporalio."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.support.environments import PEER, run

from .peer import peer_python


def seen(python: str, package: str, folder: Path) -> list[dict[str, Any]]:
    output = folder / f"{package}.json"
    run(
        [python, "-m", "tests.parity.activity_environment", package, str(output)], f"cannot run activities of {package}"
    )
    read: list[dict[str, Any]] = json.loads(output.read_text())
    return read


def test_activities_find_the_same(tmp_path: Path) -> None:
    theirs = seen(str(peer_python()), PEER, tmp_path)
    ours = seen(sys.executable, "invincible", tmp_path)
    assert ours == theirs
    assert [len(part) for part in ours] == [11, 4, 3, 12, 8], "all of them did run"
    assert ours[3]["thread"] == ours[3]["async"]
    assert ours[3]["async"][0] is True
