"""`invincible --version`."""

from __future__ import annotations

import platform
import re
from importlib.metadata import version
from pathlib import Path

import pytest

from invincible.testing._server import server_binary
from tests.support.cli import run
from tests.support.environments import ROOT


def lines() -> list[str]:
    result = run("--version")
    assert result.exit_code == 0
    return result.stdout.splitlines()


def test_everything_that_matters_for_a_bug_report() -> None:
    package, core, server, python = lines()
    assert package == f"invincible {version('invincible')}"
    locked = re.search(r'name = "temporalio-sdk-core"\nversion = "([^"]+)"', (ROOT / "Cargo.lock").read_text())
    assert locked is not None
    assert core == f"Temporal Core {locked[1]}"
    assert server.startswith("server: invincible-server ")
    assert "Temporal server 1." in server
    assert python.startswith(f"CPython {platform.python_version()}, {platform.system()}")


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("", "there is no such file"),
        ("#!/bin/sh\nexit 1\n", "does not tell its version"),
        ("no program", "cannot be run: Exec format error"),
    ],
)
def test_a_server_that_tells_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, message: str
) -> None:
    file = tmp_path / "server"
    if program:
        file.write_text(program)
        file.chmod(0o755)
    monkeypatch.setenv("INVINCIBLE_SERVER", str(file))
    assert lines()[2].endswith(message)


def test_the_server_that_would_be_run_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "server"
    file.write_text(f"#!/bin/sh\nexec {server_binary()} --version\n")
    file.chmod(0o755)
    monkeypatch.setenv("INVINCIBLE_SERVER", str(file))
    assert "Temporal server 1." in lines()[2]
