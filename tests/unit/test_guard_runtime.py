"""The guard while workflow code runs: what it refuses, with which words, and what it lets pass."""

from __future__ import annotations

import asyncio
import datetime as dt
import glob
import importlib
import io
import linecache
import logging
import os
import pathlib
import random
import secrets
import shutil
import socket
import sqlite3
import sqlite3.dbapi2
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import uuid
import warnings
import zoneinfo
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import randint
from time import monotonic as bound_monotonic
from time import time as bound_time
from types import ModuleType
from typing import Any

import pytest

from invincible import _native, workflow
from invincible._engine.guard import RestrictedWorkflowAccessError, install
from invincible._engine.reference import workflow_definition
from invincible._engine.run import WorkflowRun
from tests.support.guarded import CONTEXT, CONVERTER, activate, new_run, start

# A name of its own, so that it is this module's binding that must be found.
bound_open = io.open

# Called by the name that each case has; the workflow below runs them one at a time.
CALLS: dict[str, Callable[[], object]] = {}


def call(function: Callable[[], object]) -> Callable[[], object]:
    CALLS[function.__name__] = function
    return function


@workflow.defn
async def caller(name: str) -> str:
    return str(CALLS[name]())


@pytest.fixture
def calling() -> Iterator[Callable[[Callable[[], object]], Any]]:
    """Run one function as workflow code."""

    def run(function: Callable[[], object]) -> Any:
        CALLS["function"] = function
        return start(caller, "function")

    yield run
    CALLS.pop("function", None)


TIME = "is different on each replay: use workflow.time()"
RANDOM = "is different on each replay: use workflow.random()"
FILES = "uses the file system, which is not the same on each replay: do it in an activity"
NETWORK = "uses the network, which a replay would do again: do it in an activity"
PROCESSES = "acts on processes, which a replay would do again: do it in an activity"
BLOCKS = "blocks the thread that runs workflows"
# Later versions return something that looks for files when it is iterated over.
GLOB = "pathlib.Path.glob" if sys.version_info < (3, 13) else "os.scandir"
NOWHERE = os.path.join("no", "such", "path")


