"""Threads that look at things again and again."""

from __future__ import annotations

import threading

import pytest

from invincible.worker._watcher import Watcher

LIMIT = 20.0


class Looked:
    """Is looked at so many times."""

    def __init__(self, times: int) -> None:
        self.tick = 0.01
        self.enough = threading.Event()
        self.threads: list[threading.Thread] = []
        self.seconds: list[float] = []
        self._times = times

    def look(self, seconds: float, *, prompt: bool) -> None:
        self.threads.append(threading.current_thread())
        self.seconds.append(seconds)
        if len(self.seconds) == self._times:
            self.enough.set()


class Failing(Looked):
    """Cannot be looked at."""

    def look(self, seconds: float, *, prompt: bool) -> None:
        raise RuntimeError("no")


def test_one_thread_looks_at_all_while_there_is_something_to_look_at() -> None:
    watcher = Watcher("test-watcher")
    both = Looked(3), Looked(3)
    for each in both:
        watcher.add(each)
    for each in both:
        assert each.enough.wait(LIMIT)
        watcher.remove(each)
    (thread,) = {thread for each in both for thread in each.threads}
    thread.join(LIMIT)
    assert not thread.is_alive()
    again = Looked(1)
    watcher.add(again)
    assert again.enough.wait(LIMIT)
    watcher.remove(again)


def test_time_in_which_the_process_was_stopped_does_not_count() -> None:
    watcher, looked = Watcher("test-watcher"), Looked(5)
    watcher.add(looked)
    assert looked.enough.wait(LIMIT)
    watcher.remove(looked)
    assert all(0 < seconds <= looked.tick for seconds in looked.seconds)


def test_what_fails_does_not_keep_the_others_from_being_looked_at(caplog: pytest.LogCaptureFixture) -> None:
    watcher, failing, looked = Watcher("test-watcher"), Failing(1), Looked(3)
    watcher.add(failing)
    watcher.add(looked)
    assert looked.enough.wait(LIMIT)
    watcher.remove(failing)
    watcher.remove(looked)
    assert "thread test-watcher has failed to watch over a worker" in caplog.text
