"""Ctrl-C while a blocking call waits: it ends at once, and so does its work."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")

SOON = 30


@contextmanager
def running(script: str, *args: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(script), *args]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


WAITING = """
    import sys, threading, time
    from invincible.client import SyncClient
    client = SyncClient.connect(sys.argv[1])
    handle = client.start_workflow("nobody", id=sys.argv[2], task_queue=sys.argv[2])

    def tell():
        # The wait is under way when another call, made after it, has been answered.
        while not client._calls._running:
            pass
        handle.describe()
        print("waiting", flush=True)

    threading.Thread(target=tell).start()
"""


def test_ctrl_c_interrupts_the_wait_for_a_result(address: str, task_queue: str) -> None:
    script = (
        WAITING
        + """
    import asyncio
    from invincible.client._sync.portal import portal
    try:
        handle.result()
    except KeyboardInterrupt:
        print("interrupted", asyncio.all_tasks(portal().loop), flush=True)
    handle.terminate()
    print(handle.describe().status.name)
    """
    )
    with running(script, address, task_queue) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "interrupted set()\n"
        assert time.monotonic() - began < 1
        output, errors = process.communicate(timeout=SOON)
        assert (output, errors, process.returncode) == ("TERMINATED\n", "", 0)


def test_a_program_that_does_not_catch_it_ends_with_the_traceback_of_its_call(address: str, task_queue: str) -> None:
    with running(WAITING + "    handle.result()", address, task_queue) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=SOON)
        assert time.monotonic() - began < 2
        assert process.returncode == -signal.SIGINT
        assert errors.startswith("Traceback (most recent call last):\n")
        assert errors.endswith("\nKeyboardInterrupt\n")


def test_the_connection_of_an_interrupted_call_is_given_up() -> None:
    script = """
        import sys
        from invincible.client import SyncClient
        try:
            SyncClient.connect(sys.argv[1])
        except KeyboardInterrupt:
            print("interrupted", flush=True)
            sys.stdin.readline()
    """
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        running(script, "{}:{}".format(*listener.getsockname())) as process,
    ):
        listener.settimeout(SOON)
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(SOON)
            process.send_signal(signal.SIGINT)
            while connection.recv(4096):
                pass  # until the other side closes it
        assert process.stdout is not None
        assert process.stdout.readline() == "interrupted\n"
        assert process.poll() is None
