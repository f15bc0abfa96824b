"""``def`` activities in processes: our own executor, and the one of the standard library."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from invincible import activity
from invincible.client import ActivityFailureError, Client
from invincible.exceptions import ApplicationError, CancelledError, TimeoutError, TimeoutType
from invincible.worker import ActivityProcessExecutor, SharedHeartbeatSender, SharedStateManager, Worker
from tests.support import process_activities as activities
from tests.support.conditions import eventually
from tests.support.metrics import Prometheus
from tests.support.processes import Program

SPAWN = multiprocessing.get_context("spawn")
SOON = timedelta(milliseconds=100)
LIMIT = 60.0
ALL: list[Callable[..., Any]] = [
    activities.process_id,
    activities.everything_known,
    activities.next_page,
    activities.heartbeats_nonsense,
    activities.stops_when_asked,
    activities.sleeps,
    activities.ignores_everything,
    activities.outlives_its_timeout,
    activities.dies_once,
    activities.dies,
    activities.fails,
    activities.logs_and_counts,
    activities.logs_an_error_of_its_own,
    activities.heartbeats_what_cannot_be_read,
    activities.waits_on_own_loop,
    activities.Printer("laser").print,
    activities.Stamp(),
    activities.anything,
]

if sys.platform == "win32":
    pytest.skip("signals are sent", allow_module_level=True)


@pytest.fixture(scope="module")
def own() -> Iterator[ActivityProcessExecutor]:
    with ActivityProcessExecutor(cancel_grace=timedelta(milliseconds=300)) as executor:
        yield executor


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(2, mp_context=SPAWN) as executor:
        yield executor


@pytest.fixture(params=["own", "pool"])
def executor(request: pytest.FixtureRequest) -> Executor:
    found: Executor = request.getfixturevalue(request.param)
    return found


def worker(client: Client, task_queue: str, executor: Executor, **options: Any) -> Worker:
    options.setdefault("max_heartbeat_throttle_interval", SOON)
    return Worker(client, task_queue=task_queue, activities=ALL, activity_executor=executor, **options)


async def run(client: Client, name: str, *args: Any, task_queue: str, **options: Any) -> Any:
    """The result of a standalone activity."""
    options = {"start_to_close_timeout": activities.MINUTE, **options}
    handle = await client.start_activity(name, args=args, id=f"{task_queue}-{name}", task_queue=task_queue, **options)
    return await asyncio.wait_for(handle.result(), LIMIT)


async def failure(client: Client, name: str, *args: Any, task_queue: str, **options: Any) -> BaseException:
    options = {"retry_policy": activities.ONCE, **options}
    with pytest.raises(ActivityFailureError) as raised:
        await run(client, name, *args, task_queue=task_queue, **options)
    assert raised.value.__cause__ is not None
    return raised.value.__cause__


async def file_of(path: Path) -> None:
    async def there() -> bool:
        return await asyncio.to_thread(path.exists)

    await eventually(there, what="the activity runs")


async def ended(pid: int) -> None:
    async def gone() -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return False

    await eventually(gone, what=f"process {pid} has ended")


async def test_a_process_knows_what_a_thread_knows(client: Client, task_queue: str, executor: Executor) -> None:
    async with worker(client, task_queue, executor):
        known = await run(
            client, "everything_known", task_queue=task_queue, heartbeat_timeout=activities.MINUTE,
            retry_policy=activities.ONCE,
        )  # fmt: skip
    assert known == {
        "activity_type": "everything_known",
        "attempt": 1,
        "heartbeat_timeout": known["heartbeat_timeout"],
        "maximum_attempts": 1,
        "in_workflow": False,
        "in_activity": True,
        "is_cancelled": False,
        "is_worker_shutdown": False,
        "cancellation_details": None,
        "converted": "1",
    }
    assert known["heartbeat_timeout"]


async def test_functions_methods_objects_and_dynamic_activities(
    client: Client, task_queue: str, executor: Executor
) -> None:
    async with worker(client, task_queue, executor):
        results = [
            await run(client, "print", "ab", 2, task_queue=task_queue),
            await run(client, "stamp", "paid", task_queue=task_queue),
            await run(client, "unheard-of", 1, "x", task_queue=task_queue),
        ]
    said = [result.rpartition(" ") for result in results]
    assert [words for words, _, _ in said] == ["laser: abab", "[paid]", "unheard-of[1, 'x']"]
    assert str(os.getpid()) not in {pid for _, _, pid in said}


async def test_heartbeats_come_back_in_the_next_attempt(client: Client, task_queue: str, executor: Executor) -> None:
    async with worker(client, task_queue, executor):
        result = await run(
            client, "next_page", task_queue=task_queue, heartbeat_timeout=activities.MINUTE,
            retry_policy=activities.QUICKLY,
        )  # fmt: skip
    assert result == [{"number": 7}, "so far", [{"number": 7}, "so far"]]


async def test_a_heartbeat_that_cannot_be_converted_is_an_error_of_its_caller(
    client: Client, task_queue: str, executor: Executor
) -> None:
    async with worker(client, task_queue, executor):
        error = await failure(client, "heartbeats_nonsense", task_queue=task_queue)
    assert isinstance(error, ApplicationError)
    assert error.type == "ConversionError"


async def test_a_cancellation_is_seen_with_its_reason(
    client: Client, task_queue: str, executor: Executor, tmp_path: Path
) -> None:
    path = tmp_path / "running"
    no_exception = activities.stops_when_asked
    async with worker(client, task_queue, executor):
        handle = await client.start_activity(
            no_exception, str(path), id=task_queue, task_queue=task_queue, retry_policy=activities.ONCE,
            start_to_close_timeout=activities.MINUTE, heartbeat_timeout=activities.MINUTE,
        )  # fmt: skip
        await file_of(path)
        await handle.cancel()
        if isinstance(executor, ActivityProcessExecutor):
            with pytest.raises(ActivityFailureError) as raised:
                await asyncio.wait_for(handle.result(), LIMIT)
            assert isinstance(raised.value.__cause__, CancelledError)
        else:
            assert await asyncio.wait_for(handle.result(), LIMIT) == "True, True"


@pytest.mark.parametrize(
    ("how", "message", "type_", "cause"),
    [
        ("chain", "outer", "Outer", ("'inner'", "KeyError")),
        ("unpicklable", "it is hopeless, as it cannot be read again", "Hopeless", None),
        ("broken executor", "not the worker's", "BrokenProcessPool", None),
        ("result", "the result of the activity cannot be sent to its worker", "PicklingError", None),
    ],
)
async def test_errors_arrive_whole(
    client: Client,
    task_queue: str,
    executor: Executor,
    how: str,
    message: str,
    type_: str,
    cause: tuple[str, str] | None,
) -> None:
    async with worker(client, task_queue, executor):
        error = await failure(client, "fails", how, task_queue=task_queue)
    assert isinstance(error, ApplicationError)
    assert error.type == type_
    assert error.message.startswith(message)
    assert error.failure is not None
    if how != "result":
        assert "in fails" in error.failure.stack_trace
        assert "_activities.py" not in error.failure.stack_trace.replace("process_activities.py", "")
    if cause is not None:
        inner = error.__cause__
        assert isinstance(inner, ApplicationError)
        assert (inner.message, inner.type) == cause
        assert inner.failure is not None
        assert "in fails" in inner.failure.stack_trace


async def test_an_activity_can_be_left_for_somebody_else(client: Client, task_queue: str, executor: Executor) -> None:
    async with worker(client, task_queue, executor):
        handle = await client.start_activity(
            activities.fails, "async", id=task_queue, task_queue=task_queue, start_to_close_timeout=activities.MINUTE
        )

        async def completed() -> bool:
            await client.get_async_activity_handle(activity_id=task_queue).complete("by hand")
            return True

        async with worker(client, f"{task_queue}-other", executor):
            await run(client, "process_id", task_queue=task_queue)
        await completed()
        assert await asyncio.wait_for(handle.result(), LIMIT) == "by hand"


async def test_a_sleeping_activity_is_woken_by_its_cancellation(
    client: Client, task_queue: str, own: ActivityProcessExecutor, tmp_path: Path
) -> None:
    path = tmp_path / "running"
    async with worker(client, task_queue, own):
        handle = await client.start_activity(
            activities.sleeps, str(path), id=task_queue, task_queue=task_queue, retry_policy=activities.ONCE,
            start_to_close_timeout=activities.MINUTE, heartbeat_timeout=activities.MINUTE,
        )  # fmt: skip
        await file_of(path)
        before = len(own._all)
        await handle.cancel()
        with pytest.raises(ActivityFailureError) as raised:
            await asyncio.wait_for(handle.result(), LIMIT)
        assert isinstance(raised.value.__cause__, CancelledError)
        os.kill(int(path.read_text(encoding="utf-8")), 0)
    assert len(own._all) == before


async def test_a_process_is_ended_whose_activity_ignores_its_cancellation(
    client: Client, task_queue: str, own: ActivityProcessExecutor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "running"
    async with worker(client, task_queue, own):
        handle = await client.start_activity(
            activities.ignores_everything, str(path), id=task_queue, task_queue=task_queue,
            start_to_close_timeout=activities.MINUTE, heartbeat_timeout=activities.MINUTE,
        )  # fmt: skip
        await file_of(path)
        await handle.cancel()
        with pytest.raises(ActivityFailureError) as raised:
            await asyncio.wait_for(handle.result(), LIMIT)
        assert isinstance(raised.value.__cause__, CancelledError)
        await ended(int(path.read_text(encoding="utf-8")))
        assert await run(client, "process_id", task_queue=task_queue) > 0
    assert "ignores its cancellation" in caplog.text


async def test_a_process_is_ended_whose_activity_has_timed_out(
    client: Client, task_queue: str, own: ActivityProcessExecutor, tmp_path: Path
) -> None:
    path = tmp_path / "running"
    async with worker(client, task_queue, own):
        error = await failure(
            client, "outlives_its_timeout", str(path), task_queue=task_queue,
            start_to_close_timeout=timedelta(seconds=3),
        )  # fmt: skip
        assert isinstance(error, TimeoutError)
        assert error.type is TimeoutType.START_TO_CLOSE
        await ended(int(path.read_text(encoding="utf-8")))


async def test_the_end_of_the_worker_ends_what_ignores_it(
    client: Client, task_queue: str, own: ActivityProcessExecutor, tmp_path: Path
) -> None:
    path = tmp_path / "running"
    async with worker(client, task_queue, own) as running:
        await client.start_activity(
            activities.ignores_everything, str(path), id=task_queue, task_queue=task_queue,
            start_to_close_timeout=activities.MINUTE, retry_policy=activities.ONCE,
        )  # fmt: skip
        await file_of(path)
        await asyncio.wait_for(running.shutdown(), LIMIT)
    await ended(int(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("how", "said"),
    [("SIGKILL", "was killed by SIGKILL"), ("SIGSEGV", "was killed by SIGSEGV"), ("exit", "ended with exit code 3")],
)
async def test_a_process_that_dies_fails_its_activity_alone(
    client: Client, task_queue: str, own: ActivityProcessExecutor, how: str, said: str
) -> None:
    async with worker(client, task_queue, own):
        error = await failure(client, "dies", how, task_queue=task_queue)
        assert isinstance(error, ApplicationError)
        assert error.type == "ActivityProcessDied"
        assert said in str(error)
        assert not error.non_retryable
        again = await run(client, "dies_once", how, task_queue=task_queue, retry_policy=activities.QUICKLY)
    assert again == "alive"


async def test_a_broken_pool_fails_its_activities_and_the_worker(client: Client, task_queue: str) -> None:
    with ProcessPoolExecutor(1, mp_context=SPAWN) as executor:
        broken = worker(client, task_queue, executor)
        running = asyncio.ensure_future(broken.run())
        error = await failure(client, "dies", "SIGKILL", task_queue=task_queue)
        assert isinstance(error, ApplicationError)
        assert error.type == "ActivityExecutorError"
        assert "ActivityProcessExecutor" in str(error)
        with pytest.raises(RuntimeError, match="activity_executor cannot run activities any more"):
            await asyncio.wait_for(running, LIMIT)


@pytest.mark.parametrize("kind", ["own", "pool"])
async def test_an_executor_that_is_shut_down_fails_activities(client: Client, task_queue: str, kind: str) -> None:
    executor = ActivityProcessExecutor() if kind == "own" else ProcessPoolExecutor(1, mp_context=SPAWN)
    executor.shutdown()
    async with worker(client, task_queue, executor):
        error = await failure(client, "process_id", task_queue=task_queue)
    assert isinstance(error, ApplicationError)
    assert error.type == "ActivityExecutorError"
    assert "shut" in str(error)


async def test_processes_are_used_again_until_they_have_done_their_share(client: Client, task_queue: str) -> None:
    with ActivityProcessExecutor(1, max_tasks_per_child=2) as executor:
        async with worker(client, task_queue, executor):
            pids = [await run(client, "process_id", task_queue=task_queue) for _ in range(4)]
    assert pids[0] == pids[1] != pids[2] == pids[3]


async def test_activities_wait_for_a_process(client: Client, task_queue: str) -> None:
    with ActivityProcessExecutor(1) as executor:
        async with worker(client, task_queue, executor):
            handles = [
                await client.start_activity(
                    activities.process_id, id=f"{task_queue}-{number}", task_queue=task_queue,
                    start_to_close_timeout=activities.MINUTE,
                )
                for number in range(5)
            ]  # fmt: skip
            pids = await asyncio.wait_for(asyncio.gather(*(handle.result() for handle in handles)), LIMIT)
    assert len(set(pids)) == 1


async def test_an_initializer_that_fails_fails_the_activity(client: Client, task_queue: str) -> None:
    with ActivityProcessExecutor(initializer=activities.no_initializer) as executor:
        async with worker(client, task_queue, executor):
            error = await failure(client, "process_id", task_queue=task_queue)
    assert isinstance(error, ApplicationError)
    assert "initializer" in str(error)
    assert "nothing to begin with" in str(error.__cause__)


async def test_logs_and_metrics_are_those_of_the_worker(
    address: str, task_queue: str, own: ActivityProcessExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    prometheus = Prometheus()
    client = await Client.connect(address, runtime=prometheus.runtime)
    with caplog.at_level(logging.INFO):
        async with worker(client, task_queue, own):
            await run(client, "logs_and_counts", task_queue=task_queue)
    [record] = [record for record in caplog.records if record.name == "invincible.activity"]
    assert record.getMessage() == "seen in a process"
    assert record.page == 7  # type: ignore[attr-defined]
    assert record.temporal_activity["activity_type"] == "logs_and_counts"  # type: ignore[attr-defined]
    assert record.process != os.getpid()
    labels = {"activity_type": "logs_and_counts", "namespace": "default", "task_queue": task_queue}
    assert prometheus.value("pages", kind="odd", **labels) == 2
    assert prometheus.value("page_time_count", **labels) == 1
    assert prometheus.value("page_load", **labels) == 0.5


async def test_a_program_ends_that_has_not_shut_its_executor_down(address: str, task_queue: str) -> None:
    async with Program(sys.executable, "-m", "tests.support.process_worker", address, task_queue, "") as program:
        line = await program.line("ran in", timeout=LIMIT)
        await program.line("done", timeout=LIMIT)
        assert await program.exit_code() == 0
    await ended(int(line.split()[-1]))


async def test_a_process_ends_whose_worker_is_killed(address: str, task_queue: str, tmp_path: Path) -> None:
    path = tmp_path / "running"
    program = Program(sys.executable, "-m", "tests.support.process_worker", address, task_queue, path)
    async with program:
        await program.line("ran in", timeout=LIMIT)
        await file_of(path)
        await program.kill()
    await ended(int(path.read_text(encoding="utf-8")))


async def test_a_process_that_cannot_start_fails_the_activity(client: Client, task_queue: str) -> None:
    with ActivityProcessExecutor(initializer=lambda: None) as executor:
        async with worker(client, task_queue, executor):
            error = await failure(client, "process_id", task_queue=task_queue)
    assert isinstance(error, ApplicationError)
    assert error.type == "ActivityExecutorError"
    assert "cannot be started" in str(error)


async def test_what_cannot_be_read_again_is_told(client: Client, task_queue: str, executor: Executor) -> None:
    async with worker(client, task_queue, executor):
        error = await failure(client, "fails", "unreadable result", task_queue=task_queue)
    assert isinstance(error, ApplicationError)
    assert error.type == "PicklingError"
    assert "cannot be read by its worker: LookupError: lost" in str(error)


async def test_a_log_record_whose_fields_cannot_be_read_comes_without_them(
    client: Client, task_queue: str, own: ActivityProcessExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    async with worker(client, task_queue, own):
        await run(client, "logs_an_error_of_its_own", task_queue=task_queue)
    (record,) = [each for each in caplog.records if each.getMessage() == "something is wrong"]
    assert record.error is None  # type: ignore[attr-defined]


async def test_a_heartbeat_that_cannot_be_read_costs_nothing_but_itself(
    client: Client, task_queue: str, own: ActivityProcessExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    async with worker(client, task_queue, own):
        assert await run(client, "heartbeats_what_cannot_be_read", task_queue=task_queue) == "went on"
    assert "heartbeat of activity heartbeats_what_cannot_be_read in another process cannot be read" in caplog.text


async def test_a_loop_in_a_process_can_wait_for_the_cancellation(
    client: Client, task_queue: str, pool: ProcessPoolExecutor, tmp_path: Path
) -> None:
    path = tmp_path / "mark"
    async with worker(client, task_queue, pool):
        handle = await client.start_activity(
            activities.waits_on_own_loop,
            str(path),
            id=task_queue,
            task_queue=task_queue,
            start_to_close_timeout=activities.MINUTE,
            heartbeat_timeout=activities.MINUTE,
        )
        await file_of(path)
        await handle.cancel()
        assert await asyncio.wait_for(handle.result(), LIMIT) == "asked to stop"


def test_what_cannot_be_sent_is_told_before(client: Client, task_queue: str, own: ActivityProcessExecutor) -> None:
    @activity.defn
    def local() -> None: ...

    with pytest.raises(TypeError, match=r"activity 'local' cannot be sent.*at the top of a module"):
        Worker(client, task_queue=task_queue, activities=[local], activity_executor=own)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_workers": 0}, "max_workers must be at least 1"),
        ({"max_tasks_per_child": 0}, "max_tasks_per_child must be at least 1"),
        ({"cancel_grace": timedelta(seconds=-1)}, "cancel_grace must not be negative"),
        ({"mp_context": multiprocessing.get_context("fork")}, "must not fork"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ActivityProcessExecutor(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_workers": "3"}, "max_workers must be an int or None, got str"),
        ({"max_tasks_per_child": 0.5}, "max_tasks_per_child must be an int or None, got float"),
        ({"cancel_grace": 5}, "cancel_grace must be a timedelta, got int"),
        ({"mp_context": "spawn"}, "mp_context must be a context: .*, got str"),
        ({"initializer": "load"}, "initializer must be a function, got str"),
    ],
)
def test_options_of_the_wrong_type_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        ActivityProcessExecutor(**options)


def test_what_is_no_manager_is_refused() -> None:
    with pytest.raises(TypeError, match="mgr must be a started manager"):
        SharedStateManager.create_from_multiprocessing(5)  # type: ignore[arg-type]


class Delegating(SharedStateManager):
    """A manager that somebody else has written."""

    def __init__(self, manager: SharedStateManager) -> None:
        self._manager = manager
        self.registered: list[bytes] = []

    def new_event(self) -> threading.Event:
        return self._manager.new_event()

    async def register_heartbeater(self, task_token: bytes, heartbeat: Callable[..., None]) -> SharedHeartbeatSender:
        self.registered.append(task_token)
        return await self._manager.register_heartbeater(task_token, heartbeat)

    async def unregister_heartbeater(self, task_token: bytes) -> None:
        self.registered.remove(task_token)
        await self._manager.unregister_heartbeater(task_token)


@pytest.mark.parametrize("foreign", [False, True])
async def test_a_shared_state_manager_can_be_given(
    client: Client, task_queue: str, pool: ProcessPoolExecutor, foreign: bool
) -> None:
    manager = SPAWN.Manager()
    try:
        state = SharedStateManager.create_from_multiprocessing(manager)
        if foreign:
            state = Delegating(state)
        async with worker(client, task_queue, pool, shared_state_manager=state):
            result = await run(
                client, "next_page", task_queue=task_queue, heartbeat_timeout=activities.MINUTE,
                retry_policy=activities.QUICKLY,
            )  # fmt: skip
    finally:
        manager.shutdown()
    assert result[1] == "so far"
