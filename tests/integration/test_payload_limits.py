"""Payloads that are too large for the server: the error names them and their size, before anything is sent."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from invincible import activity, workflow
from invincible.api.enums.v1 import EventType, WorkflowTaskFailedCause
from invincible.client import Client, WorkflowFailureError, WorkflowTaskFailedError
from invincible.common import RetryPolicy
from invincible.exceptions import ActivityError, ApplicationError
from invincible.worker import Worker
from tests.support.codecs import sealing, with_config
from tests.support.history import wait_for_event

LIMIT = 30.0
# The server takes 2 MiB.
LARGE = 2_200_000
OPTIONS: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=20),
    "retry_policy": RetryPolicy(maximum_attempts=1),
}


@activity.defn(start_to_close_timeout=timedelta(seconds=20), retry_policy=RetryPolicy(maximum_attempts=1))
async def ship(order: str, note: str) -> int:
    return len(order)


@activity.defn(start_to_close_timeout=timedelta(seconds=20), retry_policy=RetryPolicy(maximum_attempts=1))
async def produce(size: int) -> str:
    return "x" * size


@workflow.defn
async def child(text: str) -> None: ...


@workflow.defn
class Large:
    @workflow.run
    async def run(self, what: str) -> Any:
        text = "x" * LARGE
        match what:
            case "argument":
                return await ship.execute(text, note="small")
            case "unregistered":
                return await workflow.execute_activity(
                    "elsewhere", args=["small", text], task_queue="elsewhere", **OPTIONS
                )
            case "child":
                return await workflow.execute_child_workflow(child, text)
            case "child memo":
                return await workflow.execute_child_workflow(child, "small", memo={"text": text})
            case "signal":
                return await workflow.get_external_workflow_handle("nobody").signal("add", text)
            case "memo":
                workflow.upsert_memo({"text": text})
                return None
            case "again":
                workflow.continue_as_new(text)
            case "activity":
                return len(await produce.execute(LARGE))
            case "local activity":
                return len(await produce.execute_local(LARGE))
            case "update":
                return await workflow.wait_condition(lambda: False)
        return text

    @workflow.update
    def update(self) -> str:
        return "x" * LARGE


def worker(client: Client, task_queue: str, **options: Any) -> Worker:
    return Worker(client, task_queue=task_queue, workflows=[Large, child], activities=[ship, produce], **options)


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("argument", "the arguments of activity 'ship' have 2,200,071 bytes, argument 'order' alone 2,200,031"),
        (
            "unregistered",
            "the arguments of activity 'elsewhere' have 2,200,071 bytes, argument number 2 alone 2,200,031",
        ),
        ("child", "the arguments of child workflow 'child' have 2,200,036 bytes, argument 'text' alone 2,200,031"),
        ("child memo", "the memo of child workflow 'child' has 2,200,035 bytes"),
        ("signal", "the arguments of signal 'add' have 2,200,036 bytes, argument number 1 alone 2,200,031"),
        ("memo", "the change of the memo has 2,200,035 bytes"),
        ("again", "the arguments of the workflow that continues this one have 2,200,036 bytes"),
        ("result", "the result of the workflow has 2,200,036 bytes"),
    ],
    ids=["argument", "unregistered", "child", "child-memo", "signal", "memo", "again", "result"],
)
@pytest.mark.parametrize("codec", [False, True], ids=["plain", "codec"])
async def test_a_workflow_task_fails_with_what_is_too_large(
    client: Client, task_queue: str, what: str, words: str, codec: bool
) -> None:
    if codec:
        client = with_config(client, data_converter=sealing())
        words = words.split(" 2,")[0]
    async with worker(client, task_queue):
        handle = await client.start_workflow(Large.run, what, id=task_queue, task_queue=task_queue)
        with pytest.raises(WorkflowTaskFailedError) as raised:
            await asyncio.wait_for(handle.result(), LIMIT)
        error = raised.value.__cause__
        assert isinstance(error, ApplicationError)
        assert error.type == "PayloadsTooLarge"
        assert error.message.startswith(f"[TMPRL1103] {words}")
        assert "the server takes no more than 2,097,152. Pass a reference" in error.message
        failed = await wait_for_event(client, task_queue, EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED)
        await handle.terminate()
    attributes = failed.workflow_task_failed_event_attributes
    assert attributes.cause == WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_PAYLOADS_TOO_LARGE
    assert attributes.failure.message == error.message


async def test_the_result_of_an_update_is_named_too(client: Client, task_queue: str) -> None:
    async with worker(client, task_queue):
        handle = await client.start_workflow(Large.run, "update", id=task_queue, task_queue=task_queue)
        with pytest.raises(WorkflowTaskFailedError, match="the result of an update has 2,200,0"):
            await asyncio.wait_for(handle.execute_update(Large.update), LIMIT)
        await handle.terminate()


@pytest.mark.parametrize("what", ["activity", "local activity"])
@pytest.mark.parametrize("codec", [False, True], ids=["plain", "codec"])
async def test_an_activity_fails_with_the_size_of_its_result(
    client: Client, task_queue: str, what: str, codec: bool
) -> None:
    if codec:
        client = with_config(client, data_converter=sealing())
    async with worker(client, task_queue):
        handle = await client.start_workflow(Large.run, what, id=task_queue, task_queue=task_queue)
        with pytest.raises(WorkflowFailureError) as raised:
            await asyncio.wait_for(handle.result(), LIMIT)
    error: BaseException | None = raised.value.cause
    if isinstance(error, ActivityError):
        error = error.cause
    assert isinstance(error, ApplicationError)
    assert (error.type, error.non_retryable) == ("PayloadsTooLarge", False)
    assert error.message.startswith("[TMPRL1103] the result of activity 'produce' has 2,200,")


async def test_the_server_refuses_what_the_worker_was_told_to_send(client: Client, task_queue: str) -> None:
    async with worker(client, task_queue, disable_payload_error_limit=True):
        handle = await client.start_workflow(Large.run, "argument", id=task_queue, task_queue=task_queue)
        with pytest.raises(Exception, match=r"exceeds size limit|BadScheduleActivityAttributes"):
            await asyncio.wait_for(handle.result(), LIMIT)
