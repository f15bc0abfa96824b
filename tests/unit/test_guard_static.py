"""The static pass: what it finds in source text, and above all what it leaves in peace."""

from __future__ import annotations

import ast
import asyncio
import datetime as calendar_and_clock
import importlib
import os.path as paths
import random
import sys
import textwrap
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from invincible import activity, workflow
from invincible._engine.guard import check_definition
from invincible._engine.guard.static import check_source
from invincible._engine.reference import workflow_definition

IMPORTS = """\
import asyncio, datetime, os, random, threading, time, uuid
import datetime as dt
import numpy as np
from collections import defaultdict
from datetime import date, datetime as moment
from pathlib import Path
from random import randint
from time import sleep as nap
import requests
from {package} import activity, workflow
from {package}.workflow import unsafe

COUNT = 0
CACHE = {{}}
SEEN = defaultdict(list)
NAMES: set[str] = {{"a", "b"}}
LIMITS = (1, 2)
clock = time.time
"""


def messages(body: str, package: str = "invincible") -> list[str]:
    """The messages for the body of a workflow's run method."""
    source = IMPORTS.format(package=package) + textwrap.dedent(
        """
        @workflow.defn
        class Flow:
            @workflow.run
            async def run(self, items: list[str]) -> None:
        """
    )
    source += textwrap.indent(textwrap.dedent(body), " " * 8)
    report = check_source(source, "flow.py")
    assert report.workflows == 1
    return [finding.message for finding in report.findings]


def findings(source: str) -> list[str]:
    return [str(finding) for finding in check_source(textwrap.dedent(source), "flow.py").findings]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("time.time()", "time.time() in workflow code is different on each replay: use workflow.time()"),
        ("clock()", "time.time() in workflow code is different on each replay: use workflow.time()"),
        ("nap(1)", "time.sleep() in workflow code blocks the thread that runs workflows: use await workflow.sleep()"),
        (
            "dt.datetime.now()",
            "datetime.datetime.now() in workflow code is different on each replay: use workflow.now()",
        ),
        (
            "moment.now(dt.timezone.utc)",
            "datetime.datetime.now() in workflow code is different on each replay: use workflow.now()",
        ),
        (
            "x = date.today()",
            "datetime.date.today() in workflow code is different on each replay: use workflow.now().date()",
        ),
        (
            "randint(1, 6)",
            "random.randint() in workflow code is different on each replay: use workflow.random().randint()",
        ),
        (
            "random.Random()",
            "random.Random() in workflow code without a seed is different on each replay: use workflow.random()",
        ),
        (
            "np.random.rand(3)",
            "numpy.random.rand() in workflow code is different on each replay: use workflow.random()",
        ),
        (
            "return [uuid.uuid4() for _ in items]",
            "uuid.uuid4() in workflow code is different on each replay: use workflow.uuid4()",
        ),
        (
            "open('x')",
            "open() in workflow code uses the file system, which is not the same on each replay: do it in an activity",
        ),
        (
            "Path('x').read_text()",
            "pathlib.Path.read_text() in workflow code uses the file system, which is not the same on each replay: "
            "do it in an activity",
        ),
        (
            "requests.get('http://example.com')",
            "requests.get() in workflow code uses the network, which a replay would do again: do it in an activity",
        ),
        (
            "threading.Thread(target=print)",
            "threading.Thread() in workflow code starts a thread, whose timing is different on each replay: "
            "use asyncio.create_task(), or an activity",
        ),
        (
            "time.strftime('%Y')",
            "time.strftime() in workflow code without a time is different on each replay: use workflow.now()",
        ),
    ],
)
@pytest.mark.parametrize("package", ["invincible", "temporalio"])
def test_forbidden_calls_are_found_by_whatever_name(line: str, message: str, package: str) -> None:
    assert messages(line, package) == [message]


@pytest.mark.parametrize(
    "body",
    [
        "await asyncio.sleep(1)",
        "workflow.now(); workflow.random().randint(1, 6); workflow.uuid4()",
        "random.Random(3).random()",
        "time.strftime('%Y', time.gmtime(0))",
        "dt.datetime(2024, 1, 1); dt.datetime.fromtimestamp(0, dt.timezone.utc); dt.timedelta(1)",
        "time = self.time; time.time()",
        "def now(open): return open('x')",
        "for time in items:\n    time.time()",
        "[open(x) for open in items for x in items]",
        "os.path.join('a', 'b'); os.environ.get('A'); Path('a') / 'b'",
        "activity = self.open('x'); self.time()",
        "np.random.default_rng(7); np.zeros(3)",
        "with unsafe.sandbox_unrestricted():\n    time.time()",
        "with workflow.unsafe.imports_passed_through():\n    open('x')",
        "time.time()  # invincible: allow",
        "print(\n    time.time()  # invincible: allow, for the log only\n)",
        "@activity.defn\ndef load(): return open('x')",
        "x: open = 1",
        "args = (); time.strftime(*args)",
    ],
)
def test_other_code_is_left_in_peace(body: str) -> None:
    assert messages(body) == []


