"""Python environments for packages that must not meet ours, made on first use and kept under `build`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock

PEER = "temporalio"
PEER_VERSION = "1.35.0"

ROOT = Path(__file__).resolve().parents[2]


class SetupError(Exception):
    """Something that tests or benchmarks need could not be made; the message says what and what to do."""


def environment(folder: Path, requirements: Sequence[str]) -> Path:
    """The interpreter of a virtual environment with the requirements, on this process's Python.

    Made anew when the requirements or the Python change. Processes that ask at once wait for the first.

    Raises:
        SetupError: It could not be made.
    """
    python = folder / "bin" / "python"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not is_current(folder, requirements):
            run([sys.executable, "-m", "venv", "--clear", str(folder)], f"cannot make an environment in {folder}")
            pip_install(python, *requirements)
            mark_current(folder, requirements)
    return python


def pip_install(python: Path, *requirements: str, options: Sequence[str] = ()) -> None:
    """Installs requirements from the package index.

    Raises:
        SetupError: They could not be installed.
    """
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *options, *requirements]
    run(command, f"cannot install {', '.join(requirements)}; is the package index reachable?")


def is_current(folder: Path, requirements: Sequence[str]) -> bool:
    """Whether a folder was marked as holding the requirements, for this Python."""
    stamp = folder / "installed"
    return stamp.exists() and stamp.read_text(encoding="utf-8") == _stamp(requirements)


def mark_current(folder: Path, requirements: Sequence[str]) -> None:
    """Marks a folder as holding the requirements, for this Python."""
    (folder / "installed").write_text(_stamp(requirements), encoding="utf-8")


def run(command: Sequence[str], complaint: str) -> str:
    """Runs a command in the root folder of the repository and returns what it printed.

    Raises:
        SetupError: Its exit status is not zero.
    """
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SetupError(f"{complaint} (`{' '.join(command)}` ended with status {done.returncode})")
    return done.stdout


def _stamp(requirements: Sequence[str]) -> str:
    return "\n".join([sys.version, *requirements])
