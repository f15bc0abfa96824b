"""The thread that watches over workers, and the options of that."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from invincible.worker import HealthThresholds
from invincible.worker._stalls import stacks, tick_for

LIMIT = 20.0


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
