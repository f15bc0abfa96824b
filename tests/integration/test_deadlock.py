"""Workflow code that does not yield, on real workers."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import signal
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from invincible import workflow
from invincible.client import Client, WorkflowTaskFailedError
from invincible.worker import Worker
from invincible.worker._watchdog import DeadlockError
from tests.support.conditions import eventually

BUDGET = timedelta(seconds=0.3)
DEADLINE = 60.0


def compute(seconds: float) -> None:
    """Keep the CPU busy; time that other threads have it does not count."""
    began = time.thread_time()
    while time.thread_time() - began < seconds:
        pass


@workflow.defn(sandboxed=False)
async def busy_loop() -> None:
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        pass


@workflow.defn(sandboxed=False)
async def swallowing_loop() -> None:
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        try:
            compute(1)
        except Exception:
            continue


attempts = itertools.count(1)


@workflow.defn(sandboxed=False)
async def loops_once() -> str:
    if next(attempts) == 1:
        compute(DEADLINE)
    return "on the second attempt"


blocked, release = threading.Event(), threading.Event()


@workflow.defn(sandboxed=False)
async def blocking_call() -> str:
    blocked.set()
    release.wait(DEADLINE)
    return "nobody is interested any more"


@workflow.defn(sandboxed=False)
async def takes_a_while() -> str:
    compute(2 * BUDGET.total_seconds())
    return "computed"


@workflow.defn(sandboxed=False, deadlock_timeout=timedelta(seconds=30))
async def patient() -> str:
    compute(2 * BUDGET.total_seconds())
    return "computed"


@workflow.defn(sandboxed=False, deadlock_timeout=BUDGET)
async def hasty() -> str:
    compute(DEADLINE)
    return "computed"


@workflow.defn(sandboxed=False)
async def modest() -> str:
    compute(BUDGET.total_seconds() / 2)
    return "computed"


@workflow.defn(sandboxed=False)
async def endless_cleanup() -> None:
    try:
        await workflow.wait_condition(lambda: False)
    finally:
        compute(DEADLINE)


@workflow.defn
async def quick() -> str:
    return "done"


@contextmanager
def busy_threads(count: int) -> Iterator[None]:
    stop = threading.Event()

    def spin() -> None:
        while not stop.is_set():
            pass

    threads = [threading.Thread(target=spin) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def worker_for(client: Client, task_queue: str, *workflows: object, **options: object) -> Worker:
    options.setdefault("deadlock_timeout", BUDGET)
    return Worker(client, task_queue=task_queue, workflows=[quick, *workflows], **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(("program", "line"), [(busy_loop, "in busy_loop: "), (swallowing_loop, "in compute: while")])
async def test_a_loop_fails_the_task_and_frees_the_thread(
    client: Client, task_queue: str, program: Any, line: str
) -> None:
    async with worker_for(client, task_queue, program):
        with pytest.raises(WorkflowTaskFailedError) as raised:
            await client.execute_workflow(program, id=f"loop-{uuid.uuid4()}", task_queue=task_queue)
        assert await client.execute_workflow(quick, id=f"quick-{uuid.uuid4()}", task_queue=task_queue) == "done"
    error = raised.value.__cause__
    assert isinstance(error, DeadlockError)
    assert "[TMPRL1101] Potential deadlock detected" in str(error)
    assert "did not yield within 0.3 s; it is at" in str(error)
    assert line in str(error)
    assert "test_deadlock.py" in str(error)
    assert "compute" in raised.value.stack_trace or "busy_loop" in raised.value.stack_trace


async def test_the_run_that_overran_is_tried_again_and_completes_once(
    client: Client, task_queue: str, caplog: pytest.LogCaptureFixture
) -> None:
    client._raise_task_failures = False
    with caplog.at_level(logging.WARNING, logger="invincible"):
        async with worker_for(client, task_queue, loops_once):
            handle = await client.start_workflow(loops_once, id=f"once-{uuid.uuid4()}", task_queue=task_queue)
            assert await handle.result() == "on the second attempt"
    history = await handle.fetch_history()
    kinds = [event.WhichOneof("attributes") for event in history.events]
    assert kinds.count("workflow_task_failed_event_attributes") == 1
    assert kinds.count("workflow_task_completed_event_attributes") == 1
    records = [record for record in caplog.records if "failed" in record.getMessage()]
    assert len(records) == 1
    assert "TMPRL1101" in caplog.text
    assert str(handle.result_run_id) in records[0].getMessage()


async def test_a_blocking_call_does_not_stop_the_other_runs(client: Client, task_queue: str) -> None:
    async with worker_for(client, task_queue, blocking_call):
        handle = await client.start_workflow(blocking_call, id=f"blocked-{uuid.uuid4()}", task_queue=task_queue)
        try:
            with pytest.raises(WorkflowTaskFailedError, match=r"release\.wait"):
                await handle.result()
            assert not release.is_set()
            for _ in range(3):
                assert await client.execute_workflow(quick, id=f"quick-{uuid.uuid4()}", task_queue=task_queue) == "done"
            await handle.terminate()
        finally:
            release.set()
        assert await client.execute_workflow(quick, id=f"quick-{uuid.uuid4()}", task_queue=task_queue) == "done"


async def test_code_that_does_not_end_with_its_run_is_interrupted(client: Client, task_queue: str) -> None:
    async with worker_for(client, task_queue, endless_cleanup, max_cached_workflows=1):
        handle = await client.start_workflow(endless_cleanup, id=f"cleanup-{uuid.uuid4()}", task_queue=task_queue)
        await eventually(lambda: _has_completed_a_task(handle), what="the first workflow task is completed")
        # Takes the only place in the cache.
        next_run = client.execute_workflow(quick, id=f"quick-{uuid.uuid4()}", task_queue=task_queue)
        assert await asyncio.wait_for(next_run, DEADLINE / 2) == "done"
        await handle.terminate()


async def _has_completed_a_task(handle: object) -> bool:
    history = await handle.fetch_history()  # type: ignore[attr-defined]
    return any(event.HasField("workflow_task_completed_event_attributes") for event in history.events)


async def test_the_budget_of_a_workflow_goes_before_that_of_the_worker(client: Client, task_queue: str) -> None:
    async with worker_for(client, task_queue, patient):
        assert await client.execute_workflow(patient, id=f"patient-{uuid.uuid4()}", task_queue=task_queue) == "computed"


@pytest.mark.parametrize("options", [{"debug_mode": True}, {"deadlock_timeout": None}])
async def test_the_watchdog_can_be_off(client: Client, task_queue: str, options: dict[str, object]) -> None:
    async with worker_for(client, task_queue, takes_a_while, **options):
        result = await client.execute_workflow(takes_a_while, id=f"while-{uuid.uuid4()}", task_queue=task_queue)
    assert result == "computed"


async def test_the_budget_of_a_workflow_holds_where_the_worker_has_none(client: Client, task_queue: str) -> None:
    async with worker_for(client, task_queue, hasty, takes_a_while, deadlock_timeout=None):
        with pytest.raises(WorkflowTaskFailedError, match="TMPRL1101"):
            await client.execute_workflow(hasty, id=f"hasty-{uuid.uuid4()}", task_queue=task_queue)
        handle = await client.start_workflow(takes_a_while, id=f"while-{uuid.uuid4()}", task_queue=task_queue)
        assert await handle.result() == "computed"


async def test_busy_threads_do_not_eat_the_budget(client: Client, task_queue: str) -> None:
    async with worker_for(client, task_queue, modest):
        handle = await client.start_workflow(quick, id=f"quick-{uuid.uuid4()}", task_queue=task_queue)
        await handle.result()
        began = time.monotonic()
        with busy_threads(4):
            result = await client.execute_workflow(modest, id=f"modest-{uuid.uuid4()}", task_queue=task_queue)
        assert result == "computed"
        assert time.monotonic() - began > BUDGET.total_seconds()


WORKER_PROGRAM = """
import asyncio, sys, time
from datetime import timedelta
from pathlib import Path
from typing import Any

