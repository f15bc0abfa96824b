"""`invincible workflow show` on the real server, and its files."""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from invincible.client import Client, WorkflowFailureError, WorkflowHistory
from invincible.worker import Worker
from tests.support.cli import Command
from tests.support.conditions import eventually

from .workflow_orders import ACTIVITIES, Order


@pytest.fixture
def command(address: str) -> Command:
    return Command(address)


@pytest.fixture
async def worker(client: Client, task_queue: str) -> AsyncIterator[None]:
    async with Worker(client, task_queue=task_queue, workflows=[Order], activities=ACTIVITIES):
        yield


@pytest.fixture
async def done(client: Client, task_queue: str, worker: None) -> str:
    """A workflow that has completed."""
    workflow_id = f"order-{uuid.uuid4()}"
    await client.execute_workflow(Order.run, args=["done", "x" * 5000], id=workflow_id, task_queue=task_queue)
    return workflow_id


def without_times(text: str) -> list[str]:
    return [re.sub(r"^ *\+\S+( \d+\w+)?|  [\d.]+m?s(?=$|,)", "", line) for line in text.splitlines()]


async def test_steps_with_attempts_and_result(command: Command, done: str) -> None:
    shown = (await command("workflow", "show", done)).stdout
    lines = without_times(shown)
    assert re.fullmatch(rf"{done}  Order  completed in \S+", shown.splitlines()[0])
    cut = "x" * 80
    steps = lines.index(next(line for line in lines if "activity reserve" in line))
    assert lines[steps].startswith(f' ✓ activity reserve("{cut}')
    assert "(4.9 KiB in all)" in lines[steps]
    assert lines[steps + 1] == " ✓ activity flaky() → 2, 2 attempts"
    assert re.fullmatch(
        r" {12}attempt 1 failed: ConnectionError: the bank is closed  at .*, in flaky", lines[steps + 2]
    )
    assert lines[-1].startswith('result  ["reserved xxx')
    full = (await command("workflow", "show", done, "--full")).stdout
    assert f'reserve("{"x" * 5000}")' in full
    assert 'raise ConnectionError("the bank is closed")' in full


async def test_a_workflow_that_failed(command: Command, client: Client, task_queue: str, worker: None) -> None:
    with pytest.raises(WorkflowFailureError):
        await client.execute_workflow(Order.run, args=["fail"], id="failed-one", task_queue=task_queue)
    lines = without_times((await command("workflow", "show", "failed-one")).stdout)
    step = lines.index(next(line for line in lines if "activity refuse" in line))
    assert lines[step + 1] == '            CardError: card declined (not retryable, details {"limit": 100})'
    assert re.fullmatch(r" {14}at .*workflow_orders.py:\d+, in refuse", lines[step + 2])
    assert lines[step + 3] == "            caused by KeyError: 'limit'"


async def test_a_workflow_that_waits(command: Command, client: Client, task_queue: str, worker: None) -> None:
    handle = await client.start_workflow(Order.run, args=["wait"], id=f"w-{uuid.uuid4()}", task_queue=task_queue)

    async def waits() -> bool:
        shown = (await command("workflow", "show", handle.id)).stdout
        return shown.endswith("\nwaits for a signal or an update, or a cancellation\n")

    await eventually(waits, what="the workflow waits for a signal")


async def test_json_and_files_are_what_replay_takes(command: Command, done: str, tmp_path: Path) -> None:
    printed = await command.json("workflow", "show", done)
    plain, gzipped = tmp_path / "history.json", tmp_path / "history.json.gz"
    said = await command("workflow", "show", done, "--output", plain)
    assert said.stdout == ""
    assert said.stderr == f"wrote {len(printed['events'])} events to {plain}\n"
    await command("workflow", "show", done, "-o", gzipped)
    assert json.loads(plain.read_text()) == printed
    assert gzipped.stat().st_size < plain.stat().st_size
    assert sorted(os.listdir(tmp_path)) == [plain.name, gzipped.name]
    history = WorkflowHistory.from_json(done, plain.read_text())
    assert history.events[-1].HasField("workflow_execution_completed_event_attributes")

    served = (await command("workflow", "show", done)).stdout
    for file in (plain, gzipped):
        assert (await command("workflow", "show", "--file", file)).stdout == served
    assert (await command("workflow", "show", "--file", "-", input=plain.read_text())).stdout == served
    module = Path(__file__).with_name("workflow_orders.py")
    replayed = await command("replay", plain, "--module", module)
    assert replayed.stdout.endswith("1 replayed, all fit\n")


async def test_events_one_by_one(command: Command, done: str) -> None:
    heading, first, *_, last = (await command("workflow", "show", done, "--events")).stdout.splitlines()
    assert heading.split() == ["EVENT", "TIME", "TYPE", "ATTRIBUTES"]
    assert re.match(
        r"1      \d\d:\d\d:\d\d\.\d{3}  workflow execution started +workflow_type=Order, task_queue=", first
    )
    assert "workflow execution completed" in last


async def test_follow_draws_until_the_end(command: Command, client: Client, task_queue: str, worker: None) -> None:
    workflow_id = f"again-{uuid.uuid4()}"
    handle = await client.start_workflow(Order.run, args=["again"], id=workflow_id, task_queue=task_queue)
    run = ("--run-id", handle.result_run_id)
    lines = without_times((await command("workflow", "show", workflow_id, *run, "--follow")).stdout)
    assert lines[0].startswith(f"{workflow_id}  Order  ")
    assert any(line.startswith('continued as new with "done", "a book", goes on as run ') for line in lines)
    assert ' ✓ activity reserve("a book") → "reserved a book"' in lines
    assert lines[-1] == 'result  ["reserved a book", 2]'


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "give the ID of a workflow, or --file with a history"),
        (("some", "--file", "x"), "give the ID of a workflow, or --file with a history"),
        (("some", "--follow", "--json"), "it cannot be combined with --json"),
        (("some", "--events", "--json"), "give one of --events, --json"),
    ],
)
async def test_options_that_make_no_sense(command: Command, options: tuple[str, ...], said: str) -> None:
    assert said in await command.error("workflow", "show", *options, exit_code=2)


async def test_files_that_are_no_history(command: Command, done: str, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    assert f"{file} cannot be read: No such file" in await command.error("workflow", "show", "-f", file)
    for content in (b"{", b"\xff\xfe", b"\x1f\x8b\x00", b"7", b"{}"):
        file.write_bytes(content)
        assert (await command.error("workflow", "show", "-f", file)).startswith(f"{file} is no history: ")
    nowhere = tmp_path / "none" / "x.json"
    said = await command.error("workflow", "show", done, "-o", nowhere)
    assert said == f"{nowhere} cannot be written: No such file or directory"
