"""The border of runtime, client and queue: misuse, cancellation, fork, signals, exit. No server is needed: a listener
that never answers keeps a call under way, and sees by the end of its connection that the call was aborted."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from invincible import _loop, _native

SOON = 10.0


class SilentListener:
    """Takes connections and never says a word."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(SOON)
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"

    def accept(self) -> socket.socket:
        connection, _ = self._socket.accept()
        connection.settimeout(SOON)
        return connection

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[SilentListener]:
    listener = SilentListener()
    yield listener
    listener.close()


@pytest.fixture(scope="module")
def runtime() -> _native.Runtime:
    return _native.Runtime()


def connecting(runtime: _native.Runtime, address: str) -> _native.Operation[_native.Client]:
    return _native.Client.connect(runtime, address, identity="test")


def wait_until_closed(connection: socket.socket) -> None:
    """Reads until the other side closes; a timeout of the socket is an error."""
    with connection:
        while connection.recv(4096):
            pass


def unused_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"127.0.0.1:{taken.getsockname()[1]}"


def start_script(script: str, *args: str) -> subprocess.Popen[str]:
    program = [sys.executable, "-c", textwrap.dedent(script), *args]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    pipe = subprocess.PIPE
    return subprocess.Popen(program, text=True, env=env, stdin=pipe, stdout=pipe, stderr=pipe)


# Calls


async def test_an_address_nobody_listens_on_is_named(runtime: _native.Runtime) -> None:
    address = unused_address()
    started = time.monotonic()
    with pytest.raises(RuntimeError, match=rf"could not connect to {address}: connection refused.*`invincible server`"):
        await _loop.run(connecting(runtime, address))
    assert time.monotonic() - started < SOON


def test_a_thread_without_event_loop_gets_the_same_error(runtime: _native.Runtime) -> None:
    address = unused_address()
    with pytest.raises(RuntimeError, match=f"could not connect to {address}: connection refused"):
        connecting(runtime, address).wait()


def test_an_unknown_name_is_told_apart_from_a_refusal(runtime: _native.Runtime) -> None:
    with pytest.raises(RuntimeError, match=r"could not connect to no-such-host\.invalid:7233: .*(name|lookup|resolve)"):
        connecting(runtime, "no-such-host.invalid:7233").wait()


@pytest.mark.parametrize("target", ["", "http://localhost:7233", "localhost:port", "host/path"])
def test_a_target_that_is_not_host_and_port_is_refused_at_once(runtime: _native.Runtime, target: str) -> None:
    with pytest.raises(ValueError, match="target_host must be host:port"):
        connecting(runtime, target)


def test_a_target_with_credentials_is_refused_without_showing_them(runtime: _native.Runtime) -> None:
    with pytest.raises(ValueError, match="without credentials") as raised:
        connecting(runtime, "user:s3cret@localhost:7233")
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    ("metadata", "named"),
    [
        ({"two words": "s3cret"}, "two words"),
        ({"token": "s3cret\n"}, "token"),
        ({"token": b"s3cret"}, "token"),
        ({"token-bin": "s3cret"}, "token-bin"),
    ],
)
def test_bad_metadata_is_named_without_its_value(
    runtime: _native.Runtime, listener: SilentListener, metadata: dict[str, str | bytes], named: str
) -> None:
    operation = _native.Client.connect(runtime, listener.address, identity="test", metadata=metadata)
    with pytest.raises(ValueError, match=named) as raised:
        operation.wait()
    assert "s3cret" not in str(raised.value)


async def test_an_operation_starts_once(runtime: _native.Runtime) -> None:
    operation = connecting(runtime, unused_address())
    with pytest.raises(RuntimeError, match="could not connect"):
        await _loop.run(operation)
    with pytest.raises(RuntimeError, match="started already"):
        _loop.run(operation)
    with pytest.raises(RuntimeError, match="started already"):
        operation.wait()


async def test_cancelling_a_call_aborts_it(runtime: _native.Runtime, listener: SilentListener) -> None:
    call = _loop.run(connecting(runtime, listener.address))
    connection = await asyncio.to_thread(listener.accept)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await asyncio.to_thread(wait_until_closed, connection)


