"""What the guard leaves alone: other threads, other tools, processes without a worker, and all when no batch runs."""

from __future__ import annotations

import builtins
import io
import os
import pickle
import random
import select
import shutil
import socket
import sqlite3
import sqlite3.dbapi2
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from copy import deepcopy
from inspect import signature
from pathlib import Path
from pkgutil import resolve_name
from time import time as bound_time
from types import ModuleType
from typing import Any
from unittest import mock

import pytest

from invincible import workflow
from invincible._engine import guard as guard_package
from invincible._engine.guard import Guard, RestrictedWorkflowAccessError, install
from invincible._engine.reference import workflow_definition
from tests.support.guarded import start

DEADLINE = 20.0


@workflow.defn
async def asks(what: str) -> str:
    return str(resolve_name(what)())


class Clock:
    now: Any = time.monotonic


# What other threads do while workflow code runs.


def uses_the_clock() -> None:
    assert time.time() > 0
    assert time.monotonic() <= time.monotonic()
    time.sleep(0)


def draws_random_numbers() -> None:
    assert random.random() < 1
    assert random.Random(1).randint(1, 2) in (1, 2)
    assert uuid.uuid4() != uuid.uuid1()
    assert len(os.urandom(4)) == 4


def uses_sockets() -> None:
    left, right = socket.socketpair()
    with left, right:
        for each in (left, right):
            assert type(each) is socket.socket
            assert isinstance(each, socket.SocketType)
        left.sendall(b"x")
        assert select.select([right], [], [], DEADLINE)[0] == [right]
        assert right.recv(1) == b"x"
        with right.dup() as copy, right.makefile("rb") as file:
            assert isinstance(copy, socket.socket)
            assert file.readable()
    assert isinstance(socket.gethostname(), str)


def listens_and_connects() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        accepted, _ = server.accept()
        with accepted:
            accepted.sendall(b"x")
        assert client.recv(1) == b"x"


def wraps_a_socket_in_tls() -> None:
    left, right = socket.socketpair()
    context = ssl.create_default_context()
    with right, context.wrap_socket(left, server_hostname="x", do_handshake_on_connect=False) as wrapped:
        assert isinstance(wrapped, socket.socket)
        assert isinstance(wrapped, ssl.SSLSocket)


def derives_from_the_socket_class() -> None:
    class Connection(socket.socket):
        pass

    with Connection() as connection:
        assert isinstance(connection, socket.socket)


def uses_files() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "file").write_text("text")
        with open(folder / "file") as file:
            assert type(file) is io.TextIOWrapper
            assert file.read() == "text"
        (folder / "file").rename(folder / "renamed")
        assert os.listdir(folder) == ["renamed"]
        shutil.copytree(folder, folder / "copy")
        assert (folder / "copy" / "renamed").read_text() == "text"


def copies_the_times_of_a_link() -> None:
    # Asks whether os.utime is in os.supports_follow_symlinks, and does nothing if it is not.
    with tempfile.TemporaryDirectory() as name:
        links = [Path(name, "first"), Path(name, "second")]
        for link in links:
            link.symlink_to("nowhere")
        os.utime(links[0], (1, 1), follow_symlinks=False)
        shutil.copystat(*links, follow_symlinks=False)
        assert links[1].lstat().st_mtime == 1


def asks_what_the_platform_can() -> None:
    assert os.open in os.supports_dir_fd
    assert {os.scandir, os.listdir} <= os.supports_fd
    assert {open: "found"}[open] == "found"
    assert open == io.open
    assert os.remove not in {os.unlink}
    assert str(signature(os.listdir)) == "(path=None)"


def pickles_functions() -> None:
    # The first two have been kept since before the batch.
    for kept in (bound_time, Clock.now, time.sleep, os.listdir, open):
        assert pickle.loads(pickle.dumps(kept)) == kept
        assert pickle.loads(pickle._dumps(kept)) == kept  # type: ignore[attr-defined]
        assert deepcopy([kept]) == [kept]
    append = pickle.loads(pickle.dumps([1].append))
    append(2)
    assert append.__self__ == [1, 2]


def runs_processes() -> None:
    assert subprocess.run(["echo", "x"], capture_output=True, check=True).stdout == b"x\n"
    assert os.system("true") == 0


def runs_threads() -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.set)
    thread.start()
    thread.join(DEADLINE)
    assert done.is_set()
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(abs, -1).result(DEADLINE) == 1


def uses_a_database() -> None:
    connection = sqlite3.connect(":memory:")
    assert isinstance(connection, sqlite3.Connection)
    connection.close()


def changes_the_environment() -> None:
    os.environ["INVINCIBLE_GUARD"] = "x"
    assert os.environ.pop("INVINCIBLE_GUARD") == "x"


def makes_a_class() -> None:
    class Timer:
        clock: Any = time.monotonic

    assert Timer().clock() > 0
    assert Timer.clock.__name__ == "monotonic"


# What any number of threads can do at the same time.
DEEDS: list[Callable[[], None]] = [
    uses_the_clock,
    draws_random_numbers,
    uses_sockets,
    listens_and_connects,
    wraps_a_socket_in_tls,
    derives_from_the_socket_class,
    uses_files,
    copies_the_times_of_a_link,
    asks_what_the_platform_can,
    pickles_functions,
    runs_processes,
    runs_threads,
    uses_a_database,
    makes_a_class,
]