ORDER = "the order of a set is different in each process"


@pytest.mark.parametrize(
    "body",
    [
        "for name in {'a', 'b'}:\n    await self.greet(name)",
        "for name in set(items):\n    self.tasks.append(name)",
        "for name in frozenset(items) - {'x'}:\n    await self.greet(name)",
        "for name in NAMES:\n    await self.greet(name)",
        "names: set[str] = self.names()\nfor name in names:\n    await self.greet(name)",
        "names = {item for item in items}\nfor name in list(names):\n    self.start(name)",
        "for i, name in enumerate(set(items)):\n    await self.greet(name)",
        "await asyncio.gather(*(self.greet(name) for name in set(items)))",
        "await asyncio.gather(*[self.greet(name) for name in {*items, 'x'}])",
        "results = {name: await self.greet(name) for name in set(items)}",
    ],
)
def test_iteration_over_a_set_that_does_something_in_its_order_is_found(body: str) -> None:
    (message,) = messages(body)
    assert message.startswith(ORDER)
    assert "sorted(...)" in message


@pytest.mark.parametrize(
    "body",
    [
        "for name in sorted(set(items)):\n    await self.greet(name)",
        "total = 0\nfor name in set(items):\n    total += len(name)",
        "for name in {'a', 'b'}:\n    workflow.logger.info(name)",
        "for name in dict.fromkeys(items):\n    await self.greet(name)",
        "for number in {1, 2, 3}:\n    await self.greet(number)",
        "for number in set(range(3)):\n    await self.greet(number)",
        "numbers: set[int] = self.numbers()\nfor number in numbers:\n    await self.greet(number)",
        "tasks: set[asyncio.Task[str]] = set()\nfor task in tasks:\n    await task",
        "tasks = {asyncio.create_task(self.a()), asyncio.create_task(self.b())}\nfor task in tasks:\n    await task",
        "done, _ = await asyncio.wait(self.tasks)\nfor task in done:\n    await task",
        "sorted(self.key(name) for name in set(items))",
        "upper = {name.upper() for name in set(items)}",
        "any(self.wanted(name) for name in set(items))",
        "names = set()\nfor name in names:\n    await self.greet(name)",
        "'a' in set(items)",
    ],
)
def test_iteration_whose_order_does_not_matter_or_is_stable_is_left_in_peace(body: str) -> None:
    assert messages(body) == []


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("global COUNT\nCOUNT += 1", "COUNT"),
        ("global COUNT\nCOUNT = 1", "COUNT"),
        ("CACHE['x'] = 1", "CACHE"),
        ("del CACHE['x']", "CACHE"),
        ("CACHE['x'] += 1", "CACHE"),
        ("CACHE.setdefault('x', 1)", "CACHE"),
        ("SEEN['x'] = []", "SEEN"),
        ("NAMES.add('x')", "NAMES"),
        ("def inner():\n    CACHE.clear()\ninner()", "CACHE"),
    ],
)
def test_writes_to_module_globals_are_found(body: str, name: str) -> None:
    (message,) = messages(body)
    assert f"changes the module global {name!r}" in message


@pytest.mark.parametrize(
    "body",
    [
        "CACHE = {}\nCACHE['x'] = 1",
        "self.CACHE['x'] = 1",
        "x = CACHE['x']; CACHE.get('x'); CACHE.keys()",
        "COUNT = 1",
        "cache = dict(CACHE)\ncache['x'] = 1",
        "requests['x'] = 1",
    ],
)
def test_reads_and_locals_of_the_same_name_are_left_in_peace(body: str) -> None:
    assert messages(body) == []


def test_a_loop_that_swallows_cancellation_is_found() -> None:
    body = "while True:\n    try:\n        await self.step()\n    except{}:\n        {}"
    for caught in ("", " BaseException", " BaseException as error"):
        (message,) = messages(body.format(caught, "pass"))
        assert message == "this swallows cancellation, and the loop around it goes on: catch Exception, or raise again"
    for harmless in ("raise", "return", "break", "if self.stopped: raise"):
        assert messages(body.format(" BaseException", harmless)) == []
    assert messages(body.format(" Exception", "pass")) == []
    assert messages(body.format(" asyncio.CancelledError", "pass")) == []
    assert messages("try:\n    await self.step()\nexcept BaseException:\n    await self.undo()") == []


