"""Type checkers, run on some modules."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]


def complaints(checker: str, modules: Sequence[Path]) -> list[str]:
    """What a checker has to say of the modules, in its own words.

    Args:
        checker: ``mypy`` or ``pyright``; configured as for the whole project.
        modules: Their files, absolute or from the root of the project.
    """
    command = [sys.executable, "-m", checker, *map(str, modules)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    names = {path.name for path in modules}
    return [line for line in done.stdout.splitlines() if "error: " in line and _name(line) in names]


def _name(line: str) -> str:
    return Path(line.strip().partition(":")[0]).name