@pytest.mark.parametrize(
    ("function", "called", "reason"),
    [
        (lambda: time.time(), "time.time", TIME),
        (lambda: time.time_ns(), "time.time_ns", "is different on each replay: use workflow.time_ns()"),
        (lambda: time.monotonic(), "time.monotonic", TIME),
        (lambda: time.perf_counter_ns(), "time.perf_counter_ns", "workflow.time_ns()"),
        (lambda: time.process_time(), "time.process_time", TIME),
        (lambda: time.localtime(), "time.localtime", "without a time is different on each replay: use workflow.now()"),
        (lambda: time.strftime("%Y"), "time.strftime", "workflow.now()"),
        (lambda: bound_time(), "time.time", TIME),
        (lambda: bound_monotonic(), "time.monotonic", TIME),
        (lambda: time.sleep(0), "time.sleep", f"{BLOCKS}: use await workflow.sleep()"),
        (lambda: random.random(), "random.random", f"{RANDOM}.random()"),
        (lambda: random.getrandbits(8), "random.getrandbits", f"{RANDOM}.getrandbits()"),
        (lambda: random.choice("ab"), "random.choice", f"{RANDOM}.choice()"),
        (lambda: random.shuffle([1, 2]), "random.shuffle", f"{RANDOM}.shuffle()"),
        (lambda: random.uniform(1, 2), "random.uniform", f"{RANDOM}.uniform()"),
        (lambda: randint(1, 2), "random.randint", f"{RANDOM}.randint()"),
        (lambda: random.SystemRandom().random(), "random.random", RANDOM),
        (lambda: uuid.uuid1(), "uuid.uuid1", "is different on each replay: use workflow.uuid4()"),
        (lambda: uuid.uuid4(), "uuid.uuid4", "is different on each replay: use workflow.uuid4()"),
        (lambda: os.urandom(4), "os.urandom", f"{RANDOM}.randbytes()"),
        (lambda: secrets.token_hex(), "secrets.token_hex", RANDOM),
        (lambda: open(os.devnull), "open", FILES),  # noqa: SIM115
        (lambda: bound_open(os.devnull), "open", FILES),
        (lambda: pathlib.Path(os.devnull).read_text(), "pathlib.Path.read_text", FILES),
        (lambda: list(pathlib.Path(".").iterdir()), "pathlib.Path.iterdir", FILES),
        (lambda: pathlib.Path(NOWHERE).touch(), "pathlib.Path.touch", FILES),
        (lambda: pathlib.Path(NOWHERE).mkdir(), "pathlib.Path.mkdir", FILES),
        (lambda: pathlib.Path(NOWHERE).unlink(), "pathlib.Path.unlink", FILES),
        (lambda: pathlib.Path(NOWHERE).rename(NOWHERE), "pathlib.Path.rename", FILES),
        (lambda: pathlib.Path(NOWHERE).replace(NOWHERE), "pathlib.Path.replace", FILES),
        (lambda: list(pathlib.Path(".").glob("*")), GLOB, FILES),
        (lambda: os.open(os.devnull, os.O_RDONLY), "os.open", FILES),
        (lambda: os.listdir("."), "os.listdir", FILES),
        (lambda: os.scandir("."), "os.scandir", FILES),
        (lambda: next(os.walk(".")), "os.walk", FILES),
        (lambda: os.makedirs(NOWHERE), "os.makedirs", FILES),
        (lambda: os.remove(NOWHERE), "os.remove", FILES),
        (lambda: os.rename(NOWHERE, NOWHERE), "os.rename", FILES),
        (lambda: os.utime(NOWHERE), "os.utime", FILES),
        (lambda: tempfile.mkstemp(), "tempfile.mkstemp", FILES),
        (lambda: tempfile.TemporaryDirectory(), "tempfile.TemporaryDirectory", FILES),
        (lambda: shutil.copyfile(os.devnull, NOWHERE), "shutil.copyfile", FILES),
        (lambda: shutil.rmtree("."), "shutil.rmtree", FILES),
        (lambda: glob.glob("*"), "glob.glob", FILES),
        (lambda: sqlite3.connect(":memory:"), "sqlite3.connect", "uses a database"),
        (lambda: sqlite3.dbapi2.connect(":memory:"), "sqlite3.connect", "uses a database"),
        (lambda: socket.create_connection(("127.0.0.1", 1)), "socket.create_connection", NETWORK),
        (lambda: socket.getaddrinfo("localhost", 80), "socket.getaddrinfo", NETWORK),
        (lambda: socket.gethostname(), "socket.gethostname", NETWORK),
        (lambda: socket.socket(), "socket.socket", NETWORK),
        (lambda: socket.socketpair(), "socket.socketpair", NETWORK),
        (lambda: urllib.request.urlopen("http://localhost:1"), "urllib.request.urlopen", NETWORK),
        (lambda: subprocess.run(["true"]), "subprocess.run", PROCESSES),
        (lambda: subprocess.Popen(["true"], close_fds=False), "subprocess.Popen", PROCESSES),
        (lambda: os.popen("true"), "os.popen", PROCESSES),
        (lambda: os.system("true"), "os.system", PROCESSES),
        (lambda: os.fork(), "os.fork", PROCESSES),
        (lambda: os.spawnlp(os.P_WAIT, "true", "true"), "os.spawnlp", PROCESSES),
        (lambda: os.kill(os.getpid(), 0), "os.kill", PROCESSES),
        (lambda: os.chdir("."), "os.chdir", "changes the whole process: do it in an activity"),
        (lambda: os.putenv("NAME", "value"), "os.putenv", "changes the whole process"),
        (lambda: threading.Thread(target=print).start(), "threading.Thread.start", "use asyncio.create_task()"),
        (lambda: input(), "input", f"{BLOCKS}: wait for a signal or an update"),
    ],
)
def test_a_call_that_a_replay_cannot_repeat_is_refused_where_it_is_made(
    function: Callable[[], object], called: str, reason: str, calling: Callable[[Callable[[], object]], Any]
) -> None:
    with pytest.raises(RestrictedWorkflowAccessError) as caught:
        calling(function)
    error = caught.value
    place = f"{Path(__file__).name}:{function.__code__.co_firstlineno}"
    assert error.qualified_name == called
    assert f"{called}() in workflow code (" in str(error)
    assert f"{place}) " in str(error)
    assert reason in str(error)
    assert Path(caught.traceback[-1].path).parent.name == "guard", "raised inside of the call"


@pytest.mark.parametrize(
    "function",
    [
        lambda: subprocess.run(["true"], capture_output=True),
        lambda: socket.socketpair(),
        lambda: tempfile.NamedTemporaryFile(),  # noqa: SIM115
    ],
)
def test_a_refused_call_leaves_no_file_descriptor_open(
    function: Callable[[], object], calling: Callable[[Callable[[], object]], Any]
) -> None:
    def lowest_free() -> int:
        os.close(descriptor := os.dup(0))
        return descriptor

    before = lowest_free()
    with pytest.raises(RestrictedWorkflowAccessError) as caught:
        calling(function)
    assert lowest_free() == before
    assert caught.value.__context__ is None


