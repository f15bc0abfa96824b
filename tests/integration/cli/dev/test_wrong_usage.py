"""`invincible dev`: what cannot be run, and how that is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.dev import Dev, write


@pytest.mark.parametrize(
    ("options", "target", "message"),
    [
        ((), "missing.py", "there is no file 'missing.py'"),
        ((), "missing", "there is no file, folder or module 'missing'"),
        (("--address", "localhost:1", "--port", "1"), "orders.py", "not with --address"),
        (("--api-key", "secret"), "orders.py", "--api-key is for a server that runs already: give --address too"),
        (("--debugger", "--processes", "2"), "orders.py", "--debugger is for one process"),
        (("--no-ui", "--open"), "orders.py", "--no-ui goes neither with --open"),
    ],
)
async def test_wrong_usage(project: Path, options: tuple[str, ...], target: str, message: str) -> None:
    async with Dev(project, *options, target=target) as dev:
        assert await dev.exit_code() == 2
        assert message in dev.output
        assert "secret" not in dev.output


async def test_a_server_that_is_not_there(project: Path) -> None:
    async with Dev(project, "--address", "127.0.0.1:1") as dev:
        await dev.log("cannot connect to 127.0.0.1:1")
        assert await dev.exit_code() == 1
        assert "Traceback" not in dev.output


async def test_what_is_not_installed(project: Path) -> None:
    async with Dev(project, env={"INVINCIBLE_SERVER": str(project / "none")}) as dev:
        assert await dev.exit_code() == 1
        assert "INVINCIBLE_SERVER names" in dev.output
        assert "Traceback" not in dev.output
    write(project, "raise ImportError\n", "watchfiles.py")
    async with Dev(project) as dev:
        assert await dev.exit_code() == 1
        assert "this needs watchfiles: pip install 'invincible[dev]' (or give --no-reload)" in dev.output


async def test_a_port_that_is_taken(project: Path, address: str) -> None:
    async with Dev(project, "--port", address.rpartition(":")[2], "--no-ui") as dev:
        assert await dev.exit_code() == 1
        assert "in use" in dev.output
        assert "Traceback" not in dev.output


async def test_a_file_that_is_broken_and_not_watched(project: Path, address: str) -> None:
    write(project, "def\n")
    async with Dev(project, "--address", address, "--no-reload") as dev:
        assert "orders.py:1: SyntaxError: invalid syntax" in (await dev.event("not-loaded"))["message"]
        assert await dev.exit_code() == 1


async def test_a_database_that_cannot_be_made(project: Path) -> None:
    async with Dev(project, "--db", "orders.py/dev.db") as dev:
        assert await dev.exit_code() == 1
        assert "Error: cannot make the folder of orders.py/dev.db: File exists" in dev.output
