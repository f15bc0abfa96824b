"""protos/generate.py: what it makes depends on its inputs alone, and it does no work twice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def generate(output: Path, path: str = os.environ["PATH"]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "protos" / "generate.py"), "--output", str(output)]
    return subprocess.run(command, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=120)


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_output_is_that_of_the_build_and_made_once(tmp_path: Path) -> None:
    output = tmp_path / "api"
    assert "making" in generate(output).stdout
    assert contents(output) == contents(ROOT / "python" / "invincible" / "api")

    (output / "common" / "v1" / "message_pb2.py").unlink()
    assert generate(output).stdout == ""
    assert not (output / "common" / "v1" / "message_pb2.py").exists()

    (output / ".inputs").write_text("older inputs")
    (output / "left_over.py").write_text("")
    assert "making" in generate(output).stdout
    assert contents(output) == contents(ROOT / "python" / "invincible" / "api")
    assert list(tmp_path.iterdir()) == [output]


def test_a_missing_tool_is_named(tmp_path: Path) -> None:
    done = generate(tmp_path / "api", path=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr == "protos/generate.py: cargo is not on PATH\n"
