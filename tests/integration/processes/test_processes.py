"""Worker(processes=...): work, ends, errors, logs and metrics of several processes behave as those of one."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import signal
import urllib.request
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from invincible.api.enums.v1 import EventType
from invincible.client import Client, WorkflowTaskFailedError
from invincible.client._task_failures import task_failures
from invincible.runtime import PrometheusConfig, Runtime, TelemetryConfig
from invincible.worker import Worker, WorkerProcesses, _slow_start
from tests.support import process_workers
from tests.support.conditions import eventually
from tests.support.metrics import Prometheus

SETTINGS = WorkerProcesses(2, restart_backoff=timedelta(milliseconds=20), kill_after=timedelta(seconds=20))


def worker(client: Client, task_queue: str, processes: int | WorkerProcesses = SETTINGS, **options: Any) -> Worker:
    return Worker(
        client,
        task_queue=task_queue,
        workflows=process_workers.WORKFLOWS,
        activities=process_workers.ACTIVITIES,
        processes=processes,
        **options,
    )


async def pids_of(client: Client, task_queue: str, *, number: int = 20) -> set[int]:
    """The processes that take part in a workflow of many activities."""
    options: dict[str, Any] = {
        "id": os.urandom(8).hex(),
        "task_queue": task_queue,
        "task_timeout": timedelta(seconds=2),
    }
    pids: list[int] = await client.execute_workflow(process_workers.process_ids, number, **options)
    return set(pids)


def states(worker: Worker) -> Sequence[dict[str, Any]]:
    assert worker._supervisor is not None
    return worker._supervisor.states()


async def test_processes_share_the_work_and_end_with_the_worker(client: Client, task_queue: str) -> None:
    async with worker(client, task_queue, 2) as running:
        assert running.is_running
        there = {state["pid"] for state in states(running)}
        assert len(there) == 2

        async def both() -> bool:
            return await pids_of(client, task_queue) == there

        await eventually(both, what="both processes run activities")
        handle = await client.start_workflow(process_workers.process_ids, 3, id=task_queue, task_queue=task_queue)
        assert set(await handle.result()) <= there
        events = (await handle.fetch_history()).events
        identities = {
            event.activity_task_started_event_attributes.identity
            for event in events
            if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED
        }
        host = client.identity.partition("@")[2]
        assert identities <= {f"{pid}@{host}" for pid in there}
    assert running.is_shutdown
    assert not running.is_running
    for pid in there:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.parametrize("of_worker", [True, False])
async def test_identities_that_the_program_chose_are_told_apart(
    client: Client, task_queue: str, of_worker: bool
) -> None:
    named = await Client.connect(client.service_client.config.target_host, identity="packer")
    options = {"identity": "packer"} if of_worker else {}
    async with worker(client if of_worker else named, task_queue, 1, **options) as running:
        [state] = states(running)
        handle = await client.start_workflow(process_workers.process_ids, 1, id=task_queue, task_queue=task_queue)
        await handle.result()
        events = (await handle.fetch_history()).events
        completed = [each for each in events if each.HasField("activity_task_completed_event_attributes")]
        assert [each.activity_task_completed_event_attributes.identity for each in completed] == [
            f"packer/{state['pid']}"
        ]


async def test_activities_under_way_end_before_their_process(client: Client, task_queue: str, tmp_path: Path) -> None:
    started, goal = tmp_path / "started", tmp_path / "goal"
    async with worker(client, task_queue, 1, graceful_shutdown_timeout=timedelta(seconds=30)) as running:
        handle = await client.start_workflow(
            process_workers.wait_for_file, args=[str(started), str(goal)], id=task_queue, task_queue=task_queue
        )
        await eventually(lambda: asyncio.to_thread(started.exists), what="the activity runs")
        ending = asyncio.create_task(running.shutdown())

        async def draining() -> bool:
            return [state["state"] for state in states(running)] == ["draining"]

        await eventually(draining, what="the process takes no new tasks")
        assert not ending.done()
        goal.touch()
        await ending
    async with worker(client, task_queue, 1):
        assert await handle.result() == f"{goal} exists"
        starts = [
            each
            for each in (await handle.fetch_history()).events
            if each.activity_task_started_event_attributes.attempt
        ]
        assert [each.activity_task_started_event_attributes.attempt for each in starts] == [1]


async def test_a_process_that_does_not_end_is_killed(
    client: Client, task_queue: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = WorkerProcesses(1, kill_after=timedelta(seconds=3))
    async with worker(client, task_queue, settings) as running:
        handle = await client.start_workflow(
            process_workers.stubbornness, str(tmp_path / "started"), id=task_queue, task_queue=task_queue
        )
        await eventually(lambda: asyncio.to_thread((tmp_path / "started").exists), what="the activity runs")

        async def reported() -> bool:
            return any(state.get("activities") for state in states(running))

        await eventually(reported, what="the activity is reported")
    assert running._supervisor is not None
    assert running._supervisor.killed == 1
    [warning] = [each.getMessage() for each in caplog.records if "is killed" in each.getMessage()]
    assert "ignore_the_end (id 1, attempt 1, told to stop) of workflow" in warning
    await handle.terminate()


async def test_a_killed_process_is_started_again(
    client: Client, task_queue: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with worker(client, task_queue) as running:
        before = {state["pid"] for state in states(running)}
        killed = before.pop()
        os.kill(killed, signal.SIGKILL)

        async def replaced() -> bool:
            now = await pids_of(client, task_queue)
            return len(now) == 2 and killed not in now and before <= now

        await eventually(replaced, what="another process takes the place of the killed one")
        assert sorted(state["starts"] for state in states(running)) == [1, 2]
    assert any(f"(pid {killed}) was killed by SIGKILL; started again" in each.getMessage() for each in caplog.records)


async def test_a_process_that_gets_sigterm_drains_and_is_replaced(
    client: Client, task_queue: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "invincible.worker")
    settings = WorkerProcesses(1, max_crashes=1)
    async with worker(client, task_queue, settings) as running:
        [before] = [state["pid"] for state in states(running)]
        os.kill(before, signal.SIGTERM)

        async def replaced() -> bool:
            pids = [state["pid"] for state in states(running)]
            return len(pids) == 1 and before not in pids and await pids_of(client, task_queue, number=1) == set(pids)

        await eventually(replaced, what="another process takes its place")
    assert any(each.getMessage().endswith("is replaced: it got SIGTERM") for each in caplog.records)


async def test_a_crash_loop_ends_the_worker_with_the_exit_codes(client: Client, task_queue: str) -> None:
    told: list[BaseException] = []
    settings = WorkerProcesses(2, max_crashes=2, restart_backoff=timedelta(milliseconds=20))
    failing = worker(client, task_queue, settings, on_fatal_error=told.append)
    await client.start_activity(
        process_workers.end_this_process,
        "exit",
        id=task_queue,
        task_queue=task_queue,
        start_to_close_timeout=timedelta(seconds=1),
    )
    with pytest.raises(
        RuntimeError, match=r"worker process \d crashed 2 times within 60 s.*: it ended with exit code 7; it ended with"
    ) as raised:
        await asyncio.wait_for(failing.run(), 60)
    assert told == [raised.value]
    assert states(failing) == []
    assert failing.is_shutdown


async def test_what_a_worker_of_one_process_cannot_go_on_for_is_raised(address: str, task_queue: str) -> None:
    elsewhere = await Client.connect(address, namespace="not-there")
    with pytest.raises(RuntimeError, match="not-there"):
        await asyncio.wait_for(Worker(elsewhere, task_queue=task_queue, activities=[process_workers.grow]).run(), 30)


async def test_what_a_process_cannot_go_on_for_is_raised(address: str, task_queue: str) -> None:
    elsewhere = await Client.connect(address, namespace="not-there")
    with pytest.raises(RuntimeError, match="not-there") as raised:
        async with worker(elsewhere, task_queue):
            pytest.fail("it must not begin")
    assert "_worker.py" in str(raised.value.__cause__)


async def test_a_process_that_takes_long_to_poll_is_told_of(
    client: Client, task_queue: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_slow_start, "FIRST", 0.01)
    async with worker(client, task_queue, 1):
        pass
    told = [each.getMessage() for each in caplog.records if "does not poll yet" in each.getMessage()]
    assert re.search(r"worker process 0 \(pid \d+\) .* 0 s after its start: it waits for the import of", told[0])
    assert len(told) < 15


async def test_a_process_that_grows_too_much_is_replaced(client: Client, task_queue: str) -> None:
    settings = WorkerProcesses(1, max_memory=250_000_000)
    async with worker(client, task_queue, settings) as running:
        options: dict[str, Any] = {"id": task_queue, "task_queue": task_queue}
        grown = await client.execute_workflow(process_workers.growth, 300_000_000, **options)
        assert grown in [state["pid"] for state in states(running)]

        async def replaced() -> bool:
            now = states(running)
            return [state["starts"] for state in now] == [2] and now[0].get("state") == "running"

        await eventually(replaced, what="the process is replaced")
        assert await pids_of(client, task_queue, number=1) != {grown}
    with pytest.raises(ProcessLookupError):
        os.kill(grown, 0)


async def test_a_memory_limit_that_no_process_can_keep_is_an_error(client: Client, task_queue: str) -> None:
    with pytest.raises(
        RuntimeError, match=r"max_memory of 1 MB is too little: the process has \d+ MB before its first"
    ):
        await asyncio.wait_for(worker(client, task_queue, WorkerProcesses(1, max_memory=1_000_000)).run(), 60)


async def test_log_records_come_to_this_process(
    client: Client, task_queue: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, process_workers.logger.name)
    async with worker(client, task_queue):
        options: dict[str, Any] = {"id": task_queue, "task_queue": task_queue}
        pid = await client.execute_workflow(process_workers.logging_workflow, **options)
    hello, failed = (each for each in caplog.records if each.name == process_workers.logger.name)
    assert hello.getMessage() == "hello from there"
    assert (hello.process, hello.order) == (pid, 17)  # type: ignore[attr-defined]
    assert hello.odd.startswith("<_io.TextIOWrapper")  # type: ignore[attr-defined]
    assert hello.worker_process in (0, 1)  # type: ignore[attr-defined]
    assert failed.exc_text is not None
    assert failed.exc_text.endswith("ValueError: logged")


async def test_failed_workflow_tasks_are_raised_where_the_result_is_awaited(client: Client, task_queue: str) -> None:
    async with worker(client, task_queue, 1):
        handle = await client.start_workflow(process_workers.failing_task, id=task_queue, task_queue=task_queue)
        with pytest.raises(WorkflowTaskFailedError, match="a bug in a workflow"):
            await handle.result()

        async def sent() -> bool:
            return isinstance(task_failures.find(handle.id, ""), KeyError)

        await eventually(sent, what="the exception itself has come to this process")
        await handle.terminate()


async def test_metrics_of_all_processes_are_served_together(address: str, task_queue: str) -> None:
    prometheus = Prometheus()
    client = await Client.connect(address, runtime=prometheus.runtime)
    settings = WorkerProcesses(2, metrics_address="127.0.0.1:0")
    async with worker(client, task_queue, settings) as running:
        assert running._supervisor is not None
        served = f"http://{running._supervisor.metrics_address}/metrics"

        def counted() -> dict[str, float]:
            with urllib.request.urlopen(served, timeout=10) as response:
                lines: list[str] = response.read().decode().splitlines()
            assert lines.count("# TYPE things_counted counter") <= 1
            return {
                line.partition('worker_process="')[2][0]: float(line.rpartition(" ")[2])
                for line in lines
                if line.startswith("things_counted")
            }

        async def both() -> bool:
            options: dict[str, Any] = {"id": os.urandom(8).hex(), "task_queue": task_queue}
            await client.execute_workflow(process_workers.counting_workflow, 20, **options)
            return sorted(await asyncio.to_thread(counted)) == ["0", "1"]

        await eventually(both, what="both processes have counted")
        total = sum((await asyncio.to_thread(counted)).values())
        assert total > 0
        assert total % 20 == 0


async def test_a_taken_address_for_metrics_is_an_error(client: Client, task_queue: str, address: str) -> None:
    with pytest.raises(RuntimeError, match=f"could not serve the metrics of worker processes at {address}: "):
        await worker(client, task_queue, WorkerProcesses(1, metrics_address=address)).run()


async def test_prometheus_of_one_process_alone_is_refused(address: str, task_queue: str) -> None:
    runtime = Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address="127.0.0.1:0")))
    client = await Client.connect(address, runtime=runtime)
    with pytest.raises(ValueError, match="metrics_address='host:port'"):
        worker(client, task_queue)


async def test_cancelling_the_run_ends_the_processes(client: Client, task_queue: str) -> None:
    running = worker(client, task_queue, 1)
    run = asyncio.create_task(running.run())
    await asyncio.wait_for(running._polling.wait(), 30)
    [pid] = [state["pid"] for state in states(running)]
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_secrets_are_neither_in_arguments_nor_in_the_environment(address: str, task_queue: str) -> None:
    client = await Client.connect(address, api_key="canary-of-a-key", tls=False, rpc_metadata={"x-key": "canary-too"})
    async with worker(client, task_queue, 1) as running:
        [pid] = [state["pid"] for state in states(running)]
        for name in ("cmdline", "environ"):
            assert b"canary" not in await asyncio.to_thread(Path(f"/proc/{pid}/{name}").read_bytes)
        assert await pids_of(client, task_queue, number=1) == {pid}