def test_a_thread_pool_is_refused_where_work_is_given_to_it(calling: Callable[[Callable[[], object]], Any]) -> None:
    with ThreadPoolExecutor(1) as pool, pytest.raises(RestrictedWorkflowAccessError, match="starts a thread"):
        calling(lambda: pool.submit(print))


def test_it_fails_the_task_and_not_the_workflow() -> None:
    assert issubclass(RestrictedWorkflowAccessError, workflow.NondeterminismError)

    @workflow.defn(failure_exception_types=[workflow.NondeterminismError])
    async def declared() -> float:
        return time.time()

    with install([workflow_definition(declared)]):
        (command,) = activate(new_run(declared))
    assert isinstance(command, _native.FailWorkflowExecution), "unless the workflow declares it a failure"


def harmless_datetime() -> str:
    return dt.datetime(2024, 1, 1).strftime("%Y") + str(dt.datetime.strptime("2024", "%Y").year)


LOGGER = logging.getLogger("tests.guard")


def logged() -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    LOGGER.addHandler(handler)
    try:
        LOGGER.warning("from a workflow")
    finally:
        LOGGER.removeHandler(handler)
    return stream.getvalue()


def logged_to_a_file(path: str) -> str:
    handler = logging.FileHandler(path)
    LOGGER.addHandler(handler)
    LOGGER.warning("from a workflow")
    LOGGER.removeHandler(handler)
    handler.close()
    return path


def warned() -> str:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.warn("from a workflow", stacklevel=1)
    return str(caught[0].message)


@pytest.mark.parametrize(
    "function",
    [
        logged,
        warned,
        harmless_datetime,
        lambda: print("hello"),
        lambda: time.localtime(0),
        lambda: time.strftime("%Y", time.gmtime(0)),
        lambda: random.Random(1).random(),
        lambda: os.environ.get("HOME"),
        lambda: linecache.getline(os.__file__, 1),
        lambda: zoneinfo.ZoneInfo.no_cache("UTC") if zoneinfo.TZPATH else None,
        lambda: workflow.random().random() + workflow.time(),
        lambda: (workflow.now(), workflow.uuid4()),
        lambda: workflow.logger.warning("hello"),
    ],
)
def test_what_does_not_change_the_workflow_passes(
    function: Callable[[], object], calling: Callable[[Callable[[], object]], Any]
) -> None:
    calling(function)


def test_a_log_file_is_opened_by_the_logging_module(
    tmp_path: Path, calling: Callable[[Callable[[], object]], Any]
) -> None:
    path = tmp_path / "workflow.log"
    calling(lambda: logged_to_a_file(str(path)))
    assert path.read_text() == "from a workflow\n"


def test_time_zones_may_be_read_whenever_the_module_is_imported() -> None:
    program = """
from invincible import workflow
from tests.support.guarded import start

@workflow.defn
async def convert() -> str:
    import zoneinfo
    return zoneinfo.ZoneInfo.no_cache("UTC").key if zoneinfo.TZPATH else "UTC"

print(start(convert))
"""
    root = Path(__file__).parents[2]
    result = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "UTC"


