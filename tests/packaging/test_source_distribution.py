"""The source distribution holds what a build needs, the generator of the messages included."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]]),
        "PYTHONPATH": str(ROOT / "protos"),
    }
    command = [sys.executable, "-c", "import build_backend, sys; build_backend.build_sdist(sys.argv[1])", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    [archive] = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as content:
        content.extractall(tmp_path)
    return tmp_path / archive.name.removesuffix(".tar.gz")


def test_messages_can_be_made_from_it(unpacked: Path) -> None:
    messages = unpacked / "python" / "invincible" / "api"
    assert not messages.exists()
    done = subprocess.run(
        [sys.executable, unpacked / "protos" / "generate.py"], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    made = (messages / "common" / "v1" / "message_pb2.py").read_text()
    assert made == (ROOT / "python" / "invincible" / "api" / "common" / "v1" / "message_pb2.py").read_text()


def test_sources_of_the_bridge_are_in_it(unpacked: Path) -> None:
    for name in (
        "Cargo.toml",
        "Cargo.lock",
        "LICENSE",
        "README.md",
        "core-bridge/src/lib.rs",
        "python/invincible/py.typed",
    ):
        assert (unpacked / name).is_file(), name
