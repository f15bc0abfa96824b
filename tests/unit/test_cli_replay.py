"""`invincible replay` over files, in this process and as a command."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from invincible.cli import main
from invincible.cli.replay.sources import execution as execution_of
from invincible.worker._workflows import WorkflowThread
from tests.unit.test_explain import history, timer

PROGRAM = """
import asyncio
from invincible import workflow


@workflow.defn(name="Program")
async def sleeps() -> None:
    await asyncio.sleep(60)


not_a_workflow = 7
"""

CHANGED = """
from datetime import timedelta
from invincible import activity, workflow


@activity.defn(start_to_close_timeout=timedelta(seconds=30))
async def charge() -> None: ...


@workflow.defn(name="Program")
async def charges() -> None:
    await charge.execute()
"""

BROKEN = """
from invincible import workflow


@workflow.defn(name="Program")
async def broken() -> None:
    raise KeyError("typo")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name, code in {"program": PROGRAM, "changed": CHANGED, "broken": BROKEN}.items():
        (tmp_path / f"{name}_{tmp_path.name}.py").write_text(code)
    (tmp_path / "histories" / "deep").mkdir(parents=True)
    recorded = history([timer()]).to_json()
    (tmp_path / "histories" / "one.json").write_text(recorded)
    (tmp_path / "histories" / "deep" / "two.json").write_text(recorded)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    # One by one: the interpreter goes on using its own dict when another takes the place of `sys.modules`.
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


def replay(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["replay", *map(str, arguments)])


def test_histories_that_fit(folder: Path) -> None:
    result = replay("histories", "--module", f"program_{folder.name}")
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        "ok      histories/deep/two.json (Program 'two')",
        "ok      histories/one.json (Program 'one')",
        "2 replayed, all fit",
    ]


def test_a_list_of_events_is_a_history_too(folder: Path) -> None:
    whole = json.loads((folder / "histories" / "one.json").read_text())
    (folder / "list.json").write_text(json.dumps(whole["events"]))
    result = replay("list.json", "-m", f"program_{folder.name}")
    assert result.exit_code == 0, result.output


def test_compressed_histories(folder: Path) -> None:
    (folder / "three.json.gz").write_bytes(gzip.compress((folder / "histories" / "one.json").read_bytes()))
    (folder / "broken.json.gz").write_bytes(b"no gzip")
    assert replay("three.json.gz", "-m", f"program_{folder.name}").exit_code == 0
    result = replay(".", "-m", f"program_{folder.name}")
    assert result.exit_code == 1
    assert result.output.splitlines()[-1] == "4 replayed, 1 failed"


@pytest.mark.parametrize("reference", ["--workflow={}:sleeps", "--module={}.py"])
def test_workflows_are_named_one_by_one_or_by_file(folder: Path, reference: str) -> None:
    result = replay("histories/one.json", reference.format(f"program_{folder.name}"))
    assert result.exit_code == 0, result.output


def test_histories_that_do_not_fit(folder: Path) -> None:
    result = replay("histories", "-m", f"changed_{folder.name}")
    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert lines[0] == "FAILED  histories/deep/two.json"
    assert lines[1].startswith(
        "        NondeterminismError: event 5 of the history is TimerStarted, but the workflow code scheduled activity "
        "'charge' with id '1' (ScheduleActivity) there: "
    )
    assert f"changed_{folder.name}.py:12, in charges" in lines[1]
    assert lines[-1] == "2 replayed, 2 failed"


def test_code_that_raises(folder: Path) -> None:
    result = replay("histories/one.json", "-m", f"broken_{folder.name}")
    assert result.exit_code == 1
    assert "KeyError: 'typo' at " in result.output
    assert f"broken_{folder.name}.py:7, in broken" in result.output


def test_json(folder: Path) -> None:
    (folder / "histories" / "bad.json").write_text("7")
    result = replay("histories", "-m", f"program_{folder.name}", "--json")
    assert result.exit_code == 1
    report = json.loads(result.output)
    assert (report["replayed"], report["failed"]) == (3, 1)
    bad, two, _ = report["histories"]
    assert bad["history"] == "histories/bad.json"
    assert "cannot be read" in bad["error"]
    assert two == {
        "history": "histories/deep/two.json",
        "workflow_id": "two",
        "run_id": "a-run",
        "workflow_type": "Program",
        "ok": True,
        "error_type": None,
        "error": None,
    }


def test_a_history_that_is_cut_off(folder: Path) -> None:
    whole = json.loads((folder / "histories" / "one.json").read_text())
    del whole["events"][3]
    (folder / "cut.json").write_text(json.dumps(whole))
    result = replay("cut.json", "-m", f"program_{folder.name}")
    assert result.exit_code == 1
    assert "after event 3, where a workflow task starts, the end of that task is missing" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-m", "{program}"], "nothing to replay"),
        (["histories"], "no workflows to replay with"),
        (["histories", "-m", "no_such_module"], "there is no file, folder or module 'no_such_module'"),
        (["histories", "-m", "raises"], "cannot import 'raises': raises.py:1: ZeroDivisionError: division by zero"),
        (["histories", "-m", "no_such_file.py"], "there is no file 'no_such_file.py'"),
        (["histories", "-m", "json"], "there are no workflows in 'json'"),
        (["histories", "-w", "{program}"], "takes MODULE:NAME"),
        (["histories", "-w", "{program}:nothing"], "there is no 'nothing'"),
        (["histories", "-w", "{program}:not_a_workflow"], "is no workflow"),
        (["histories", "-m", "{program}", "-m", "{changed}"], "two workflows are named 'Program'"),
        (["no-such-folder", "-m", "{program}"], "does not exist"),
        (["empty", "-m", "{program}"], "no JSON files in empty"),
    ],
)
def test_usage(folder: Path, arguments: list[str], message: str) -> None:
    (folder / "empty").mkdir()
    (folder / "raises.py").write_text("1 / 0\n")
    names = {"program": f"program_{folder.name}", "changed": f"changed_{folder.name}"}
    result = replay(*(argument.format(**names) for argument in arguments))
    assert result.exit_code == 2
    assert message in result.output


def test_as_a_command_nothing_else_is_printed(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "invincible", "replay", "histories", "-m", f"changed_{folder.name}", "--json"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr == ""
    assert json.loads(done.stdout)["failed"] == 2


def test_a_workflow_thread_that_fails_ends_the_command(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise MemoryError("no room")

    monkeypatch.setattr(WorkflowThread, "_process", fail)
    result = replay("histories/one.json", "--module", f"program_{folder.name}")
    assert result.exit_code == 1
    assert "cannot run workflows any more: MemoryError: no room" in str(result.exception)


RUN = "0b9c9a4e-5d0c-4c56-9d2f-6a3a0b6f2c11"


@pytest.mark.parametrize(
    ("reference", "execution"),
    [
        ("order-42", ("order-42", None)),
        (f"order-42:{RUN}", ("order-42", RUN)),
        ("nightly-2026-05-01T10:00:00Z", ("nightly-2026-05-01T10:00:00Z", None)),
        (f"nightly-2026-05-01T10:00:00Z:{RUN}", ("nightly-2026-05-01T10:00:00Z", RUN)),
        (f":{RUN}", (f":{RUN}", None)),
        (RUN, (RUN, None)),
    ],
)
def test_only_a_run_id_is_split_from_a_workflow_id(reference: str, execution: tuple[str, str | None]) -> None:
    assert execution_of(reference) == execution
