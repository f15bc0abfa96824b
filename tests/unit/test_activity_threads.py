"""The threads for ``def`` activities: as many as are needed, and never fewer than there can be."""

from __future__ import annotations

import threading
from contextlib import suppress
from queue import Empty, SimpleQueue
from types import SimpleNamespace
from typing import Any

import pytest

from invincible.worker._threads import ActivityThreads

LIMIT = 20.0


class Native:
    """A worker whose activities are numbers."""

    def __init__(self, count: int) -> None:
        self._tasks: SimpleQueue[Any] = SimpleQueue()
        for number in range(count):
            self._tasks.put(SimpleNamespace(number=number, activity_type="count", activity_id=str(number)))
        self.ended = threading.Event()

    def next_activity(self) -> Any:
        while not self.ended.is_set():
            with suppress(Empty):
                return self._tasks.get(timeout=0.01)
        return None


def run(count: int, maximum: int, work: Any) -> list[int]:
    native: Any = Native(count)
    done: SimpleQueue[int] = SimpleQueue()

    def activity(task: Any) -> None:
        try:
            work(task.number)
        finally:
            done.put(task.number)

    ActivityThreads(native, activity, maximum).start()
    try:
        return sorted(done.get(timeout=LIMIT) for _ in range(count))
    finally:
        native.ended.set()


def test_as_many_run_at_a_time_as_there_may_be_threads() -> None:
    together = threading.Barrier(3)
    assert run(6, 3, lambda _: together.wait(LIMIT)) == list(range(6))


def test_a_thread_goes_on_after_an_activity_that_could_not_be_reported(caplog: pytest.LogCaptureFixture) -> None:
    def fail(number: int) -> None:
        raise LookupError(number)

    assert run(3, 1, fail) == [0, 1, 2]
    assert "could not be reported" in caplog.text


def test_activities_are_run_by_the_threads_there_are_if_no_more_can_be_had(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    started: list[threading.Thread] = []

    class Thread(threading.Thread):
        def start(self) -> None:
            if started:
                raise RuntimeError("can't start new thread")
            started.append(self)
            super().start()

    monkeypatch.setattr("invincible.worker._threads.threading.Thread", Thread)
    assert run(5, 10, lambda _: None) == list(range(5))
    assert "no thread can be added" in caplog.text
