"""The interpreters, programs and files of a run, made on first use and kept under `build/bench`."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.environments import (
    PEER,
    PEER_VERSION,
    SetupError,
    environment,
    is_current,
    mark_current,
    pip_install,
    run,
)

# What the workflow files of the start-of-run benchmark import.
START_LIBRARIES = ("pyyaml>=6,<7", "click>=8,<9", "sqlalchemy>=2,<3")
# What the conversion benchmark converts. Apart from the others: the official SDK's sandbox looks whether it is there.
CONVERSION_LIBRARIES = ("pydantic>=2.11,<3",)

BENCHMARKS = Path(__file__).resolve().parent.parent
ROOT = BENCHMARKS.parent
BUILD = ROOT / "build" / "bench"
FLOOR_CRATE = "invincible-bench-floor"


@dataclass(frozen=True)
class Contender:
    """An interpreter with one of the two SDKs, and the scenario programs written for it."""

    sdk: str
    python: Path
    scenarios: Path
    unsandboxed: bool = False

    def command(self, program: str, *arguments: object) -> list[str]:
        """The command line of a scenario program."""
        options = ["--unsandboxed"] if self.unsandboxed else []
        return [str(self.python), str(self.scenarios / program), *map(str, arguments), *options]

    def version(self) -> str:
        """The installed version; a source tree on the path has none."""
        code = (
            "import importlib.metadata as metadata; "
            f"print(next((found.version for found in metadata.distributions(name={self.sdk!r})), 'not installed'))"
        )
        return run([str(self.python), "-c", code], f"cannot ask for the version of {self.sdk}").strip()


def ours() -> Contender:
    """The project as it is installed for the interpreter that runs the benchmarks."""
    return Contender("invincible", Path(sys.executable), BENCHMARKS / "scenarios")


def peer(*, unsandboxed: bool = False) -> Contender:
    """`temporalio` from PyPI in an environment of its own, on the same Python."""
    python = environment(BUILD / PEER, [f"{PEER}=={PEER_VERSION}"])
    return Contender(PEER, python, translated_scenarios(), unsandboxed)


def translated_scenarios() -> Path:
    """The scenarios with `temporalio` for `invincible`: nothing else differs between the two."""
    folder = BUILD / "scenarios"
    folder.mkdir(parents=True, exist_ok=True)
    for source in (BENCHMARKS / "scenarios").glob("*.py"):
        translated = re.sub(r"\binvincible\b", PEER, source.read_text(encoding="utf-8"))
        target = folder / source.name
        # An untouched file keeps its bytecode, as an installed program would.
        if not target.exists() or target.read_text(encoding="utf-8") != translated:
            target.write_text(translated, encoding="utf-8")
    return folder


def libraries(name: str, requirements: Sequence[str]) -> Path:
    """A folder with libraries that some scenarios import, for `PYTHONPATH`."""
    folder = BUILD / f"libraries-{name}"
    if is_current(folder, requirements):
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    pip_install(peer().python, *requirements, options=["--target", str(folder)])
    mark_current(folder, requirements)
    return folder


def histories() -> Path:
    """A folder with the histories to replay."""
    folder = BUILD / "histories"
    run(peer().command("histories.py", folder), "cannot write the histories")
    return folder


def floor() -> Path:
    """The Rust program that replays without a language layer, built if need be."""
    if not shutil.which("cargo"):
        raise SetupError("the floor needs cargo: install Rust or leave `floor` out of --contenders")
    command = ["cargo", "build", "--release", "--locked", "--package", FLOOR_CRATE]
    output = run([*command, "--message-format", "json-render-diagnostics"], f"cannot build {FLOOR_CRATE}")
    for message in map(json.loads, output.splitlines()):
        if message["reason"] == "compiler-artifact" and message["target"]["name"] == "floor":
            return Path(message["executable"])
    raise SetupError(f"cargo built {FLOOR_CRATE} without a program named floor")
