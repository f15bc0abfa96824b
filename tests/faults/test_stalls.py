"""What blocks a part of a worker: the rest goes on, and the part is named."""

from __future__ import annotations

import asyncio
import inspect
import re
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from invincible import activity, workflow
from invincible.client import Client
from invincible.worker import Worker
from tests.faults.stalled_worker import hold
from tests.support.conditions import eventually
from tests.support.health import answered
from tests.support.metrics import Prometheus
from tests.support.processes import Program

ADDRESS = "127.0.0.1:0"
LIMIT = 20.0

blocked = threading.Event()
release = threading.Event()


@pytest.fixture(autouse=True)
def _gates() -> Iterator[None]:
    blocked.clear()
    release.clear()
    yield
    release.set()


@activity.defn(start_to_close_timeout=timedelta(seconds=60))
async def block_the_loop() -> str:
    blocked.set()
    assert release.wait(LIMIT)
    return "released"


@activity.defn(start_to_close_timeout=timedelta(seconds=60))
async def block_in_a_task() -> str:
    async def inner() -> None:
        blocked.set()
        assert release.wait(LIMIT)

    await asyncio.gather(inner())
    return "released"


@activity.defn(start_to_close_timeout=timedelta(seconds=60))
def release_the_loop(step: int) -> bool:
    """The second step is one that was polled, run and told to workflows while the event loop stood still."""
    activity.heartbeat(step)
    if step == 2:
        release.set()
    return release.is_set()


@activity.defn
def wait() -> str:
    assert release.wait(LIMIT)
    return "released"


@workflow.defn
async def block(name: str) -> str:
    result: str = await workflow.execute_activity(name, start_to_close_timeout=timedelta(seconds=60))
    return result


@workflow.defn
async def rescue() -> list[bool]:
    await workflow.sleep(0.01)
    return [await release_the_loop.execute(step) for step in (1, 2)]


@workflow.defn(sandboxed=False)
async def block_the_thread() -> str:
    blocked.set()
    assert release.wait(LIMIT)
    return "released"


@workflow.defn
async def nothing() -> str:
    return "done"


def logged(caplog: pytest.LogCaptureFixture, pattern: str) -> str | None:
    """The first message in the log in which the pattern is found."""
    messages = [record.getMessage() for record in caplog.records if record.name == "invincible.worker"]
    return next((message for message in messages if re.search(pattern, message)), None)