def test_an_import_in_workflow_code_may_run_the_modules_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calling: Callable[[Callable[[], object]], Any]
) -> None:
    (tmp_path / "imported_late.py").write_text("import time\n\ndef now():\n    return time.time()\n\nSTARTED = now()\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    def load() -> float:
        import imported_late  # type: ignore[import-not-found]  # made above

        return float(imported_late.STARTED)

    try:
        assert float(calling(load)) > 0
    finally:
        sys.modules.pop("imported_late", None)


def test_a_finalizer_that_happens_to_run_is_let_go(calling: Callable[[Callable[[], object]], Any]) -> None:
    finished: list[float] = []

    class Resource:
        def __del__(self) -> None:
            finished.append(time.time())

    def drop() -> None:
        Resource()

    calling(drop)
    assert len(finished) == 1


@dataclass
class Order:
    number: int
    received: float = field(default_factory=lambda: time.time())


def test_conversion_of_values_is_not_workflow_code() -> None:
    @workflow.defn
    async def receive(order: Order) -> float:
        return order.received

    run = new_run(receive)
    init = _native.InitializeWorkflow(
        workflow_type="receive", workflow_id="guard-test", arguments=[CONVERTER.to_payload({"number": 1})]
    )
    run = WorkflowRun(workflow_definition(receive), CONTEXT, "run", init)
    with install([run.definition]):
        (command,) = activate(run)
    assert CONVERTER.from_payload(command.result) > 0


def installed_library(tmp_path: Path) -> ModuleType:
    """A module that looks as if pip had installed it."""
    path = tmp_path / "site-packages" / "some_library.py"
    path.parent.mkdir()
    path.write_text(
        "import asyncio, time\n\ndef stamp():\n    return time.time()\n\n"
        "async def stamp_later():\n    await asyncio.sleep(0)\n    return time.time()\n"
    )
    library = ModuleType("some_library")
    exec(compile(path.read_text(), str(path), "exec"), vars(library))
    return library


def test_a_call_inside_of_a_library_names_the_line_of_the_workflow(
    tmp_path: Path, calling: Callable[[Callable[[], object]], Any]
) -> None:
    library = installed_library(tmp_path)

    def use() -> object:
        return library.stamp()

    line = use.__code__.co_firstlineno + 1
    with pytest.raises(
        RestrictedWorkflowAccessError, match=rf"{Path(__file__).name}:{line}\) calls time.time\(\)"
    ) as caught:
        calling(use)
    assert str(caught.value).startswith("some_library.stamp() in workflow code (")


def test_a_workflow_that_is_installed_itself_is_named_before_the_libraries_it_uses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = tmp_path / "site-packages" / "installed_application.py"
    library = installed_library(tmp_path)
    monkeypatch.setitem(sys.modules, "some_library", library)
    application.write_text(
        "import some_library\nfrom time import time\nfrom invincible import workflow\n\n"
        "@workflow.defn\nasync def through(): some_library.stamp()\n\n@workflow.defn\nasync def direct(): time()\n"
    )
    monkeypatch.syspath_prepend(str(application.parent))
    module: Any = importlib.import_module("installed_application")
    monkeypatch.setitem(sys.modules, "installed_application", module)
    with pytest.raises(RestrictedWorkflowAccessError, match=r"installed_application.py:6\) calls time.time\(\)"):
        start(module.through)
    with pytest.raises(RestrictedWorkflowAccessError, match=r"installed_application.py:9\) is different"):
        start(module.direct)


def test_a_library_that_runs_as_a_task_of_its_own_is_workflow_code(tmp_path: Path) -> None:
    library = installed_library(tmp_path)

    @workflow.defn
    async def spawn() -> float:
        return float(await asyncio.create_task(library.stamp_later()))

    with pytest.raises(RestrictedWorkflowAccessError, match=r"some_library.py:8\)"):
        start(spawn)


def test_queries_are_workflow_code() -> None:
    @workflow.defn
    class Waiting:
        @workflow.run
        async def run(self) -> None:
            await asyncio.sleep(10)

        @workflow.query
        def age(self) -> float:
            return time.time()

    run = new_run(Waiting)
    with install([run.definition]):
        activate(run)
        (answer,) = activate(run, _native.QueryWorkflow(query_id="1", query_type="age", arguments=[]))
    assert "time.time() in workflow code" in answer.failure.message


def test_sandbox_unrestricted_lifts_the_guard_for_the_block_and_the_task() -> None:
    @workflow.defn
    async def measure() -> list[bool]:
        async def other() -> None:
            with pytest.raises(RestrictedWorkflowAccessError):
                time.time()

        with workflow.unsafe.sandbox_unrestricted():
            seen = [workflow.unsafe.is_sandbox_unrestricted(), time.time() > 0]
            task = asyncio.ensure_future(asyncio.sleep(0))
            await task
            time.time()
        background = asyncio.create_task(other())
        with workflow.unsafe.sandbox_unrestricted():
            await background
            time.time()
        with pytest.raises(RestrictedWorkflowAccessError):
            time.time()
        return [*seen, workflow.unsafe.is_sandbox_unrestricted(), workflow.unsafe.in_sandbox()]

    assert start(measure) == [True, True, False, True]


def test_imports_passed_through_lifts_the_guard() -> None:
    @workflow.defn
    async def load() -> list[bool]:
        with workflow.unsafe.imports_passed_through():
            return [time.time() > 0, workflow.unsafe.is_imports_passed_through()]

    assert start(load) == [True, True]


def test_an_evicted_run_leaves_no_unrestricted_block_behind() -> None:
    @workflow.defn
    async def stuck() -> None:
        with workflow.unsafe.sandbox_unrestricted():
            task = asyncio.create_task(inner())
            await task

    async def inner() -> None:
        with workflow.unsafe.sandbox_unrestricted():
            await asyncio.sleep(10)

    run = new_run(stuck)
    with install([run.definition]):
        activate(run)
        run.evict()
    assert not workflow.unsafe.is_sandbox_unrestricted()


def test_a_run_that_is_not_guarded_may_do_everything() -> None:
    @workflow.defn
    async def free() -> list[bool]:
        return [time.time() > 0, workflow.unsafe.in_sandbox()]

    run = new_run(free)
    run.guarded = False
    with install([run.definition]):
        (command,) = activate(run)
    assert CONVERTER.from_payload(command.result) == [True, False]
