"""Bugs in workflow code: what the log says, and what those who wait for the result are told."""

from __future__ import annotations

import asyncio
import itertools
import logging
import sys
import traceback
import uuid

import pytest

from invincible import workflow
from invincible.client import Client, WorkflowTaskFailedError
from invincible.exceptions import ApplicationError
from invincible.testing import WorkflowEnvironment
from invincible.worker import Worker

secret_of_the_test = {"key": "value"}


@workflow.defn
async def broken() -> str:
    return look_up("no such key")


def look_up(key: str) -> str:
    return secret_of_the_test[key]


class SpeechlessError(Exception):
    def __str__(self) -> str:
        raise AttributeError("no message was set")


@workflow.defn
async def speechless() -> None:
    raise SpeechlessError


attempts = itertools.count(1)


@workflow.defn
async def broken_twice() -> int:
    attempt = next(attempts)
    if attempt <= 2:
        raise LookupError("not yet")
    return attempt


@workflow.defn
async def leaves() -> None:
    sys.exit("the workflow wants to leave")


@workflow.defn
async def quick() -> str:
    return "done"


async def test_the_exception_itself_is_the_cause(client: Client, task_queue: str) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[broken]):
        with pytest.raises(WorkflowTaskFailedError, match="no such key") as raised:
            await client.execute_workflow(broken, id=f"broken-{uuid.uuid4()}", task_queue=task_queue)
    error = raised.value
    assert type(error.__cause__) is KeyError
    names = [frame.name for frame in traceback.extract_tb(error.__cause__.__traceback__)]
    assert names[-2:] == ["broken", "look_up"]
    assert "in look_up" in error.stack_trace
    assert error.reason == "WORKFLOW_WORKER_UNHANDLED_FAILURE"


async def test_a_handle_without_run_id_gets_it_too(client: Client, task_queue: str) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[broken]):
        started = await client.start_workflow(broken, id=f"broken-{uuid.uuid4()}", task_queue=task_queue)
        with pytest.raises(WorkflowTaskFailedError) as raised:
            await client.get_workflow_handle(started.id).result()
    assert type(raised.value.__cause__) is KeyError


OTHER_PROCESS = """
import asyncio, sys
from invincible import workflow
from invincible.client import Client
from invincible.worker import Worker


@workflow.defn
async def broken() -> str:
    raise KeyError("in another process")


async def main() -> None:
    await Worker(await Client.connect(sys.argv[1]), task_queue=sys.argv[2], workflows=[broken]).run()


asyncio.run(main())
"""


async def test_a_worker_elsewhere_is_told_of_as_text(client: Client, address: str, task_queue: str) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", OTHER_PROCESS, address, task_queue)
    try:
        with pytest.raises(WorkflowTaskFailedError, match="in another process") as raised:
            await client.execute_workflow("broken", id=f"broken-{uuid.uuid4()}", task_queue=task_queue)
    finally:
        process.kill()
        await process.wait()
    assert isinstance(raised.value.__cause__, ApplicationError)
    assert raised.value.__cause__.type == "KeyError"
    assert "in broken" in raised.value.stack_trace


async def test_elsewhere_than_in_tests_the_server_tries_again_and_the_log_tells_once(
    client: Client, task_queue: str, caplog: pytest.LogCaptureFixture
) -> None:
    client._raise_task_failures = False
    with caplog.at_level(logging.DEBUG, logger="invincible.worker"):
        async with Worker(client, task_queue=task_queue, workflows=[broken_twice]):
            handle = await client.start_workflow(broken_twice, id=f"twice-{uuid.uuid4()}", task_queue=task_queue)
            assert await handle.result() == 3
    first, second = (record for record in caplog.records if "workflow task failed" in record.getMessage())
    assert first.levelno == logging.WARNING
    for told in ("broken_twice", handle.id, str(handle.result_run_id)):
        assert told in first.getMessage()
    assert first.exc_info is not None
    assert isinstance(first.exc_info[1], LookupError)
    assert second.levelno == logging.DEBUG
    assert second.exc_info is None


async def test_code_that_wants_to_end_the_process_fails_its_task_only(client: Client, task_queue: str) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[leaves, quick]):
        with pytest.raises(WorkflowTaskFailedError, match="wants to leave"):
            await client.execute_workflow(leaves, id=f"leaves-{uuid.uuid4()}", task_queue=task_queue)
        assert await client.execute_workflow(quick, id=f"quick-{uuid.uuid4()}", task_queue=task_queue) == "done"


async def test_an_error_without_text_fails_its_task_only(client: Client, task_queue: str) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[speechless, quick]):
        with pytest.raises(WorkflowTaskFailedError) as raised:
            await client.execute_workflow(speechless, id=f"speechless-{uuid.uuid4()}", task_queue=task_queue)
        assert type(raised.value.__cause__) is SpeechlessError
        assert await client.execute_workflow(quick, id=f"quick-{uuid.uuid4()}", task_queue=task_queue) == "done"


async def test_an_environment_over_a_server_that_runs_raises_too(address: str, task_queue: str) -> None:
    client = WorkflowEnvironment.from_client(await Client.connect(address)).client
    async with Worker(client, task_queue=task_queue, workflows=[broken]):
        with pytest.raises(WorkflowTaskFailedError, match="no such key"):
            await client.execute_workflow(broken, id=f"broken-{uuid.uuid4()}", task_queue=task_queue)


async def test_a_workflow_nobody_has_registered_is_named(client: Client, task_queue: str) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[quick]):
        with pytest.raises(WorkflowTaskFailedError, match=r"'Missing' is not registered.*its workflows are: quick"):
            await client.execute_workflow("Missing", id=f"missing-{uuid.uuid4()}", task_queue=task_queue)
