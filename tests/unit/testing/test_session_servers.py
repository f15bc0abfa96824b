"""How servers of a test session are found, and what of their log is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from invincible.testing import ServerStartError
from invincible.testing.pytest_plugin import _namespaces
from invincible.testing.pytest_plugin._servers import Log, OtherServer, OwnServers
from invincible.testing.pytest_plugin._sharing import AskedServers, Sharing

# Announces itself as the server does, logs its options, and waits for its end.
SERVER = """#!/bin/sh
echo "options: $*" >&2
echo '{"grpc": "127.0.0.1:1", "http": "http://127.0.0.1:2", "ui": null, "metrics": null, "namespaces": ["default"]}'
exec sleep 60
"""


@pytest.fixture
def program(tmp_path: Path) -> str:
    path = tmp_path / "server"
    path.write_text(SERVER)
    path.chmod(0o755)
    return str(path)


def logged(servers: OwnServers, *options: str) -> str:
    """The first line of a server's log, once it is there."""
    while not (lines := servers.log(options, 0).lines):
        pass
    return lines[0]


def test_one_server_for_each_set_of_options(program: str) -> None:
    servers = OwnServers(program)
    try:
        servers.start()
        servers.start("--log-level", "info")
        servers.start()
        assert "--headless --parent-pid" in logged(servers)
        assert "--headless --log-level info --parent-pid" in logged(servers, "--log-level", "info")
        assert len(servers._started) == 2
    finally:
        servers.close()


def test_lines_after_a_position(program: str) -> None:
    servers = OwnServers(program)
    try:
        servers.start()
        first = logged(servers)
        assert servers.log((), 0) == Log(1, [first])
        assert servers.log((), 1) == Log(1, [])
        started = servers._started[()]
        for number in range(3000):
            started._add(str(number))
        assert servers.log((), 2998) == Log(3001, ["2997", "2998", "2999"])
        assert len(servers.log((), 0).lines) == 2000
    finally:
        servers.close()


def test_a_process_asks_another_for_its_servers(program: str) -> None:
    sharing = Sharing(OwnServers(program))
    try:
        address, key = sharing.input
        asked = AskedServers(address, bytes.fromhex(key))
        server = asked.start("--log-level", "info")
        assert (server.address, server.http_url, server.ui_url) == ("127.0.0.1:1", "http://127.0.0.1:2", None)
        while not (log := server._log(0)).lines:
            pass
        assert "--log-level info" in log.lines[0]
        assert server._log(log.position) == Log(log.position, [])
        asked.close()
        assert asked.start("--log-level", "info").address == server.address
    finally:
        sharing.close()


def test_who_has_no_key_gets_nothing_and_disturbs_nobody(program: str) -> None:
    from multiprocessing import AuthenticationError

    sharing = Sharing(OwnServers(program))
    try:
        address, key = sharing.input
        with pytest.raises(AuthenticationError):
            AskedServers(address, b"guessed").start()
        assert AskedServers(address, bytes.fromhex(key)).start().address == "127.0.0.1:1"
    finally:
        sharing.close()


def test_why_there_is_no_server_is_said_where_it_is_asked_for() -> None:
    sharing = Sharing(OwnServers("/no/such/server"))
    try:
        address, key = sharing.input
        with pytest.raises(ServerStartError, match="names /no/such/server as the server, and there is no such file"):
            AskedServers(address, bytes.fromhex(key)).start()
    finally:
        sharing.close()


def test_a_server_of_somebody_else_is_left_alone() -> None:
    servers = OtherServer("example.org:7233")
    assert servers.start("--any", "option").address == "example.org:7233"
    assert servers.start()._log(0) == Log(0, ())
    servers.close()


@pytest.mark.parametrize(
    ("test", "begin"),
    [
        ("test_greeting", "test-greeting-"),
        ("test_greeting[Ada-1/2 x]", "test-greeting-Ada-1-2-x-"),
        ("test_é", "test-"),
        ("è", "test-"),
        ("x" * 300, "x" * 40 + "-"),
    ],
)
def test_names_tell_of_their_test_and_differ(test: str, begin: str) -> None:
    names = {_namespaces.unique_name(test) for _ in range(20)}
    assert len(names) == 20
    assert all(name.startswith(begin) and len(name) == len(begin) + 8 for name in names)