@pytest.mark.parametrize("deed", [*DEEDS, changes_the_environment])
def test_other_threads_are_not_touched_while_workflow_code_runs(deed: Callable[[], None]) -> None:
    inside, done = threading.Event(), threading.Event()

    @workflow.defn
    async def wait() -> bool:
        inside.set()
        return done.wait(DEADLINE)

    def other_thread() -> None:
        assert inside.wait(DEADLINE)
        try:
            deed()
        finally:
            done.set()

    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(other_thread)
        assert start(wait) is True
        other.result(DEADLINE)


@pytest.fixture
def busy_switching() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("busy_switching")
def test_other_threads_are_not_disturbed_by_batches_that_begin_and_end() -> None:
    def work(first: int) -> None:
        for deed in DEEDS[first:] + DEEDS[:first]:
            deed()

    batches = 0
    with ThreadPoolExecutor(4) as pool:
        others = [pool.submit(work, first) for first in range(0, len(DEEDS), 2)]
        while not all(other.done() for other in others):
            with pytest.raises(RestrictedWorkflowAccessError):
                start(asks, "time:time")
            batches += 1
        for other in others:
            other.result()
    assert batches > 1


def test_everything_is_as_before_when_no_batch_runs() -> None:
    guard = install([])
    modules = (builtins, io, os, random, socket, sqlite3, sqlite3.dbapi2, subprocess, threading, time, uuid)
    before = [dict(vars(module)) for module in modules]
    with guard:
        install([workflow_definition(asks)])  # a second worker starts
        during = [dict(vars(module)) for module in modules]
    assert [dict(vars(module)) for module in modules] == before
    for module, original, guarded in zip(modules, before, during, strict=True):
        changed = [name for name in original if original[name] is not guarded[name]]
        assert changed, f"nothing of {module.__name__} was guarded"
        assert list(original) == list(guarded)
        assert not any(vars(module)[name] is guarded[name] for name in changed)
    assert bound_time.__class__.__name__ == "builtin_function_or_method"


def test_guards_of_two_workers_overlap() -> None:
    first, second = ExitStack(), ExitStack()
    original = time.time
    first.enter_context(install([]))
    second.enter_context(install([]))
    first.close()
    assert time.time is not original
    second.close()
    assert time.time is original


# One of many guarded names of a module, and one of few, which are handled in different ways.
REPLACEABLE = pytest.mark.parametrize(("module", "name"), [(time, "time"), (socket, "gethostname")])


@REPLACEABLE
def test_a_function_that_somebody_else_replaced_is_called_and_stays(module: ModuleType, name: str) -> None:
    install([])
    original = getattr(module, name)
    with mock.patch.object(module, name, return_value=42.0) as replaced:
        with install([]):
            assert getattr(module, name)() == 42.0
        assert getattr(module, name) is replaced
        with pytest.raises(RestrictedWorkflowAccessError):
            start(asks, f"{module.__name__}:{name}")
        assert getattr(module, name) is replaced
    with install([]):
        pass
    assert getattr(module, name) is original


@REPLACEABLE
def test_a_function_that_is_replaced_during_a_batch_stays(module: ModuleType, name: str) -> None:
    guard = install([])
    original = getattr(module, name)
    with guard:
        patch = mock.patch.object(module, name, return_value=42.0)
        replaced = patch.start()
    assert getattr(module, name) is replaced
    patch.stop()
    # The mock took the guarded function for the original; the next batch puts that right.
    with guard:
        assert getattr(module, name)() != 42.0
    assert getattr(module, name) is original


@REPLACEABLE
def test_a_deleted_function_is_no_trouble(module: ModuleType, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    guard = install([])
    monkeypatch.delattr(module, name)
    with guard:
        assert not hasattr(module, name)
    monkeypatch.undo()
    original = getattr(module, name)
    install([])
    with guard:
        assert getattr(module, name) is not original
        monkeypatch.delattr(module, name)
    assert not hasattr(module, name)
    setattr(module, name, original)
    with guard:
        assert getattr(module, name)()
    install([])


def test_what_a_class_has_kept_of_a_batch_goes_on_working() -> None:
    with install([]):

        class Timer:
            clock: Any = time.monotonic

    assert Timer().clock() > 0
    assert Clock().now() > 0


def test_a_forked_child_has_no_guard_in_place() -> None:
    original = time.time
    guard = install([])
    with guard, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of fork beside threads
        child = os.fork()
        if child == 0:
            os._exit(0 if time.time is original and not guard._entered else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def test_programs_without_a_worker_do_not_load_the_guard() -> None:
    program = "import sys, invincible.workflow; print([name for name in sys.modules if '.guard.' in name])"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        guard_package.nothing  # noqa: B018


def test_a_library_that_is_imported_later_is_guarded_from_the_next_worker_on() -> None:
    program = """
import sys
from invincible._engine.guard import install
install([])
assert "sqlite3" not in sys.modules
import sqlite3
import sqlite3.dbapi2
before = sqlite3.connect
with install([]):
    print(sqlite3.connect is before, sqlite3.connect == before)
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False True"


def test_there_is_one_guard_per_process() -> None:
    assert install([]) is install([workflow_definition(asks)])
    assert isinstance(install([]), Guard)
