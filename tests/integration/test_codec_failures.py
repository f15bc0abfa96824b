"""Codecs that raise, hang or take their time: nothing else of the worker waits for them, and nothing is lost."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from invincible import activity, workflow
from invincible.api.enums.v1 import EventType
from invincible.client import Client, WorkflowFailureError, WorkflowQueryFailedError
from invincible.common import RetryPolicy
from invincible.exceptions import ActivityError, ApplicationError
from invincible.worker import Replayer, Worker, _codec_calls
from tests.support.codecs import Call, SealingCodec, sealing, with_config
from tests.support.history import fetch_events, of_type, wait_for_event

ONCE = RetryPolicy(maximum_attempts=1)
SECONDS = timedelta(seconds=1)
LIMIT = 30.0


def on(operation: str, text: str, act: Callable[[], Awaitable[object]]) -> SealingCodec:
    """A codec that does something before it encodes or decodes a text."""

    async def before(call: Call) -> None:
        if call.operation == operation and any(text.encode() in data for data in call.data):
            await act()

    return SealingCodec(before)


async def fail() -> None:
    raise RuntimeError("the key is gone")


async def hang() -> None:
    await asyncio.Event().wait()


def once(act: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[object]]:
    done = False

    async def first() -> None:
        nonlocal done
        if not done:
            done = True
            await act()

    return first


@activity.defn(start_to_close_timeout=timedelta(seconds=20), retry_policy=ONCE)
async def act(kind: str, text: str) -> str:
    if kind == "fail":
        raise ApplicationError("failed", text.upper(), type="Kind", non_retryable=True)
    if kind == "beat":
        activity.heartbeat(text.upper())
        await asyncio.sleep(LIMIT)
    return text.upper()


@activity.defn(start_to_close_timeout=timedelta(seconds=20), retry_policy=ONCE)
def act_on_thread(kind: str, text: str) -> str:
    if kind == "fail":
        raise ApplicationError("failed", text.upper(), type="Kind", non_retryable=True)
    if kind == "beat":
        activity.heartbeat(text.upper())
        activity.wait_for_cancelled_sync(LIMIT)
        activity_is_cancelled = activity.is_cancelled()
        assert activity_is_cancelled
        raise asyncio.CancelledError
    return text.upper()


@workflow.defn
class Acting:
    def __init__(self) -> None:
        self.finish = False

    @workflow.run
    async def run(self, name: str, kind: str, text: str) -> str:
        if name == "wait":
            await workflow.wait_condition(lambda: self.finish)
            return text
        if name == "local":
            return await act.execute_local(kind, text)
        if name == "return":
            return text.upper()
        if name == "details":
            raise ApplicationError("failed", text.upper())
        called = act if name == "act" else act_on_thread
        return await called.execute(kind, text)

    @workflow.signal
    def end(self) -> None:
        self.finish = True

    @workflow.query
    def query(self, text: str) -> str:
        return text.upper()


async def start(client: Client, task_queue: str, *args: str, **options: Any) -> Any:
    return await client.start_workflow(
        Acting.run, args=args, id=f"{task_queue}-{args[-1]}", task_queue=task_queue, **options
    )


def worker(client: Client, task_queue: str, codec: SealingCodec) -> Worker:
    client = with_config(client, data_converter=sealing(codec))
    return Worker(client, task_queue=task_queue, workflows=[Acting], activities=[act, act_on_thread])


@pytest.mark.parametrize(
    ("operation", "what"), [("decode", "InitializeWorkflow.arguments"), ("encode", "CompleteWorkflowExecution.result")]
)
async def test_a_task_whose_payloads_fail_is_tried_again(
    client: Client, task_queue: str, operation: str, what: str
) -> None:
    client = with_config(client, data_converter=sealing())
    client._raise_task_failures = False
    text = "text" if operation == "decode" else "TEXT"
    async with worker(client, task_queue, on(operation, text, once(fail))):
        handle = await start(client, task_queue, "return", "", "text")
        assert await asyncio.wait_for(handle.result(), LIMIT) == "TEXT"
    (failed,) = of_type(await fetch_events(client, handle.id), EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED)
    failure = failed.workflow_task_failed_event_attributes.failure
    assert failure.message == (
        f"the payload codec or external storage failed to {operation} {what}: RuntimeError: the key is gone"
    )
    assert failure.cause.message == "the key is gone"


async def test_a_run_that_fails_without_its_details_is_tried_again(client: Client, task_queue: str) -> None:
    client = with_config(client, data_converter=sealing())
    client._raise_task_failures = False
    async with worker(client, task_queue, on("encode", "TEXT", once(fail))):
        handle = await start(client, task_queue, "details", "", "text")
        with pytest.raises(WorkflowFailureError) as raised:
            await asyncio.wait_for(handle.result(), LIMIT)
    assert isinstance(raised.value.cause, ApplicationError)
    assert list(raised.value.cause.details) == ["TEXT"]


@pytest.mark.parametrize("name", ["act", "thread", "local"])
@pytest.mark.parametrize("kind", ["input", "result", "fail"])
async def test_an_activity_whose_payloads_fail_fails(client: Client, task_queue: str, name: str, kind: str) -> None:
    decodings = 0

    async def before(call: Call) -> None:
        nonlocal decodings
        if call.operation == "decode" and any(b'"text"' in data for data in call.data):
            decodings += 1
            # The first time it is for the workflow.
            if kind == "input" and decodings == 2:
                await fail()
        if call.operation == "encode" and b'"TEXT"' in call.data and kind != "input":
            await fail()

    client = with_config(client, data_converter=sealing())
    async with worker(client, task_queue, SealingCodec(before)):
        handle = await start(client, task_queue, name, kind, "text")
        with pytest.raises(WorkflowFailureError) as raised:
            await asyncio.wait_for(handle.result(), LIMIT)
    error: BaseException | None = raised.value.cause
    if name != "local":
        assert isinstance(error, ActivityError)
        error = error.cause
    assert isinstance(error, ApplicationError)
    if kind == "input":
        called = "act" if name != "thread" else "act_on_thread"
        assert (
            error.message
            == f"the payload codec or external storage failed to decode the arguments of activity {called!r}"
        )
        assert isinstance(error.cause, ApplicationError)
        error = error.cause
    if kind == "fail":
        assert error.message == "failed (without its details, which cannot be encoded: RuntimeError: the key is gone)"
        assert (error.type, error.non_retryable, list(error.details)) == ("Kind", True, [])
    else:
        assert (error.type, error.message) == ("RuntimeError", "the key is gone")


@pytest.mark.parametrize("name", ["act", "thread"])
async def test_a_heartbeat_that_cannot_be_encoded_ends_the_activity(client: Client, task_queue: str, name: str) -> None:
    client = with_config(client, data_converter=sealing())
    async with worker(client, task_queue, on("encode", "TEXT", fail)):
        handle = await start(client, task_queue, name, "beat", "text")
        with pytest.raises(WorkflowFailureError) as raised:
            await asyncio.wait_for(handle.result(), LIMIT)
    error = raised.value.cause
    assert isinstance(error, ActivityError)
    assert isinstance(error.cause, ApplicationError)
    assert (error.cause.type, error.cause.message) == ("RuntimeError", "the key is gone")


async def test_a_query_whose_payloads_fail_fails_alone(client: Client, task_queue: str) -> None:
    client = with_config(client, data_converter=sealing())

    async def before(call: Call) -> None:
        if (call.operation, call.data) in (("decode", (b'"broken"',)), ("encode", (b'"MUTE"',))):
            await fail()

    async with worker(client, task_queue, SealingCodec(before)):
        handle = await start(client, task_queue, "wait", "", "text")
        for text, what in (("broken", "decode QueryWorkflow.arguments"), ("mute", "encode QueryResult.response")):
            with pytest.raises(WorkflowQueryFailedError) as raised:
                await handle.query(Acting.query, text)
            assert f"failed to {what}: RuntimeError: the key is gone" in str(raised.value)
        assert await handle.query(Acting.query, "whole") == "WHOLE"
        await handle.signal(Acting.end)
        assert await asyncio.wait_for(handle.result(), LIMIT) == "text"
    assert of_type(await fetch_events(client, handle.id), EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED) == []


async def test_a_slow_codec_keeps_nobody_else_waiting(client: Client, task_queue: str) -> None:
    slow, released = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        slow.set()
        await released.wait()

    client = with_config(client, data_converter=sealing())
    async with worker(client, task_queue, on("decode", "slow", wait)):
        waiting = await start(client, task_queue, "return", "", "slow")
        await asyncio.wait_for(slow.wait(), LIMIT)
        quick = [
            await start(client, task_queue, name, "", f"quick {name}") for name in ("return", "act", "thread", "local")
        ]
        results = await asyncio.wait_for(asyncio.gather(*(each.result() for each in quick)), LIMIT)
        assert results == ["QUICK RETURN", "QUICK ACT", "QUICK THREAD", "QUICK LOCAL"]
        released.set()
        assert await asyncio.wait_for(waiting.result(), LIMIT) == "SLOW"


@pytest.mark.parametrize("operation", ["decode", "encode"])
async def test_a_task_whose_codec_does_not_answer_times_out_and_comes_again(
    client: Client, task_queue: str, operation: str
) -> None:
    client = with_config(client, data_converter=sealing())
    client._raise_task_failures = False
    text = "text" if operation == "decode" else "TEXT"
    async with worker(client, task_queue, on(operation, text, once(hang))):
        handle = await start(client, task_queue, "return", "", "text", task_timeout=SECONDS)
        assert await asyncio.wait_for(handle.result(), LIMIT) == "TEXT"
    await wait_for_event(client, handle.id, EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT)


@pytest.mark.parametrize("name", ["act", "thread"])
@pytest.mark.parametrize("kind", ["result", "fail", "beat"])
async def test_a_codec_that_does_not_answer_does_not_hold_the_worker(
    client: Client, task_queue: str, name: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_codec_calls, "_END_TIMEOUT", 0.2)
    hanging = asyncio.Event()

    async def wait() -> None:
        hanging.set()
        await hang()

    client = with_config(client, data_converter=sealing())
    async with worker(client, task_queue, on("encode", "TEXT", wait)) as held:
        handle = await start(client, task_queue, name, kind, "text")
        await asyncio.wait_for(hanging.wait(), LIMIT)
        await asyncio.wait_for(held.shutdown(), LIMIT)
    await handle.terminate()


CRASHING = """
import asyncio, os, sys

