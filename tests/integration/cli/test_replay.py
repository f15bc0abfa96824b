"""`invincible replay` with histories from a server."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from invincible import workflow
from invincible.cli.replay import sources
from invincible.client import Client, WorkflowHandle
from invincible.worker import Worker
from tests.support.cli import Command
from tests.support.codecs import sealing
from tests.support.conditions import eventually


@workflow.defn
async def tells(value: Any) -> Any:
    await asyncio.sleep(0.01)
    return value


@workflow.defn(name="tells")
async def tells_at_once(value: Any) -> Any:
    return value


THIS = ("--workflow", f"{__name__}:tells")
CHANGED = ("--workflow", f"{__name__}:tells_at_once")


@pytest.fixture
def command(address: str) -> Command:
    return Command(address)


async def completed(client: Client, task_queue: str, count: int) -> list[str]:
    """Ids of workflows that have completed, once a query finds them all."""
    ids = [f"{task_queue}-{number}" for number in range(count)]
    async with Worker(client, task_queue=task_queue, workflows=[tells]):
        for id in ids:
            await client.execute_workflow(tells, "secret", id=id, task_queue=task_queue)

    async def found() -> bool:
        return (await client.count_workflows(query(task_queue))).count == count

    await eventually(found, what="the workflows are found")
    return ids


def query(task_queue: str) -> str:
    return f"TaskQueue = '{task_queue}'"


async def test_all_that_a_query_finds(
    command: Command, client: Client, task_queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "_AHEAD", 2)  # so that there are more workflows than are fetched at once
    ids = await completed(client, task_queue, 5)
    result = await command("replay", *THIS, "--query", query(task_queue))
    lines = result.stdout.splitlines()
    assert lines[-1] == "5 replayed, all fit"
    assert sorted(line.split()[-1] for line in lines[:-1]) == [f"'{id}')" for id in ids]

    told = await command.json("replay", *CHANGED, "--query", query(task_queue), "--limit", "3", exit_code=1)
    assert (told["replayed"], told["failed"]) == (3, 3)
    assert {each["error_type"] for each in told["histories"]} == {"NondeterminismError"}

    # Files and ids before the query.
    told = await command.json("replay", *THIS, "--workflow-id", ids[3], "--query", query(task_queue), "--limit", "1")
    assert told["histories"][0]["workflow_id"] == ids[3]
    assert told["replayed"] == 2


async def test_no_more_histories_are_fetched_than_are_needed_soon(
    command: Command, client: Client, task_queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await completed(client, task_queue, 6)
    monkeypatch.setattr(sources, "_AHEAD", 3)
    under_way: set[str] = set()
    most = 0
    fetch_history = WorkflowHandle.fetch_history

    async def watched(handle: WorkflowHandle[Any, Any], **options: Any) -> Any:
        nonlocal most
        under_way.add(handle.id)
        most = max(most, len(under_way))
        try:
            return await fetch_history(handle, **options)
        finally:
            under_way.discard(handle.id)

    monkeypatch.setattr(WorkflowHandle, "fetch_history", watched)
    await command("replay", *THIS, "--query", query(task_queue))
    assert 2 <= most <= 3


async def test_a_junit_report(command: Command, client: Client, task_queue: str, tmp_path: Path) -> None:
    [id] = await completed(client, task_queue, 1)
    file = tmp_path / "report.xml"
    options = ("--workflow-id", id, "--workflow-id", "no\x1bthing", "--junit", file)
    await command("replay", *CHANGED, *options, exit_code=1)
    suite = ElementTree.parse(file).getroot()
    assert (suite.tag, suite.get("tests"), suite.get("failures")) == ("testsuite", "2", "2")
    first, second = suite
    assert (first.get("classname"), first.get("name")) == ("tells", id)
    [failure] = first
    assert failure.get("type") == "NondeterminismError"
    assert failure.text is not None
    assert "TimerStarted" in failure.text
    assert second.get("name") == "no\\x1bthing"
    said = (
        await command("replay", *THIS, "--workflow-id", id, "--junit", tmp_path / "no" / "file", exit_code=1)
    ).stderr
    assert said.startswith("Error: --junit ")
    assert said.endswith("cannot be written: No such file or directory\n")


async def test_histories_are_decoded_by_the_converter_of_the_workers(
    command: Command, address: str, task_queue: str
) -> None:
    client = await Client.connect(address, data_converter=sealing())
    [id] = await completed(client, task_queue, 1)
    converter = ("--data-converter", "tests.support.codecs:sealing")
    assert (await command("replay", *THIS, "--workflow-id", id, *converter)).stdout.endswith("1 replayed, all fit\n")
    without = await command("replay", *THIS, "--workflow-id", id, exit_code=1)
    assert "FAILED" in without.stdout


async def test_errors(command: Command, client: Client, task_queue: str) -> None:
    empty = await command.error("replay", *THIS, "--query", query(task_queue), exit_code=2)
    assert empty == "nothing to replay: the query finds no workflows"
    assert "invalid query" in await command.error("replay", *THIS, "--query", "nonsense")
    said = await command.error("replay", *THIS, "--query", "x", "--address", "127.0.0.1:1")
    assert said.startswith("cannot connect to 127.0.0.1:1: ")
    said = await command.error("replay", *THIS, "--limit", "3", "--workflow-id", "x", exit_code=2)
    assert said == "--limit is for --query: give it too"
    missing = await command("replay", *THIS, "--workflow-id", "nothing", exit_code=1)
    assert missing.stdout.splitlines() == [
        "FAILED  nothing",
        "        RPCError: workflow not found for ID: nothing",
        "1 replayed, 1 failed",
    ]