def test_what_a_workflow_uses_of_its_module_is_checked_and_nothing_else() -> None:
    source = """
    import time
    from invincible import activity, workflow

    def used(): return deeper()
    def deeper(): return time.time()
    def unused(): return time.time()
    def key(item): return time.monotonic()

    @activity.defn
    async def load(): time.sleep(1)

    class Activities:
        def __init__(self): self.started = time.perf_counter()
        def connect(self): time.sleep(1)
        @activity.defn
        def store(self): time.sleep(1)

    class Base:
        def helper(self): return time.time_ns()

    @workflow.defn
    class Flow(Base):
        started = time.time()

        @workflow.run
        async def run(self, at: float = time.time()) -> None:
            used()
            sorted([1], key=key)
            await workflow.execute_activity(load)
            await workflow.execute_activity_method(Activities.store)
            await Other.execute()

        @workflow.query
        def age(self) -> float:
            return time.process_time()

    @workflow.defn(name="other")
    async def other() -> None:
        time.thread_time()
    """
    calls = {finding.partition("(")[0] for finding in findings(source)}
    assert calls == {
        "flow.py:6: time.time",
        "flow.py:8: time.monotonic",
        # Named, so perhaps made.
        "flow.py:14: time.perf_counter",
        "flow.py:20: time.time_ns",
        "flow.py:36: time.process_time",
        "flow.py:40: time.thread_time",
    }


def test_a_decorator_may_have_another_name() -> None:
    for decorator in (
        "from invincible.workflow import defn as flow",
        "from invincible import workflow\nflow = workflow.defn",
    ):
        source = f"import time\n{decorator}\n\n@flow\nasync def f(): time.time()\n"
        assert len(findings(source)) == 1
    assert findings("import time\n\n@other.workflow.defn\nasync def f(): time.time()\n") == []


def test_a_syntax_error_is_a_finding() -> None:
    (finding,) = findings("x = 1\nasync def f(:\n")
    assert finding.startswith("flow.py:2: syntax error: ")
    (finding,) = findings("x = '\0'")
    assert finding.startswith("flow.py:1: ")


# At registration, where names stand for objects

aliased: Any = random.random


def of(target: Any) -> list[str]:
    return [finding.message.partition("(")[0] for finding in check_definition(workflow_definition(target))]


@workflow.defn
class Registered:
    @workflow.run
    async def run(self) -> None:
        datetime.now()
        calendar_and_clock.date.today()
        aliased()
        paths.exists("x")  # noqa: ASYNC240
        time.time()  # invincible: allow

    @workflow.signal
    async def ping(self) -> None:
        time.time_ns()


def test_registration_resolves_names_by_what_they_stand_for() -> None:
    assert of(Registered) == [
        "datetime.datetime.now",
        "datetime.date.today",
        "random.random",
        "os.path.exists",
        "time.time_ns",
    ]
    first = check_definition(workflow_definition(Registered))[0]
    assert first.path.endswith("test_guard_static.py")
    assert first.line == workflow_definition(Registered).run.__code__.co_firstlineno + 2


def test_what_a_star_imports_is_known_at_registration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "starred.py").write_text(
        "from secrets import *\nfrom invincible import workflow\n\n@workflow.defn\nasync def f(): token_hex()\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    starred: Any = importlib.import_module("starred")
    try:
        assert of(starred.f) == ["secrets.token_hex"]
    finally:
        del sys.modules["starred"]


@activity.defn
async def load() -> None:
    time.sleep(1)  # noqa: ASYNC251


def test_workflows_made_inside_of_functions_are_found() -> None:
    import time as local_time

    def helper() -> float:
        return local_time.monotonic()

    @workflow.defn
    async def hidden() -> None:
        helper()
        await asyncio.sleep(1)
        await workflow.execute_activity(load)

    assert of(hidden) == ["time.monotonic"]


@workflow.defn
async def child() -> None:
    time.time()


@workflow.defn
async def parent() -> None:
    assert child is not None
    time.monotonic()


def test_workflows_that_a_workflow_names_have_findings_of_their_own() -> None:
    assert of(parent) == ["time.monotonic"]
    assert of(child) == ["time.time"]


def test_of_two_workflows_with_one_name_the_right_one_is_checked() -> None:
    def make(early: bool) -> Any:
        if early:

            @workflow.defn
            class Twice:  # pyright: ignore[reportRedeclaration]
                @workflow.run
                async def run(self) -> None:
                    time.time()

        else:

            @workflow.defn
            class Twice:  # type: ignore[no-redef]
                @workflow.run
                async def run(self) -> None:
                    time.monotonic()

        return Twice

    assert of(make(True)) == ["time.time"]
    assert of(make(False)) == ["time.monotonic"]


def test_without_its_source_a_workflow_has_no_findings() -> None:
    namespace: dict[str, Any] = {"workflow": workflow, "time": time, "__name__": "nowhere"}
    exec("@workflow.defn\nasync def f():\n    time.time()\n", namespace)
    assert check_definition(workflow_definition(namespace["f"])) == []


def test_a_false_alarm_of_the_parser_is_none_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    results: list[Any] = [SystemError("AST constructor recursion depth mismatch"), ast.parse("x = 1")]

    def parse(text: str) -> Any:
        result = results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    monkeypatch.setattr(ast, "parse", parse)
    assert check_source("x = 1", "sound.py").workflows == 0
    assert not results
