"""When worker processes are started again."""

from __future__ import annotations

import gc
import weakref

from invincible.worker import WorkerProcesses
from invincible.worker._processes._child import ChildOptions
from invincible.worker._processes._logs import LogLevels
from invincible.worker._processes._messages import Failed, SentError
from invincible.worker._processes._process import WorkerProcess
from invincible.worker._processes._restarts import Restarts
from invincible.worker._processes._supervisor import Supervisor


def test_pauses_double_up_to_half_a_minute() -> None:
    restarts = Restarts(max_crashes=100, window=1000.0, backoff=1.0)
    assert [restarts.crashed(float(now), "") for now in range(7)] == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


def test_too_many_crashes_within_the_window_are_the_end() -> None:
    restarts = Restarts(max_crashes=3, window=60.0, backoff=1.0)
    assert restarts.crashed(0.0, "first") == 1.0
    assert restarts.crashed(10.0, "second") == 2.0
    assert restarts.crashed(59.0, "third") is None
    assert restarts.crashes == ["first", "second", "third"]


def test_crashes_count_only_within_the_window() -> None:
    restarts = Restarts(max_crashes=3, window=60.0, backoff=1.0)
    assert restarts.crashed(0.0, "first") == 1.0
    assert restarts.crashed(10.0, "second") == 2.0
    assert restarts.crashed(60.0, "third") == 2.0
    assert restarts.crashed(200.0, "fourth") == 1.0
    assert restarts.crashes == ["fourth"]


def test_pauses_stay_the_same_however_many_crashes_there_are() -> None:
    restarts = Restarts(max_crashes=10_000, window=1e9, backoff=1.0)
    assert {restarts.crashed(float(now), "") for now in range(2000)} == {1.0, 2.0, 4.0, 8.0, 16.0, 30.0}


async def test_processes_that_could_not_connect_are_not_kept() -> None:
    supervisor = Supervisor(WorkerProcesses(1), lambda: b"", grace=lambda: None)
    process = WorkerProcess(ChildOptions(0, b"", LogLevels.here(), 0.0, None), on_report=lambda _: None)
    process.failure = Failed("connect", SentError.of(OSError()))
    process.ended.set_result(1)
    supervisor._ended(process)
    kept = weakref.ref(process)
    del process
    gc.collect()
    assert kept() is None
