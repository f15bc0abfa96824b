"""Commands of docs/command-line.md, run as they are printed there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from invincible import activity, workflow
from invincible.client import Client
from invincible.common import RetryPolicy
from invincible.testing._server import ServerProcess
from invincible.worker import Worker
from tests.support.cli import Command
from tests.support.conditions import eventually
from tests.support.guides import text

# What differs from run to run: ids, times, and how far they are away.
_CHANGING = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\dZ?"), "<time>"),
    (re.compile(r"\bin \d+[dhms]( \d+[hms])?|\d+m?s ago|\bnow\b"), "<time>"),
)


def commands(section: str) -> list[tuple[list[str], str]]:
    """The commands of a section, each with what it prints."""
    [found] = re.findall(rf"^## {section}\n(.*?)(?=^## |\Z)", text("command-line.md"), re.MULTILINE | re.DOTALL)
    blocks = re.findall(r"^```console\n(.*?)^```$", found, re.MULTILINE | re.DOTALL)
    printed = [part.partition("\n") for block in blocks for part in re.split(r"^\$ invincible ", block, flags=re.M)[1:]]
    return [(shlex.split(line), output) for line, _, output in printed]


def alike(output: str) -> list[list[str]]:
    """The words of an output, without what differs from run to run."""
    for pattern, name in _CHANGING:
        output = pattern.sub(name, output)
    return [line.split() for line in output.splitlines()]


@pytest.fixture
def own_server() -> Iterator[str]:
    """The address of a server that has nothing but what the page makes there."""
    server = ServerProcess(["--port", "0", "--headless"])
    yield server.ready.grpc
    server.stop()


async def test_schedules_and_batches(own_server: str) -> None:
    command = Command(own_server)
    for words, printed in commands("Schedules"):

        async def shown(words: list[str] = words, printed: str = printed) -> bool:
            assert alike((await command(*words)).output) == alike(printed)
            return True

        # A backfill takes a moment to start its workflows.
        await (eventually(shown, what="three workflows were started") if words[1] == "describe" else shown())

    client = await Client.connect(own_server)

    async def found() -> bool:
        return (await client.count_workflows("WorkflowType = 'Report'")).count == 3

    await eventually(found, what="the workflows are found")
    for words, printed in commands("Batches"):

        async def done(words: list[str] = words, printed: str = printed) -> bool:
            assert alike((await command(*words, input="y\n")).output) == alike(printed)
            return True

        # The list follows with a delay.
        await (eventually(done, what="the operation is listed") if words[1] == "list" else done())


_released: set[str] = set()


@activity.defn(start_to_close_timeout=timedelta(minutes=1), retry_policy=RetryPolicy(maximum_attempts=1))
async def approval() -> Any:
    _released.add(activity.info().workflow_id or "")
    activity.raise_complete_async()


@workflow.defn
async def order() -> Any:
    return await workflow.execute_activity(approval, activity_id="approval")


async def test_activities(own_server: str) -> None:
    client, command = await Client.connect(own_server), Command(own_server)
    async with Worker(client, task_queue="orders", workflows=[order], activities=[approval]):
        for words, printed in commands("Activities"):
            id = words[words.index("--workflow-id") + 1]
            await client.start_workflow(order, id=id, task_queue="orders")

            async def released(id: str = id) -> bool:
                return id in _released

            await eventually(released, what="the activity is left to others")
            assert (await command(*words)).output == printed


def test_versions() -> None:
    [*_, (words, printed)] = commands("Completion and versions")
    assert words == ["--version"]
    assert [line.split()[0] for line in printed.splitlines()] == ["invincible", "Temporal", "server:", "CPython"]
