"""The wheels as a user gets them: in an empty environment, with no toolchain, away from the repository."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("program.py")
EXAMPLE = ROOT / "examples" / "testing"

pytestmark = pytest.mark.timeout(900)


class Wheels(NamedTuple):
    sdk: Path
    server: Path


class Installed(NamedTuple):
    python: Path
    environment: dict[str, str]


@pytest.fixture(scope="module")
def wheels() -> Wheels:
    # make brings the wheels up to date, so that an old one is never what is tested.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(["make", "wheel"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    [sdk] = ROOT.glob("dist/invincible-*.whl")
    [server] = ROOT.glob("dist/invincible_server-*.whl")
    return Wheels(sdk, server)


@pytest.fixture(scope="module")
def installed(wheels: Wheels, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    foreign = ("CARGO", "GO", "MAKE", "PYTHON", "RUST", "VIRTUAL_ENV")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    environment["PATH"] = str(folder / "bin")
    done = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", wheels.sdk, wheels.server],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Installed(python, environment)


def test_sdk_wheel_holds_what_it_must_and_no_more(wheels: Wheels) -> None:
    assert wheels.sdk.name.split("-")[2:4] == ["cp310", "abi3"]
    with zipfile.ZipFile(wheels.sdk) as archive:
        names = set(archive.namelist())
    assert {
        "invincible/__init__.py",
        "invincible/_native.abi3.so",
        "invincible/_native.pyi",
        "invincible/api/common/v1/__init__.py",
        "invincible/api/common/v1/message_pb2.py",
        "invincible/api/common/v1/message_pb2.pyi",
        "invincible/client/_sync/classes.pyi",
        "invincible/py.typed",
    } <= names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    suffixes = {Path(name).suffix for name in names if name.startswith("invincible/")}
    assert suffixes == {".py", ".pyi", ".so", ".typed"}


def test_server_wheel_is_for_this_platform_and_any_python(wheels: Wheels) -> None:
    tags = wheels.server.stem.split("-")[2:]
    assert tags[:2] == ["py3", "none"]
    assert tags[2] != "any"


def test_a_workflow_runs_from_the_wheels_alone(installed: Installed, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.read_text())
    done = subprocess.run(
        [installed.python, program],
        cwd=tmp_path,
        env=installed.environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)
    assert result["greeting"] == "Hello, wheel"
    assert result["programs"] or sys.platform != "linux", "the embedded server was not seen"
    used = [Path(name).resolve() for name in result["modules"] + result["programs"]]
    assert [path for path in used if path.is_relative_to(ROOT)] == []


def test_the_example_project_needs_the_wheels_and_pytest_alone(installed: Installed, tmp_path: Path) -> None:
    project = tmp_path / "shop"
    shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache"))
    pytests = ["pytest>=8.3,<10", "pytest-asyncio>=1.0,<2", "pytest-xdist>=3.6,<4"]
    for arguments in (["pip", "install", "--quiet", *pytests], ["pytest", "-n", "2"]):
        done = subprocess.run(
            [installed.python, "-m", *arguments],
            cwd=project,
            env=installed.environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert "13 passed" in done.stdout


def test_the_command_is_installed(installed: Installed) -> None:
    command = installed.python.with_name("invincible")
    done = subprocess.run([command, "--version"], env=installed.environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "0.1.0" in done.stdout
