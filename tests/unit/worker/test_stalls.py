"""The thread that watches over workers, and the options of that."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from invincible.worker import HealthThresholds
from invincible.worker._stalls import Watcher, stacks, tick_for

LIMIT = 20.0


class Looked:
    """Is looked at so many times."""

    def __init__(self, times: int) -> None:
        self.tick = 0.01
        self.enough = threading.Event()
        self.threads: list[threading.Thread] = []
        self.seconds: list[float] = []
        self._times = times

    def look(self, seconds: float) -> None:
        self.threads.append(threading.current_thread())
        self.seconds.append(seconds)
        if len(self.seconds) == self._times:
            self.enough.set()


class Failing(Looked):
    """Cannot be looked at."""

    def look(self, seconds: float) -> None:
        raise RuntimeError("no")


def test_one_thread_looks_at_all_while_there_is_something_to_look_at() -> None:
    watcher = Watcher()
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
    watcher, looked = Watcher(), Looked(5)
    watcher.add(looked)
    assert looked.enough.wait(LIMIT)
    watcher.remove(looked)
    assert all(0 < seconds <= 2 * looked.tick for seconds in looked.seconds)


def test_what_fails_does_not_keep_the_others_from_being_looked_at(caplog: pytest.LogCaptureFixture) -> None:
    watcher, failing, looked = Watcher(), Failing(1), Looked(3)
    watcher.add(failing)
    watcher.add(looked)
    assert looked.enough.wait(LIMIT)
    watcher.remove(failing)
    watcher.remove(looked)
    assert "the watch over a worker failed" in caplog.text


def test_ticks_are_short_enough_to_notice_in_time_and_no_shorter() -> None:
    assert tick_for(None, None) == 1.0
    assert tick_for(60.0, None) == 1.0
    assert tick_for(1.0, 30.0) == 0.25
    assert tick_for(0.001) == 0.01


def test_stacks_name_threads_and_lines() -> None:
    waiting, release = threading.Event(), threading.Event()

    def wait_here() -> None:
        waiting.set()
        release.wait(LIMIT)

    thread = threading.Thread(target=wait_here, name="waiting-here")
    thread.start()
    waiting.wait(LIMIT)
    shown = stacks()
    release.set()
    thread.join()
    assert "Thread 'waiting-here' (0x" in shown
    assert "in wait_here" in shown
    assert "test_stacks_name_threads_and_lines" not in shown


@pytest.mark.parametrize("name", ["poll_timeout", "server_timeout"])
def test_thresholds_are_positive_times(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be positive"):
        HealthThresholds(**{name: timedelta()})
    with pytest.raises(ValueError, match=f"{name} must be positive, got -1 day"):
        HealthThresholds(**{name: timedelta(seconds=-1)})
    for value in (3, None):
        with pytest.raises(TypeError, match=f"{name} must be a timedelta, got {type(value).__name__}"):
            HealthThresholds(**{name: value})  # type: ignore[arg-type]
