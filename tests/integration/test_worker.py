"""The life of a worker: start, shutdown, cancellation, giving up."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from invincible import activity, workflow
from invincible.client import Client
from invincible.common import RawValue, RetryPolicy
from invincible.converter import DataConverter
from invincible.exceptions import ActivityError
from invincible.worker import Worker
from invincible.worker._activities import ActivityRunner
from invincible.worker._build_id import default_build_id
from invincible.worker._running_activity import RunningActivity
from invincible.worker._workflows import WorkflowThread, workflow_definitions
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

    async def failing(stop: asyncio.Event, polling: asyncio.Event) -> None:
        polling.set()
        await give_up.wait()
        raise RuntimeError("no more tasks for you")

    monkeypatch.setattr(worker._local, "run", failing)

    async def block() -> None:
        async with worker:
            give_up.set()
            await asyncio.wait_for(asyncio.Event().wait(), LIMIT)

    with pytest.raises(RuntimeError, match="no more tasks for you"):
        await block()
    assert [str(error) for error in errors] == ["no more tasks for you"]
    task = asyncio.current_task()
    assert task is not None
    assert sys.version_info < (3, 11) or not task.cancelling()


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


@workflow.defn
async def quick() -> str:
    return "done"


async def test_an_error_can_be_awaited_by_the_handler(client: Client, task_queue: str) -> None:
    errors: list[str] = []

    async def on_fatal_error(error: BaseException) -> None:
        await asyncio.sleep(0)
        errors.append(type(error).__name__)

    missing = await Client.connect(client.service_client.config.target_host, namespace="no-such-namespace")
    with pytest.raises(RuntimeError):
        await Worker(missing, task_queue=task_queue, workflows=[quick], on_fatal_error=on_fatal_error).run()
    assert errors == ["RuntimeError"]


async def test_a_handler_of_errors_that_fails_does_not_hide_the_error(
    client: Client, task_queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def on_fatal_error(error: BaseException) -> None:
        raise LookupError("whom to tell?")

    async def failing(stop: asyncio.Event, polling: asyncio.Event) -> None:
        raise RuntimeError("no more tasks for you")

    worker = Worker(client, task_queue=task_queue, workflows=[quick], on_fatal_error=on_fatal_error)
    monkeypatch.setattr(worker._local, "run", failing)
    with pytest.raises(RuntimeError, match="no more tasks for you"):
        await worker.run()


@pytest.mark.parametrize("turns", [0, 1, 3])
async def test_a_worker_whose_start_is_cancelled_does_not_run(client: Client, task_queue: str, turns: int) -> None:
    worker = Worker(client, task_queue=task_queue, workflows=[quick])
    before = asyncio.all_tasks()
    start = asyncio.ensure_future(worker.__aenter__())
    for _ in range(turns):
        await asyncio.sleep(0)
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(start, LIMIT)
    assert worker._run_task is None or worker._run_task.done()
    assert not worker.is_running
    await eventually(lambda: _nothing_but(before), what="all tasks of the worker have ended")


async def _nothing_but(tasks: set[asyncio.Task[Any]]) -> bool:
    return not {task for task in asyncio.all_tasks() - tasks if task is not asyncio.current_task()}


@pytest.mark.parametrize("place", ["_process", "_work"])
async def test_a_workflow_thread_that_fails_ends_the_worker(
    client: Client, task_queue: str, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    process: Callable[..., object] = getattr(WorkflowThread, place)

    def fail(*arguments: object) -> object:
        if place == "_work":
            native = arguments[0]._native  # type: ignore[attr-defined]
            arguments[0]._waiting.extend(native.next_activations() or ())  # type: ignore[attr-defined]
        raise MemoryError("no room")

    errors: list[BaseException] = []
    monkeypatch.setattr(WorkflowThread, place, fail)
    worker = Worker(client, task_queue=task_queue, workflows=[quick], on_fatal_error=errors.append)
    run = asyncio.ensure_future(worker.run())
    handle = await client.start_workflow(quick, id=task_queue, task_queue=task_queue)
    with pytest.raises(RuntimeError, match="cannot run workflows any more: MemoryError: no room") as raised:
        await asyncio.wait_for(run, LIMIT)
    assert type(raised.value.__cause__) is MemoryError
    assert errors == [raised.value]
    monkeypatch.setattr(WorkflowThread, place, process)
    async with Worker(client, task_queue=task_queue, workflows=[quick]):
        assert await asyncio.wait_for(handle.result(), LIMIT) == "done"


@activity.defn(start_to_close_timeout=timedelta(seconds=60), retry_policy=RetryPolicy(maximum_attempts=1))
def quits() -> None:
    sys.exit("the activity wants to leave")


@activity.defn(start_to_close_timeout=timedelta(seconds=60), retry_policy=RetryPolicy(maximum_attempts=1))
async def quits_on_loop() -> None:
    sys.exit("the activity wants to leave")


@workflow.defn
async def calls_quits() -> str:
    return await _failure_of_activity(quits)


@workflow.defn
async def calls_quits_on_loop() -> str:
    return await _failure_of_activity(quits_on_loop)


async def _failure_of_activity(target: Any) -> str:
    try:
        await target.execute()
    except ActivityError as error:
        return str(error.__cause__)
    return "it did not fail"


@pytest.mark.parametrize("program", [calls_quits, calls_quits_on_loop])
async def test_an_activity_that_wants_to_end_the_process_fails(
    client: Client, task_queue: str, program: Callable[[], Any]
) -> None:
    worker = Worker(
        client,
        task_queue=task_queue,
        workflows=[calls_quits, calls_quits_on_loop],
        activities=[quits, quits_on_loop],
        max_concurrent_activities=1,
    )
    async with worker:
        for number in range(3):
            result = client.execute_workflow(program, id=f"{task_queue}-{number}", task_queue=task_queue)
            assert "the activity wants to leave" in await asyncio.wait_for(result, LIMIT)
        await asyncio.wait_for(worker.shutdown(), LIMIT)


class _Native:
    """Takes the completions of activities."""

    def __init__(self) -> None:
        self.failures: list[Any] = []

    def fail_activity(self, token: bytes, failure: Any) -> None:
        self.failures.append(failure)


def _runner(client: Client, native: Any) -> ActivityRunner:
    return ActivityRunner(
        native,
        {},
        namespace="default",
        task_queue="activities",
        data_converter=client.data_converter,
        metric_meter=client.service_client._runtime.metric_meter,
    )


def _running(**details: bool) -> RunningActivity:
    start = SimpleNamespace(task_token=b"token", activity_type="a", activity_id="1", attempt=1, workflow_id="w")
    why = activity.ActivityCancellationDetails(**details)
    context: Any = SimpleNamespace(start=start, cancellation_details=why)
    return RunningActivity(context, DataConverter.default)


@pytest.mark.parametrize(
    ("reason", "type_"),
    [("paused", "ActivityPause"), ("reset", "ActivityReset"), ("worker_shutdown", "WorkerShutdown")],
)
async def test_why_an_activity_was_stopped_is_the_type_of_its_failure(
    client: Client, reason: str, type_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    native = _Native()
    runner = _runner(client, native)

    def stopped(*arguments: object) -> Any:
        raise asyncio.CancelledError

    monkeypatch.setattr(runner, "_call", stopped)
    await runner._run_on_loop(None, _running(**{reason: True}))
    (failure,) = native.failures
    assert failure.info.type == type_


async def test_ctrl_c_in_an_activity_is_for_the_program_too(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    native = _Native()
    runner = _runner(client, native)

    def interrupted(*arguments: object) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "_call", interrupted)
    with pytest.raises(KeyboardInterrupt):
        await runner._run_on_loop(None, _running())
    assert native.failures[0].info.type == "KeyboardInterrupt"


async def test_threads_may_end_activities_while_the_worker_ends(client: Client) -> None:
    runner = _runner(client, _Native())

    class Ending:
        @property
        def task(self) -> None:
            runner._running.pop(b"1", None)

    for token in (b"0", b"1", b"2"):
        runner._running[token] = Ending()  # type: ignore[assignment]
    await runner.end()
    assert set(runner._running) == {b"0", b"2"}


@pytest.mark.parametrize("value", [0, -1])
@pytest.mark.parametrize(
    "name",
    [
        "max_concurrent_workflow_tasks",
        "max_concurrent_activities",
        "max_concurrent_local_activities",
        "max_concurrent_workflow_task_polls",
        "max_concurrent_activity_task_polls",
    ],
)
async def test_limits_that_allow_nothing_are_refused(client: Client, task_queue: str, name: str, value: int) -> None:
    with pytest.raises(ValueError, match=f"{name} must be at least 1, not {value}"):
        Worker(client, task_queue=task_queue, workflows=[quick], **{name: value})  # type: ignore[arg-type]


BUILD_ID = """
from invincible import workflow
from invincible.worker._build_id import default_build_id
from invincible.worker._workflows import workflow_definitions


@workflow.defn
async def colours(colour: str) -> bool:
    return colour in {"red", "green", "blue", "white"} or any(each in {"a", "b", "c", "d"} for each in colour)


print(default_build_id(workflow_definitions([colours]), {}))
"""


def test_the_build_id_is_the_same_in_all_processes() -> None:
    ids = {
        subprocess.run(
            [sys.executable, "-c", BUILD_ID],
            env=os.environ | {"PYTHONHASHSEED": str(seed)},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout
        for seed in range(1, 5)
    }
    assert len(ids) == 1


def _build_id(body: str) -> str:
    namespace: dict[str, Any] = {"__name__": "orders", "workflow": workflow}
    exec(f"@workflow.defn\nasync def order(number: int) -> None:\n    {body}\n", namespace)
    return default_build_id(workflow_definitions([namespace["order"]]), {})


def test_other_code_has_another_build_id() -> None:
    bodies = [
        "await ship(number)",
        "await refund(number)",
        "await ship(7)",
        "each = await ship(number)",
        "await ship()",
    ]
    assert len({_build_id(body) for body in bodies}) == len(bodies)
    assert _build_id(bodies[0]) == _build_id(bodies[0])