async def test_a_blocked_event_loop_stops_neither_workflows_nor_other_activities(
    address: str, task_queue: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The worker has an event loop of its own here, so that the test can see it stand still."""

    async def work() -> None:
        client = await Client.connect(address)
        worker = Worker(
            client,
            task_queue=task_queue,
            workflows=[block, rescue],
            activities=[block_the_loop, release_the_loop],
            loop_lag_warning=timedelta(seconds=0.2),
        )
        async with worker:
            await client.execute_workflow(block, "block_the_loop", id=f"{task_queue}-block", task_queue=task_queue)
            await client.get_workflow_handle(f"{task_queue}-rescue").result()

    client = await Client.connect(address)
    running = asyncio.ensure_future(asyncio.to_thread(asyncio.run, work()))
    assert await asyncio.to_thread(blocked.wait, LIMIT)

    async def warned() -> str | None:
        return logged(caplog, "blocks the event loop")

    warning = await eventually(warned, what="the warning")
    # The loop is released by the last activity of this workflow, or else its activity gives up.
    assert await client.execute_workflow(rescue, id=f"{task_queue}-rescue", task_queue=task_queue) == [False, True]
    await asyncio.wait_for(running, LIMIT)
    assert warning.startswith(
        f"activity 'block_the_loop' (id '1', workflow '{task_queue}-block') blocks the event loop"
    )
    line = inspect.getsourcelines(block_the_loop)[1] + 3
    assert re.search(rf"it is at \S*test_stalls\.py:{line}, in block_the_loop\b", warning), warning
    assert logged(caplog, r"the event loop turns again, after \d+\.\d s") is not None
    assert sum("blocks the event loop" in record.getMessage() for record in caplog.records) == 1


async def test_tasks_of_an_activity_count_as_the_activity(
    address: str, task_queue: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def work() -> None:
        client = await Client.connect(address)
        worker = Worker(
            client,
            task_queue=task_queue,
            workflows=[block],
            activities=[block_in_a_task],
            loop_lag_warning=timedelta(seconds=0.2),
        )
        async with worker:
            await client.execute_workflow(block, "block_in_a_task", id=task_queue, task_queue=task_queue)

    running = asyncio.ensure_future(asyncio.to_thread(asyncio.run, work()))

    async def warned() -> str | None:
        return logged(caplog, "blocks the event loop")

    warning = await eventually(warned, what="the warning")
    release.set()
    await asyncio.wait_for(running, LIMIT)
    name = f"'block_in_a_task' (id '1', workflow '{task_queue}')"
    if sys.version_info >= (3, 12):
        assert warning.startswith(f"activity {name} blocks the event loop")
    else:
        assert re.match(rf"the task 'Task-\d+', perhaps of one of the activities {re.escape(name)}, blocks", warning)


async def test_the_lag_of_the_event_loop_is_a_metric(task_queue: str, address: str) -> None:
    prometheus = Prometheus()
    client = await Client.connect(address, runtime=prometheus.runtime)
    worker = Worker(
        client, task_queue=task_queue, workflows=[block], activities=[wait], loop_lag_warning=timedelta(seconds=0.2)
    )
    async with worker:
        handle = await client.start_workflow(block, "wait", id=task_queue, task_queue=task_queue)

        async def measured() -> bool:
            samples = prometheus.samples("invincible_event_loop_lag")
            assert [dict(labels)["task_queue"] for labels in samples] == [task_queue]
            return 0 < sum(samples.values()) < LIMIT

        await eventually(measured, what="the lag is measured")
        release.set()
        await handle.result()


@pytest.mark.parametrize("stalls", ["the event loop has not turned for", "wait for the event loop, and none was taken"])
async def test_the_stacks_are_logged_when_the_event_loop_stands_still(
    address: str, task_queue: str, caplog: pytest.LogCaptureFixture, stalls: str
) -> None:
    addresses: list[str | None] = []

    async def over() -> bool:
        assert logged(caplog, r": the event loop turns again, after about \d")
        assert logged(caplog, r": the event loop takes tasks and results again, after about \d")
        return (await answered(addresses[0], "/healthz", 200)).status == 200

    async def work() -> None:
        client = await Client.connect(address)
        worker = Worker(
            client,
            task_queue=task_queue,
            workflows=[block],
            activities=[block_the_loop],
            health_address=ADDRESS,
            loop_lag_warning=None,
            stall_timeout=timedelta(seconds=0.5),
        )
        async with worker:
            addresses.append(worker.health_address)
            await client.execute_workflow(block, "block_the_loop", id=task_queue, task_queue=task_queue)
            # The end of the stall is to be told before the worker ends.
            await eventually(over, what="the end of the stall")

    client = await Client.connect(address)
    running = asyncio.ensure_future(asyncio.to_thread(asyncio.run, work()))
    assert await asyncio.to_thread(blocked.wait, LIMIT)
    # An activity for the loop that stands still.
    await client.start_workflow(block, "block_the_loop", id=f"{task_queue}-2", task_queue=task_queue)
    await answered(addresses[0], "/healthz", 503, stalls)

    async def told() -> str | None:
        return logged(caplog, stalls)

    message = await eventually(told, what="the stacks in the log")
    assert "in block_the_loop" in message
    assert "Thread 'invincible-workflows'" in message
    release.set()
    await asyncio.wait_for(running, LIMIT)


async def test_a_workflow_thread_that_stands_still_is_told_of(
    client: Client, task_queue: str, caplog: pytest.LogCaptureFixture
) -> None:
    worker = Worker(
        client,
        task_queue=task_queue,
        workflows=[block_the_thread, nothing],
        deadlock_timeout=None,
        health_address=ADDRESS,
        stall_timeout=timedelta(seconds=0.5),
    )
    async with worker:
        stuck = await client.start_workflow(block_the_thread, id=f"{task_queue}-1", task_queue=task_queue)
        assert await asyncio.to_thread(blocked.wait, LIMIT)
        waiting = await client.start_workflow(nothing, id=f"{task_queue}-2", task_queue=task_queue)
        await answered(worker.health_address, "/healthz", 503, "1 workflow activations wait for their thread")

        async def told() -> str | None:
            return logged(caplog, "workflow activations wait for their thread, and none was taken")

        assert "in block_the_thread" in await eventually(told, what="the stacks in the log")
        release.set()
        assert (await stuck.result(), await waiting.result()) == ("released", "done")
        await answered(worker.health_address, "/healthz", 200)


async def test_stalls_are_not_looked_for_in_debug_mode(
    client: Client, task_queue: str, caplog: pytest.LogCaptureFixture
) -> None:
    worker = Worker(
        client,
        task_queue=task_queue,
        workflows=[block_the_thread, nothing],
        debug_mode=True,
        stall_timeout=timedelta(seconds=0.05),
    )
    assert (worker._parts.stall_timeout, worker._parts.loop_lag_warning) == (None, None)
    async with worker:
        assert worker._local.watch is None


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
async def test_health_is_told_while_something_holds_the_gil(address: str, client: Client, task_queue: str) -> None:
    async with Program(sys.executable, "-m", "tests.faults.stalled_worker", address, task_queue) as program:
        health = (await program.line("health at")).split()[-1]
        await answered(health, "/readyz", 200)
        handle = await client.start_workflow(hold, 3, id=task_queue, task_queue=task_queue)
        await answered(health, "/healthz", 503, "Python has not run for", timeout=LIMIT)
        await program.line("invincible: Python has not run for .*; all threads:")
        await program.line(r'File ".*stalled_worker\.py", line \d+ in hold_the_gil')
        await handle.result()
        await answered(health, "/healthz", 200)
        await program.line("Python runs again, after about")
        assert program.output.count("all threads:") == 1
