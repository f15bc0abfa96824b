"""Standard streams that are closed, full or short of characters; arguments that are no text; Ctrl-C."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")

COMMAND = [sys.executable, "-m", "invincible.cli"]


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """A history to draw."""
    file = tmp_path / "history.json"
    file.write_text(
        '{"events": [{"eventId": "1", "eventTime": "2026-01-01T12:00:00Z", "eventType": '
        '"EVENT_TYPE_WORKFLOW_EXECUTION_STARTED", "workflowExecutionStartedEventAttributes": '
        '{"workflowId": "ordér-✓", "workflowType": {"name": "Order"}}}]}',
        encoding="utf-8",
    )
    return file


def shell(redirection: str, *arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    script = f'exec "$@" {redirection}'
    return subprocess.run(
        ["sh", "-c", script, "sh", *COMMAND, *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("redirection", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_streams_that_are_closed(history: Path, redirection: str) -> None:
    done = shell(redirection, "workflow", "show", "--file", history)
    assert (done.returncode, done.stderr) == (0, "")
    assert (done.stdout == "") == (">&- " in f"{redirection} ".replace("2>&- ", ""))


def test_nobody_can_answer() -> None:
    done = shell("<&-", "workflow", "start", "Order", "-t", "orders", "--input-file", "-")
    assert done.returncode == 2
    assert "--input-file - is no JSON" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("options", [(), ("--events",), ("--json",)])
def test_no_space_is_left(history: Path, options: tuple[str, ...]) -> None:
    done = shell(">/dev/full", "workflow", "show", "--file", history, *options)
    assert done.returncode == 1
    assert done.stderr == "Error: cannot print: No space left on device\n"


@pytest.mark.parametrize("options", [(), ("--events",)])
def test_characters_that_the_encoding_lacks(history: Path, options: tuple[str, ...]) -> None:
    done = subprocess.run(
        [*COMMAND, "workflow", "show", "--file", str(history), *options],
        env={**os.environ, "PYTHONIOENCODING": "latin-1:strict"},
        capture_output=True,
        encoding="latin-1",
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "ordér-\\u2713" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("workflow", "list", "--query", "\udcfc"),
        ("workflow", "start", "Order", "-t", "orders", "-i", '"\udcfc"'),
        ("workflow", "terminate", "order", "--reason", "\udcfc"),
        ("workflow", "signal", "order", "\udcfc"),
        ("workflow", "list", "--grpc-meta", "secret=\udcfc"),
    ],
)
def test_arguments_that_are_no_text(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stderr.endswith(": it is not UTF-8\n")
    assert "secret" not in result.stderr


def test_ctrl_c() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        process = subprocess.Popen(
            [*COMMAND, "workflow", "list", "--address", address],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        with process:
            # Nobody answers there.
            connection, _ = listener.accept()
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=60)
            connection.close()
    assert process.returncode == 130
    assert (stdout, stderr) == ("", "\n")