async def test_a_timeout_of_the_caller_aborts_the_call(runtime: _native.Runtime, listener: SilentListener) -> None:
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(_loop.run(connecting(runtime, listener.address)), timeout=0.05)
    await asyncio.to_thread(wait_until_closed, await asyncio.to_thread(listener.accept))


async def test_many_calls_resolve_together(runtime: _native.Runtime) -> None:
    address = unused_address()
    calls = [_loop.run(connecting(runtime, address)) for _ in range(200)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {RuntimeError}


# Event loops


class NoReaderLoop(asyncio.SelectorEventLoop):
    """Like the default loop of Windows, it cannot watch descriptors for others."""

    def add_reader(self, fd: object, callback: object, *args: object) -> None:
        raise NotImplementedError


def test_loops_that_cannot_watch_a_socket_are_served_by_a_thread(runtime: _native.Runtime) -> None:
    async def refused_three_times() -> None:
        for _ in range(3):
            with pytest.raises(RuntimeError, match="connection refused"):
                await _loop.run(connecting(runtime, unused_address()))

    loop = NoReaderLoop()
    try:
        loop.run_until_complete(refused_three_times())
        (watcher,) = [thread for thread in threading.enumerate() if thread.name == "invincible-completions"]
    finally:
        loop.close()
    # The next loop that makes a call finds the closed one, and ends its thread.
    asyncio.run(refused_three_times())
    watcher.join(SOON)
    assert not watcher.is_alive()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts descriptors in /proc")
def test_loops_leave_nothing_open(runtime: _native.Runtime) -> None:
    address = unused_address()

    async def refused() -> None:
        with pytest.raises(RuntimeError, match="connection refused"):
            await _loop.run(connecting(runtime, address))

    def descriptors() -> int:
        gc.collect()
        return len(os.listdir("/proc/self/fd"))

    asyncio.run(refused())
    before = descriptors()
    for _ in range(20):
        asyncio.run(refused())
    assert descriptors() <= before


def test_a_loop_closed_under_a_call_loses_it_quietly(runtime: _native.Runtime, listener: SilentListener) -> None:
    async def begin() -> asyncio.Future[_native.Client]:
        return _loop.run(connecting(runtime, listener.address))

    loop = asyncio.new_event_loop()
    call = loop.run_until_complete(begin())
    connection = listener.accept()
    loop.close()

    async def next_loop() -> None:
        _loop.queue()

    asyncio.run(next_loop())
    wait_until_closed(connection)
    assert not call.done()


async def test_a_closed_queue_takes_nothing(runtime: _native.Runtime, listener: SilentListener) -> None:
    queue = _native.CompletionQueue(poll=True)
    future = asyncio.get_running_loop().create_future()
    queue.submit(connecting(runtime, listener.address), future)
    connection = await asyncio.to_thread(listener.accept)
    queue.close()
    queue.close()
    await asyncio.to_thread(wait_until_closed, connection)
    queue.drain()
    assert not future.done()
    with pytest.raises(RuntimeError, match="this completion queue is closed"):
        queue.submit(connecting(runtime, listener.address), future)


# Process


def test_ctrl_c_ends_a_blocking_wait_and_aborts_the_call(listener: SilentListener) -> None:
    script = """
        import os, signal, sys, threading
        from invincible import _native
        operation = _native.Client.connect(_native.Runtime(), sys.argv[1], identity="test")
        threading.Thread(target=lambda: (sys.stdin.readline(), os.kill(os.getpid(), signal.SIGINT))).start()
        try:
            operation.wait()
        except KeyboardInterrupt:
            print("interrupted", flush=True)
            sys.stdin.readline()
    """
    with start_script(script, listener.address) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        connection = listener.accept()
        process.stdin.write("interrupt\n")
        process.stdin.flush()
        assert process.stdout.readline() == "interrupted\n"
        wait_until_closed(connection)
        process.stdin.write("end\n")
        process.stdin.flush()
        assert process.wait(SOON) == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_after_a_fork_the_child_is_told_and_the_parent_goes_on(listener: SilentListener) -> None:
    script = """
        import asyncio, gc, os, sys, warnings
        from invincible import _loop, _native
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads, which is the point here
        runtime = _native.Runtime()

        def connect():
            return _native.Client.connect(runtime, sys.argv[1], identity="test")

        async def main():
            global runtime
            call, unused, queue = _loop.run(connect()), connect(), _loop.queue()
            child = os.fork()
            if child == 0:
                for use in (connect, unused.wait, queue.drain, lambda: queue.submit(unused, None)):
                    try:
                        use()
                    except RuntimeError as error:
                        print(error)
                del runtime, unused, queue
                gc.collect()
                print("child ends", flush=True)
                sys.exit(7)
            print("child ended with", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
            call.cancel()
            try:
                await _loop.run(_native.Client.connect(runtime, sys.argv[2], identity="test"))
            except RuntimeError as error:
                print(error)

        asyncio.run(main())
    """
    with start_script(script, listener.address, refused := unused_address()) as process:
        output, errors = process.communicate(timeout=SOON)
        assert process.returncode == 0, errors
    lines = output.splitlines()
    told = [line.partition(" was created in another process (pid ") for line in lines[:4]]
    assert [what for what, _, _ in told] == ["this runtime", "this operation", *["this completion queue"] * 2]
    assert all(rest.endswith("): create a new Client and Runtime after fork") for _, _, rest in told)
    assert lines[4:6] == ["child ends", "child ended with 7"]
    assert f"could not connect to {refused}: connection refused" in lines[6]


def test_the_interpreter_exits_with_calls_under_way(listener: SilentListener) -> None:
    script = """
        import asyncio, logging, sys, threading, time
        from invincible import _loop, _native
        from invincible.runtime import LogForwardingConfig, LoggingConfig, Runtime, TelemetryConfig

        logs = LoggingConfig(filter="trace", forwarding=LogForwardingConfig(logging.getLogger("core")))
        runtime = Runtime(telemetry=TelemetryConfig(logging=logs))

        class NoReaderLoop(asyncio.SelectorEventLoop):
            def add_reader(self, *args):
                raise NotImplementedError

        def connect():
            return _native.Client.connect(runtime._native, sys.argv[1], identity="test")

        async def begin():
            return _loop.run(connect())

        loops = [asyncio.new_event_loop(), NoReaderLoop()]
        calls = [loop.run_until_complete(begin()) for loop in loops]
        threading.Thread(target=lambda: connect().wait(), daemon=True).start()

        # Keeps the interpreter in its last phase while the waiting thread looks for signals.
        class Teardown:
            def __del__(self, sleep=time.sleep):
                sleep(0.3)

        teardown = Teardown()
        sys.stdin.readline()
    """
    with start_script(script, listener.address) as process:
        connections = [listener.accept() for _ in range(3)]
        output, errors = process.communicate("end\n", timeout=SOON)
        assert (process.returncode, output, errors) == (0, "", "")
    for connection in connections:
        wait_until_closed(connection)


# Options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threads": 0}, "threads must be at least 1"),
        ({"worker_heartbeat_interval": 0.5}, "between 1 and 60 seconds"),
        ({"worker_heartbeat_interval": -1}, "worker_heartbeat_interval must be a positive duration"),
        ({"log_filter": "info", "log_format": "fancy"}, "'fancy'|\"fancy\""),
        ({"metrics": _native.PrometheusExporter(bind_address="9090")}, "bind_address"),
        ({"metrics": _native.OtlpExporter(url="collector")}, "OpenTelemetry url"),
    ],
)
def test_options_of_a_runtime_are_checked(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _native.Runtime(**options)  # type: ignore[arg-type]


def test_half_a_client_certificate_is_refused(runtime: _native.Runtime) -> None:
    from invincible.service import TLSConfig

    tls = TLSConfig(client_cert=b"-----BEGIN CERTIFICATE-----")
    with pytest.raises(ValueError, match="client_cert and client_private_key or neither"):
        _native.Client.connect(runtime, "localhost:1", identity="test", tls=tls)
