"""The life of a worker: start, shutdown, cancellation, giving up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from invincible import activity, workflow
from invincible.client import Client
from invincible.common import RawValue
from invincible.worker import Worker
from tests.support.conditions import eventually

LIMIT = 20.0


@activity.defn(start_to_close_timeout=timedelta(seconds=10))
def thread_name() -> str:
    return threading.current_thread().name


@workflow.defn
async def where() -> str:
    return await thread_name.execute()


async def test_run_ends_after_shutdown(client: Client, task_queue: str) -> None:
    worker = Worker(client, task_queue=task_queue, workflows=[where], activities=[thread_name])
    assert not worker.is_running
    run = asyncio.ensure_future(worker.run())
    name = await client.execute_workflow(where, id=task_queue, task_queue=task_queue)
    assert name.startswith("invincible-activity-")
    assert worker.is_running
    await asyncio.wait_for(worker.shutdown(), LIMIT)
    await asyncio.wait_for(run, LIMIT)
    assert worker.is_shutdown
    assert not worker.is_running


async def test_cancelling_run_is_a_shutdown(client: Client, task_queue: str) -> None:
    worker = Worker(client, task_queue=task_queue, workflows=[where], activities=[thread_name])
    run = asyncio.ensure_future(worker.run())
    await client.execute_workflow(where, id=task_queue, task_queue=task_queue)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(run, LIMIT)
    assert worker.is_shutdown


async def test_a_worker_runs_once(client: Client, task_queue: str) -> None:
    worker = Worker(client, task_queue=task_queue, workflows=[where])
    with pytest.raises(RuntimeError, match="not been started"):
        await worker.shutdown()
    async with worker:
        pass
    with pytest.raises(RuntimeError, match="run before: make a new one"):
        await worker.run()


async def test_a_worker_that_gives_up_ends_its_block(
    client: Client, task_queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors: list[BaseException] = []
    worker = Worker(client, task_queue=task_queue, workflows=[where], on_fatal_error=errors.append)
    give_up = asyncio.Event()

    async def failing() -> None:
        worker._polling.set()
        await give_up.wait()
        raise RuntimeError("no more tasks for you")

    monkeypatch.setattr(worker, "_run", failing)

    async def block() -> None:
        async with worker:
            give_up.set()
            await asyncio.wait_for(asyncio.Event().wait(), LIMIT)

    with pytest.raises(RuntimeError, match="no more tasks for you"):
        await block()
    assert [str(error) for error in errors] == ["no more tasks for you"]


async def test_an_executor_runs_def_activities(client: Client, task_queue: str) -> None:
    with ThreadPoolExecutor(thread_name_prefix="my-threads") as executor:
        async with Worker(
            client, task_queue=task_queue, workflows=[where], activities=[thread_name], activity_executor=executor
        ):
            name = await client.execute_workflow(where, id=task_queue, task_queue=task_queue)
    assert name.startswith("my-threads")


async def test_shutdown_gives_running_activities_their_grace(client: Client, task_queue: str) -> None:
    started = asyncio.Event()
    seen: list[str] = []

    @activity.defn(start_to_close_timeout=timedelta(seconds=60))
    async def stubborn() -> str:
        started.set()
        await activity.wait_for_worker_shutdown()
        seen.append("told")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            details = activity.cancellation_details()
            seen.append("cancelled" if details is not None and details.worker_shutdown else "cancelled otherwise")
            raise
        return "never"

    @workflow.defn
    async def calling() -> str:
        return await stubborn.execute()

    worker = Worker(
        client,
        task_queue=task_queue,
        workflows=[calling],
        activities=[stubborn],
        graceful_shutdown_timeout=timedelta(milliseconds=200),
    )
    async with worker:
        handle = await client.start_workflow(calling, id=task_queue, task_queue=task_queue)
        await asyncio.wait_for(started.wait(), LIMIT)
        await asyncio.wait_for(worker.shutdown(), LIMIT)
    assert seen == ["told", "cancelled"]

    async def failure() -> str:
        pending = (await handle.describe()).raw_description.pending_activities
        return pending[0].last_failure.message if pending else ""

    assert "the worker shuts down" in await eventually(failure, what="the activity is reported as stopped")
    await handle.terminate()


async def test_dynamic_definitions_take_what_nothing_else_takes(client: Client, task_queue: str) -> None:
    @activity.defn(dynamic=True)
    def anything(arguments: Sequence[RawValue]) -> str:
        converter = activity.payload_converter()
        return f"{activity.info().activity_type}:{converter.from_payload(arguments[0].payload)}"

    @workflow.defn(dynamic=True)
    class AnyWorkflow:
        @workflow.run
        async def run(self, arguments: Sequence[RawValue]) -> str:
            result: str = await workflow.execute_activity(
                "unheard-of", workflow.info().workflow_type, start_to_close_timeout=timedelta(seconds=10)
            )
            return f"{len(arguments)}:{result}"

    async with Worker(client, task_queue=task_queue, workflows=[AnyWorkflow], activities=[anything, thread_name]):
        result = await client.execute_workflow("Surprise", args=[1, 2], id=task_queue, task_queue=task_queue)
    assert result == "2:unheard-of:Surprise"
