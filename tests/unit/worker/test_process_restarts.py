"""When worker processes are started again."""

from __future__ import annotations

from invincible.worker._processes._restarts import Restarts


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