from invincible import workflow
from invincible.client import Client
from invincible.worker import Worker


@workflow.defn(sandboxed=False)
async def stopped_in_the_middle() -> str:
    Path(sys.argv[3]).touch()
    began = time.thread_time()
    while time.thread_time() - began < 0.25:
        pass
    return "computed"


async def main() -> None:
    client = await Client.connect(sys.argv[1])
    worker = Worker(
        client, task_queue=sys.argv[2], workflows=[stopped_in_the_middle], deadlock_timeout=timedelta(seconds=0.5)
    )
    await worker.run()


asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGSTOP")
async def test_a_stopped_process_has_not_overrun_its_budget(
    client: Client, address: str, task_queue: str, tmp_path: Path
) -> None:
    marker = tmp_path / "in workflow code"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORKER_PROGRAM, address, task_queue, str(marker)
    )
    try:
        handle = await client.start_workflow(
            "stopped_in_the_middle", id=f"stopped-{uuid.uuid4()}", task_queue=task_queue, result_type=str
        )
        await eventually(lambda: asyncio.to_thread(marker.exists), what="the workflow code runs")
        os.kill(process.pid, signal.SIGSTOP)
        await asyncio.sleep(1.5)  # three times the budget
        os.kill(process.pid, signal.SIGCONT)
        assert await handle.result() == "computed"
    finally:
        process.kill()
        await process.wait()
