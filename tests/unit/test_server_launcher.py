"""How the embedded server is found, started and stopped; programs of a few lines stand in for it."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from invincible.cli import main
from invincible.cli.server import server_flags
from invincible.testing import ServerStartError, _server
from invincible.testing._environment import WorkflowEnvironment
from invincible.testing._server import ServerProcess, server_binary
from tests.support.conditions import eventually
from tests.support.processes import is_gone

READY = '{"event":"ready","grpc":"h:1","http":"http://h:2","ui":null,"metrics":null,"namespaces":["default"]}'


def program(folder: Path, *lines: str, name: str = "server") -> Path:
    path = folder / name
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INVINCIBLE_SERVER", raising=False)
    # None makes the import fail as if there were no such package.
    monkeypatch.setitem(sys.modules, "invincible_server", None)


def install_package(monkeypatch: pytest.MonkeyPatch, binary: Path) -> None:
    package = ModuleType("invincible_server")
    package.binary_path = lambda: binary  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "invincible_server", package)


def test_a_given_path_comes_before_the_variable_and_that_before_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, named, installed = (program(tmp_path, name=name) for name in ("given", "named", "installed"))
    install_package(monkeypatch, installed)
    assert server_binary() == installed
    monkeypatch.setenv("INVINCIBLE_SERVER", str(named))
    assert server_binary() == named
    assert server_binary(given) == given


def test_without_a_server_the_error_says_how_to_get_one() -> None:
    with pytest.raises(ServerStartError, match=r"pip install invincible-server.*INVINCIBLE_SERVER"):
        server_binary()


def test_a_package_without_its_binary_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    package = ModuleType("invincible_server")

    def binary_path() -> Path:
        raise FileNotFoundError("no server binary in /there")

    package.binary_path = binary_path  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "invincible_server", package)
    with pytest.raises(ServerStartError, match="no server binary in /there"):
        server_binary()


def test_a_wrong_path_is_named_with_where_it_came_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = tmp_path / "missing"
    with pytest.raises(ServerStartError, match=f"the path given names {missing} .* no such file"):
        server_binary(missing)
    with pytest.raises(TypeError, match="the path of a server program must be a str or a path, got int"):
        server_binary(7)  # type: ignore[arg-type]
    monkeypatch.setenv("INVINCIBLE_SERVER", str(tmp_path))
    with pytest.raises(ServerStartError, match=f"INVINCIBLE_SERVER names {tmp_path} .* no such file"):
        server_binary()
    plain = tmp_path / "plain"
    plain.touch(mode=0o644)
    with pytest.raises(ServerStartError, match=f"names {plain} .* not executable"):
        server_binary(plain)


def test_a_server_is_ready_when_it_says_so_and_ends_when_stopped(tmp_path: Path) -> None:
    binary = program(tmp_path, 'echo "flags: $*" >&2', f"echo '{READY}'", "exec sleep 600")
    server = ServerProcess(["--port", "0"], binary=binary)
    assert (server.ready.grpc, server.ready.http, server.ready.ui) == ("h:1", "http://h:2", None)
    server.stop()
    server.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(server.pid, 0)
    assert server.log == f"flags: --port 0 --parent-pid {os.getpid()}"


def test_a_server_that_ends_at_once_is_quoted(tmp_path: Path) -> None:
    binary = program(tmp_path, "echo 'port 7233 is already in use' >&2", "exit 1")
    with pytest.raises(ServerStartError, match=r"exit status 1.*port 7233 is already in use"):
        ServerProcess(binary=binary)
    with pytest.raises(ServerStartError, match=r"exit status 3.*it said nothing"):
        ServerProcess(binary=program(tmp_path, "exit 3"))


def test_a_server_that_is_never_ready_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_server, "_STOP_TIMEOUT", 0.1)
    pid = tmp_path / "pid"
    deaf = program(tmp_path, "trap '' TERM", f"echo $$ > {pid}", "echo stuck >&2", "exec sleep 600")
    with pytest.raises(ServerStartError, match=r"not ready within 1 s.*\nstuck"):
        ServerProcess(binary=deaf, timeout=1)
    with pytest.raises(ServerStartError, match=r"not ready within 0\.001 s.*\nnothing"):
        ServerProcess(binary=program(tmp_path, "exec sleep 600", name="silent"), timeout=0.001)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


@pytest.mark.parametrize("deaf", [False, True])
async def test_what_a_program_runs_ends_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deaf: bool) -> None:
    monkeypatch.setattr(_server, "_STOP_TIMEOUT", 0.1)
    pid = tmp_path / "pid"
    inner = program(tmp_path, "trap '' TERM" if deaf else "", f"echo $$ > {pid}", f"echo '{READY}'", "exec sleep 600")
    wrapper = program(tmp_path, f"{inner} & wait", name="wrapper")
    ServerProcess(binary=wrapper).stop()

    inner_pid = int(pid.read_text())

    async def gone() -> bool:
        return is_gone(inner_pid)

    await eventually(gone, what="what the program runs has ended")


def test_a_program_that_is_no_server_is_named(tmp_path: Path) -> None:
    binary = program(tmp_path, "echo hello")
    with pytest.raises(ServerStartError, match=rf"{binary}.* is no server of this package: it said 'hello\\n'"):
        ServerProcess(binary=binary)
    binary.write_bytes(b"\0\0\0\0")
    with pytest.raises(ServerStartError, match=f"cannot run the server {binary}: "):
        ServerProcess(binary=binary)


def test_a_closed_standard_error_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    binary = program(tmp_path, "echo one >&2", "echo two >&2", f"echo '{READY}'", "exec sleep 600")
    monkeypatch.setattr(sys, "stderr", None)
    server = ServerProcess(binary=binary)
    server.stop()
    assert server.log == "one\ntwo"


async def test_a_start_that_is_cancelled_leaves_no_server(tmp_path: Path) -> None:
    pid, go = tmp_path / "pid", tmp_path / "go"
    os.mkfifo(go)
    binary = program(tmp_path, f"echo $$ > {pid}", f"read line < {go}", f"echo '{READY}'", "exec sleep 600")
    starting = asyncio.create_task(WorkflowEnvironment.start_local(dev_server_existing_path=str(binary)))

    async def launched() -> str:
        return pid.read_text() if pid.exists() else ""

    number = int(await eventually(launched, what="the server is launched"))
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    go.write_text("ready\n")

    async def gone() -> bool:
        return is_gone(number)

    await eventually(gone, what="the server is gone")


def test_people_read_words_and_programs_json() -> None:
    assert server_flags(["--port", "0"], terminal=True) == ["--output", "text", "--port", "0"]
    assert server_flags(["--json", "--port", "0"], terminal=True) == ["--output", "json", "--port", "0"]
    assert server_flags(["--port", "0"], terminal=False) == ["--output", "json", "--port", "0"]


def test_the_command_becomes_the_server(tmp_path: Path) -> None:
    binary = program(tmp_path, 'echo "$$ $*"', "exit 7")
    command = [sys.executable, "-m", "invincible", "server", "--db", "a b.db", "--help"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "INVINCIBLE_SERVER": str(binary)}
    ) as process:
        output, _ = process.communicate(timeout=60)
    assert output == f"{process.pid} --output json --db a b.db --help\n"
    assert process.returncode == 7


def test_the_command_says_that_there_is_no_server() -> None:
    result = CliRunner().invoke(main, ["server"])
    assert result.exit_code == 1
    assert "pip install invincible-server" in result.output


def test_the_command_knows_its_version_and_its_commands() -> None:
    assert CliRunner().invoke(main, ["--version"]).output.startswith("invincible 0.")
    assert re.search(r"  server +Run the embedded Temporal server", CliRunner().invoke(main, ["--help"]).output)
    unknown = CliRunner().invoke(main, ["sever"])
    assert unknown.exit_code == 2
    assert "No such command 'sever'" in unknown.output


def test_the_command_starts_without_the_native_module() -> None:
    code = "import sys, invincible.cli.server; print(*(name for name in sys.modules if name.startswith('invincible.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {name.split(".")[1] for name in done.stdout.split()} == {"_lazy", "cli", "testing"}
