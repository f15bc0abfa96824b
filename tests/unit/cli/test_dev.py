"""Parts of `invincible dev` that need neither server nor worker."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any, Literal, NamedTuple, TypedDict

import pydantic
import pytest
from watchfiles import Change

from invincible.cli._connection import Connection
from invincible.cli.dev import _program, _server
from invincible.cli.dev._examples import inputs, start_command
from invincible.cli.dev._output import Lines
from invincible.cli.dev._program import DevOptions, DevProgram
from invincible.cli.dev._screen import Content
from invincible.cli.dev._server import ServerOptions
from invincible.cli.dev._watching import SourceFilter
from invincible.converter._signature import Signature
from invincible.testing._server import Ready, ServerStartError
from invincible.worker._told import ProgramError


class Colour(Enum):
    RED = "red"


@dataclass
class Item:
    name: str
    count: int
    parent: Item | None
    note: str = ""


class Options(TypedDict):
    fast: bool


class Model(pydantic.BaseModel):
    size: float
    label: str = "x"


class Pair(NamedTuple):
    left: int


async def takes(
    text: str,
    number: Annotated[int, "at least 1"],
    item: Item,
    items: list[Item],
    colour: Colour,
    word: Literal["a", "b"],
    when: datetime,
    options: Options,
    model: Model,
    by_name: Mapping[str, float],
    pair: tuple[int, str],
    many: Sequence[bytes],
    either: int | str,
    unknown: object,
    anything: Any,
    call: Callable[[], None],
    *,
    keyword: bool,
    optional: int = 3,
) -> None: ...


def test_example_inputs_have_the_types_of_the_parameters() -> None:
    item = '{"name": "name", "count": 1, "parent": {"name": "name", "count": 1, "parent": {"name": "name", "count": 1, '
    made = inputs(Signature.of(takes, "it"))
    assert made[:2] == ['"text"', "1"]
    assert made[2].startswith(item)
    assert made[3].startswith(f"[{item[:-2]}"[:40])
    assert made[4:] == [
        '"red"',
        '"a"',
        '"2026-01-31T12:00:00+00:00"',
        '{"fast": true}',
        '{"size": 1.5}',
        '{"key": 1.5}',
        '[1, "pair"]',
        "[null]",
        "1",
        "null",
        "null",
        "null",
        "true",
    ]


def test_commands_are_quoted_for_the_shell() -> None:
    command = start_command("it's", "q", ['"a b"', "1"], ["--address", "host:1"])
    assert command == (
        "invincible workflow execute 'it'\"'\"'s' --task-queue q --address host:1 --input '\"a b\"' --input 1"
    )


@pytest.mark.parametrize(
    ("options", "taken", "expected"),
    [
        (ServerOptions(), [], (7233, 8233, [])),
        (ServerOptions(), [7233], (0, 8233, [7233])),
        (ServerOptions(), [7233, 8233], (0, 0, [7233, 8233])),
        (ServerOptions(ui=False), [8233], (7233, 0, [])),
        (ServerOptions(port=9000), [], (9000, 10000, [])),
        (ServerOptions(port=9000, ui_port=9001), [9000, 9001], (9000, 9001, [])),
        (ServerOptions(port=0), [8233], (0, 0, [])),
        (ServerOptions(port=65000), [], (65000, 0, [])),
    ],
)
def test_ports_that_are_taken_are_left_alone(
    monkeypatch: pytest.MonkeyPatch, options: ServerOptions, taken: list[int], expected: tuple[int, int, list[int]]
) -> None:
    monkeypatch.setattr(_server, "is_free", lambda port: port not in taken)
    assert options.ports() == expected


async def test_a_port_that_is_taken_in_this_moment_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class TakenAtFirst:
        ready = Ready(grpc="127.0.0.1:1", http="", ui=None, metrics=None, namespaces=[])

        def __init__(self, flags: Sequence[str], on_end: object) -> None:
            asked.append(flags[flags.index("--port") + 1])
            if len(asked) == 1:
                monkeypatch.setattr(_server, "is_free", lambda port: False)
                raise ServerStartError("port 7233 is already in use")

    monkeypatch.setattr(_server, "is_free", lambda port: True)
    monkeypatch.setattr(_program, "DevServer", TakenAtFirst)
    maker: Any = SimpleNamespace(options=Connection())
    stream = io.StringIO()
    options = DevOptions(maker, None, ServerOptions(), 1, 0.0, False, False)
    await DevProgram(options, Lines(stream))._start_server()
    assert asked == ["7233", "0"]
    assert "port 7233 is in use" in stream.getvalue()
    asked.clear()
    monkeypatch.setattr(_program, "DevServer", refuses)
    with pytest.raises(ProgramError, match="no room"):
        await DevProgram(options, Lines(stream))._start_server()


def refuses(*_: object) -> None:
    raise ServerStartError("no room")


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("app.py", True),
        ("lib/deep/flows.py", True),
        ("notes.txt", False),
        ("app.pyc", False),
        (".venv/lib/x.py", False),
        (".hidden/x.py", False),
        ("env/lib/x.py", False),
        ("lib/__pycache__/x.py", False),
        ("node_modules/x.py", False),
        (".app.py.swp", False),
        ("../elsewhere.py", False),
    ],
)
def test_source_files_of_the_project_count(tmp_path: Path, path: str, counts: bool) -> None:
    (tmp_path / "env").mkdir()
    (tmp_path / "env/pyvenv.cfg").touch()
    (tmp_path / "app.py").touch()
    file = (tmp_path / path).resolve()
    assert SourceFilter(tmp_path)(Change.modified, str(file)) is counts


def test_what_changed_between_two_loads() -> None:
    before = Content(workflows={"A": [], "B": []}, activities=["pay"])
    after = Content(workflows={"A": []}, activities=["pay", "send"], nexus_services=["S"])
    assert after.counted() == "1 workflow, 2 activities, 1 Nexus service"
    assert after.changed_from(before) == " (+ S, + send, - B)"
    assert after.changed_from(after) == ""


def test_lines_say_who_speaks_and_show_what_terminals_would_act_upon() -> None:
    stream = io.StringIO()
    lines = Lines(stream)
    handler = lines.handler(lambda record: "do this" if record.levelno > logging.INFO else "")

    def printed(name: str, level: int, message: str, **fields: object) -> str:
        stream.seek(0)
        stream.truncate()
        record = logging.makeLogRecord({"name": name, "levelno": level, "levelname": "", "msg": message, **fields})
        handler.emit(record)
        return stream.getvalue()[9:]

    assert printed("shop", logging.INFO, "sold", process=1) == "worker  shop: sold\n"
    assert printed("invincible.server", logging.ERROR, "a\nb") == (
        "server  ERROR a\n                 b\n                 do this\n"
    )
    workflow = {"workflow_id": "order\x1b[2J"}
    assert printed("invincible.workflow", logging.INFO, "x", process=1, temporal_workflow=workflow) == (
        "worker  x (order\\x1b[2J)\n"
    )


def test_lines_are_folded_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    monkeypatch.setenv("NO_COLOR", "1")
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: True)
    code = "    " + "code " * 12
    Lines(stream).event("x", f"the first of the lines is long\n- it has remedies, which are long\n{code}", level=30)
    assert [line[9:] for line in stream.getvalue().splitlines()] == [
        "dev     WARNING the first of the lines",
        "        is long",
        "        - it has remedies, which are",
        "          long",
        f"        {code}".rstrip(),
    ]
    assert max(len(line) for line in stream.getvalue().splitlines()[:4]) <= 48
    stream.seek(0)
    stream.truncate()
    Lines(stream).screen("ready", "  workflows  First, Second, Third, Fourth, Fifth, Sixth")
    assert stream.getvalue() == "  workflows  First, Second, Third, Fourth, Fifth,\n             Sixth\n"


def test_characters_that_a_terminal_does_not_have_are_escaped() -> None:
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="ascii")
    Lines(stream).screen("ready", "größer")
    assert written.getvalue() == b"gr\\xf6\\xdfer\n"


def test_a_terminal_that_is_gone_stops_nothing() -> None:
    stream = io.StringIO()
    lines = Lines(stream)
    stream.close()
    lines.screen("ready", "text")
