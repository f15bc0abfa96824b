"""What the soak says of figures: it must see what grows, and only that."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest

from benchmarks.soak.samples import Finding, Sample, Trend, findings


def samples(memory: Sequence[float], threads: int = 10) -> list[Sample]:
    return [
        Sample(seconds=number * 10.0, memory=int(each * 1e6), threads=threads, descriptors=20, cpu_seconds=number)
        for number, each in enumerate(memory)
    ]


def memory_is_flat(*figures: float) -> bool:
    return findings(samples(figures), memory=5, handles=2)[0].flat


def test_what_swings_is_flat() -> None:
    assert memory_is_flat(*[50, 58] * 6)


def test_what_shrinks_is_flat() -> None:
    assert memory_is_flat(60, 50, 40, 30, 20, 10)


def test_what_grows_is_found() -> None:
    assert not memory_is_flat(*(50 + number for number in range(12)))


def test_a_single_peak_is_no_growth() -> None:
    assert memory_is_flat(50, 50, 50, 50, 50, 50, 50, 50, 90)


def test_a_slope_is_per_minute() -> None:
    trend = Trend.of([0, 10, 20, 30], [1, 2, 3, 4])
    assert (trend.first, trend.last) == (1, 4)
    assert trend.per_minute == pytest.approx(6)


def test_one_value_is_no_trend() -> None:
    with pytest.raises(ValueError, match="two values at least"):
        Trend.of([1], [1])


def test_threads_and_descriptors_are_looked_at_as_well() -> None:
    grown = [*samples([50] * 6), *samples([50] * 6, threads=13)]
    assert [each.flat for each in findings(grown, memory=5, handles=2)] == [True, False, True]


def test_a_line_of_the_report_says_what_grows() -> None:
    line = str(Finding("threads", Trend(first=10, last=20, per_minute=1), allowed=2))
    assert line.split() == ["threads", "10.0", "->", "20.0", "+1.00", "per", "minute", "allowed", "+2.0", "GROWS"]


def test_a_process_is_read() -> None:
    before = Sample.of(os.getpid(), 0)
    with open(os.devnull, encoding="ascii"):
        during = Sample.of(os.getpid(), 1)
    assert during.descriptors == before.descriptors + 1
    assert before.memory > 1e6
    assert before.threads >= 1
    assert during.cpu_seconds >= before.cpu_seconds > 0