sys.path.insert(0, os.getcwd())
from invincible.client import Client
from tests.integration.test_codec_failures import crash, on, worker

async def main(address, task_queue, operation, text):
    async with worker(await Client.connect(address), task_queue, on(operation, text, crash)):
        await asyncio.Event().wait()

asyncio.run(main(*sys.argv[1:]))
"""


async def crash() -> None:
    os._exit(9)


@pytest.mark.parametrize(("operation", "text"), [("decode", "text"), ("encode", "TEXT")])
async def test_what_a_worker_was_encoding_when_it_died_is_done_by_the_next(
    client: Client, address: str, task_queue: str, operation: str, text: str
) -> None:
    client = with_config(client, data_converter=sealing())
    handle = await start(client, task_queue, "act", "", "text", task_timeout=SECONDS)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", CRASHING, address, task_queue, operation, text)
    assert await asyncio.wait_for(process.wait(), LIMIT) == 9
    if operation == "encode":
        # The activity is under way as far as the server knows.
        await wait_for_event(client, handle.id, EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)
        await handle.terminate()
        handle = await start(client, task_queue, "return", "", "text", task_timeout=SECONDS)
    async with worker(client, task_queue, SealingCodec()):
        assert await asyncio.wait_for(handle.result(), LIMIT) == "TEXT"


async def test_a_replay_tells_of_a_codec_that_fails(client: Client, task_queue: str) -> None:
    client = with_config(client, data_converter=sealing())
    async with worker(client, task_queue, SealingCodec()):
        handle = await start(client, task_queue, "act", "", "text")
        await asyncio.wait_for(handle.result(), LIMIT)
    history = await handle.fetch_history()
    codec = on("decode", "TEXT", fail)
    replayer = Replayer(workflows=[Acting], data_converter=sealing(codec))
    with pytest.raises(RuntimeError, match=r"decode ResolveActivity\.result: RuntimeError: the key is gone"):
        await asyncio.wait_for(replayer.replay_workflow(history), LIMIT)
