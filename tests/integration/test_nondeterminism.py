"""Changed code meets runs that are under way: the explanation in the log, for those who wait, and by the replayer."""

from __future__ import annotations

import asyncio
import logging
import sys
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from invincible import activity, workflow
from invincible.client import Client, WorkflowHandle, WorkflowTaskFailedError
from invincible.worker import Replayer, Worker
from tests.support.conditions import eventually


@activity.defn(start_to_close_timeout=timedelta(seconds=30))
async def charge(amount: int) -> int:
    return amount


@workflow.defn(name="Order")
class Order:
    @workflow.run
    async def run(self) -> None:
        await asyncio.sleep(3600)

    @workflow.signal
    async def wake(self) -> None:
        pass


@workflow.defn(name="Order")
class ChangedOrder:
    @workflow.run
    async def run(self) -> None:
        await charge.execute(7)  # where there was a timer

    @workflow.signal
    async def wake(self) -> None:
        pass


@workflow.defn(name="Order")
class ImpatientOrder:
    @workflow.run
    async def run(self) -> None:
        return

    @workflow.signal
    async def wake(self) -> None:
        pass


async def started_by_the_old_code(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    async with Worker(client, task_queue=task_queue, workflows=[Order]):
        handle = await client.start_workflow(Order.run, id=f"order-{uuid.uuid4()}", task_queue=task_queue)
        await eventually(lambda: has_event(handle, "timer_started_event_attributes"), what="the timer is started")
    await handle.signal(Order.wake)
    return handle


async def has_event(handle: WorkflowHandle[Any, Any], kind: str) -> bool:
    return any(event.WhichOneof("attributes") == kind for event in (await handle.fetch_history()).events)


def line_of(text: str) -> int:
    with open(__file__) as source:
        return next(number for number, line in enumerate(source, 1) if text in line)


async def test_the_worker_explains_what_the_replayer_explains(
    client: Client, task_queue: str, caplog: pytest.LogCaptureFixture
) -> None:
    handle = await started_by_the_old_code(client, task_queue)
    with caplog.at_level(logging.WARNING, logger="invincible.worker"):
        async with Worker(client, task_queue=task_queue, workflows=[ChangedOrder], activities=[charge]):
            with pytest.raises(WorkflowTaskFailedError) as raised:
                await handle.result()
    error = raised.value
    assert error.reason == "NON_DETERMINISTIC_ERROR"
    assert isinstance(error.__cause__, workflow.NondeterminismError)
    explanation = str(error.__cause__)
    assert explanation.startswith(
        "event 5 of the history is TimerStarted, but the workflow code scheduled activity 'charge' with id '1' "
        "(ScheduleActivity) there: "
    )
    assert f"test_nondeterminism.py:{line_of('where there was a timer')}, in " in explanation
    assert "[TMPRL1100]" in explanation
    assert error.message == explanation
    (record,) = (record for record in caplog.records if "workflow task failed" in record.getMessage())
    assert str(handle.result_run_id) in record.getMessage()
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == explanation

    with pytest.raises(workflow.NondeterminismError) as replayed:
        await Replayer(workflows=[ChangedOrder]).replay_workflow(await handle.fetch_history())
    assert str(replayed.value) == explanation
    await handle.terminate()


async def test_it_is_explained_without_a_cache_too(client: Client, task_queue: str) -> None:
    handle = await started_by_the_old_code(client, task_queue)
    worker = Worker(
        client, task_queue=task_queue, workflows=[ChangedOrder], activities=[charge], max_cached_workflows=0
    )
    async with worker:
        with pytest.raises(WorkflowTaskFailedError, match="the workflow code scheduled activity 'charge'") as raised:
            await handle.result()
    assert isinstance(raised.value.__cause__, workflow.NondeterminismError)
    await handle.terminate()


async def test_the_command_replays_what_the_server_has(client: Client, address: str, task_queue: str) -> None:
    handle = await started_by_the_old_code(client, task_queue)
    program = ("-m", "invincible", "replay", "--address", address, "--workflow", f"{__name__}:ChangedOrder")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *program,
        *("--workflow-id", f"{handle.id}:{handle.result_run_id}", "--workflow-id", "no-such-workflow"),
        cwd=Path(__file__).parents[2],
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 1
    assert f"FAILED  {handle.id}:{handle.result_run_id}" in output.decode()
    assert "the workflow code scheduled activity 'charge'" in output.decode()
    assert "FAILED  no-such-workflow" in output.decode()
    assert output.decode().endswith("2 replayed, 2 failed\n")
    await handle.terminate()


async def test_nondeterminism_may_fail_the_workflow_instead(client: Client, task_queue: str) -> None:
    handle = await started_by_the_old_code(client, task_queue)
    async with Worker(
        client,
        task_queue=task_queue,
        workflows=[ImpatientOrder],
        workflow_failure_exception_types=[workflow.NondeterminismError],
    ):
        with pytest.raises(Exception, match="Workflow execution failed") as raised:
            await handle.result()
    assert "Nondeterminism" in str(raised.value.__cause__)
