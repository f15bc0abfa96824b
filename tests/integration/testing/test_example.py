"""The project in `examples/testing`, as its reader runs it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[3] / "examples" / "testing"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, away from the repository."""
    copy = tmp_path / "shop"
    shutil.copytree(EXAMPLE, copy, ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache"))
    return copy


def run(project: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *options], cwd=project, capture_output=True, text=True, timeout=110
    )


def test_all_of_it_passes_in_two_processes(project: Path) -> None:
    done = run(project, "-n2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "13 passed" in done.stdout


def test_all_of_it_replays(project: Path) -> None:
    done = run(project, "-n2", "--invincible-always-replay")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_mistake_is_told_where_it_is(project: Path) -> None:
    source = project / "shop" / "workflows.py"
    broken = source.read_text().replace("packed = await", "1 / 0; packed = await")
    assert broken != source.read_text()
    source.write_text(broken)
    done = run(project, "tests/test_shop_orders.py::test_the_price_is_charged", "tests/test_shop_replay.py")
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stdout
    assert "activity charge(" in done.stdout
    assert "shop/workflows.py" in done.stdout


def test_an_incompatible_change_does_not_replay(project: Path) -> None:
    source = project / "shop" / "workflows.py"
    first = "cents = await price.execute(order.items)"
    changed = source.read_text().replace(first, f"await remind.execute(order.customer, order.id)\n        {first}")
    assert changed != source.read_text()
    source.write_text(changed)
    done = run(project, "tests/test_shop_replay.py")
    assert done.returncode == 1
    assert "2 failed" in done.stdout
    assert "shop/workflows.py" in done.stdout
