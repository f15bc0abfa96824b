"""``invincible check``: which files it reads, what it prints, how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from invincible.cli import main

CLEAN = "from invincible import workflow\n\n@workflow.defn\nasync def clean() -> None: ...\n"
DIRTY = """\
import time
from invincible import workflow

@workflow.defn
async def dirty() -> float:
    return time.time()
"""
MESSAGE = "time.time() in workflow code is different on each replay: use workflow.time()"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    package = tmp_path / "shop"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text("raise AssertionError('imported')\n")
    (package / "inner" / "__init__.py").write_text("raise AssertionError('imported')\n")
    (package / "inner" / "orders.py").write_text(DIRTY)
    (package / "stock.py").write_text(CLEAN)
    for skipped in (".hidden", "__pycache__", "node_modules", "environment"):
        (tmp_path / skipped).mkdir()
        (tmp_path / skipped / "dirty.py").write_text(DIRTY)
    (tmp_path / "environment" / "pyvenv.cfg").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def check(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", *arguments])


def test_a_clean_file_ends_with_0(project: Path) -> None:
    result = check("shop/stock.py")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "no findings: 1 workflow in 1 file\n"


@pytest.mark.parametrize("path", ["shop", ".", "shop/inner/orders.py", "shop.inner.orders", "shop.inner"])
def test_files_folders_and_modules_are_checked_without_importing_them(project: Path, path: str) -> None:
    result = check(path)
    assert result.exit_code == 1
    assert result.stdout.rstrip("\n").endswith(f"orders.py:6: {MESSAGE}")
    assert result.stdout.count("\n") == 1
    assert result.stderr.startswith("1 finding: ")
    assert "shop" not in sys.modules


def test_no_worker_is_needed(project: Path) -> None:
    code = (
        "import sys, invincible.cli.check as check, invincible.cli._sources; print('invincible.worker' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_paths_are_as_given(project: Path) -> None:
    assert check("shop").stdout.startswith(str(Path("shop/inner/orders.py:6: ")))
    assert check("shop", "shop/inner").stdout.count("\n") == 1, "each file once"
    assert check("shop", "shop/inner").stderr == "1 finding: 2 workflows in 4 files\n"


def test_json_is_for_programs(project: Path) -> None:
    result = check("--json", "shop")
    path = str(Path("shop/inner/orders.py"))
    assert json.loads(result.stdout) == [{"path": path, "line": 6, "message": MESSAGE}]
    assert result.exit_code == 1
    assert json.loads(check("--json", "shop/stock.py").stdout) == []


def test_what_cannot_be_read_is_a_finding(project: Path) -> None:
    (project / "broken.py").write_text("def f(:\n")
    result = check("broken.py")
    assert result.exit_code == 1
    assert result.stdout.startswith("broken.py:1: syntax error: ")
    (project / "binary.py").write_bytes(b"# coding: utf-8\nx = '\xff'\n")
    result = check("binary.py")
    assert result.exit_code == 1
    assert result.stdout.startswith("binary.py:1: cannot be read: ")


@pytest.mark.parametrize("path", ["nowhere.py", "no.such.module", "shop.missing", "..", "sys"])
def test_a_path_that_does_not_exist_ends_with_2(project: Path, path: str) -> None:
    result = check("shop", path) if path != ".." else check()
    assert result.exit_code == 2
    assert result.stdout == ""
    if path != "..":
        assert f"{path!r} is no file, folder or module" in result.stderr


def test_the_guide_shows_what_is_printed(project: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "determinism.md").read_text(encoding="utf-8")
    source, expected = (
        guide.partition(start)[2].partition("```")[0] for start in ("```python\n", "$ invincible check billing.py\n")
    )
    (project / "billing.py").write_text(source)
    result = check("billing.py")
    assert result.stdout + result.stderr == expected


def test_the_command_runs_as_a_program(project: Path) -> None:
    command = [sys.executable, "-m", "invincible", "check", "shop"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert MESSAGE in result.stdout
    assert "1 finding: 2 workflows in 4 files" in result.stderr
