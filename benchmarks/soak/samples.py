"""What a process holds at a moment, and whether it holds more and more."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression, median


@dataclass(frozen=True)
class Sample:
    """What a process holds.

    Attributes:
        seconds: When, since the load began.
        memory: Resident memory in bytes, without mapped files.
        threads: Number of threads.
        descriptors: Number of open file descriptors.
        cpu_seconds: CPU time that it has used so far.
    """

    seconds: float
    memory: int
    threads: int
    descriptors: int
    cpu_seconds: float

    @staticmethod
    def of(pid: int, seconds: float) -> Sample:
        """Reads it from ``/proc``.

        Raises:
            FileNotFoundError: there is no such process (any more).
        """
        process = Path(f"/proc/{pid}")
        status = dict(line.split(":", 1) for line in (process / "status").read_text(encoding="utf-8").splitlines())
        # The name of the program, in parentheses, may have blanks.
        times = (process / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return Sample(
            seconds=seconds,
            memory=int(status["RssAnon"].split()[0]) * 1024,
            threads=int(status["Threads"]),
            descriptors=len(os.listdir(process / "fd")),
            cpu_seconds=(int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK"),
        )


@dataclass(frozen=True)
class Trend:
    """How a figure moves over time.

    Attributes:
        first: Median of the first third of the values.
        last: Median of the last third.
        per_minute: Slope of the line through all values.
    """

    first: float
    last: float
    per_minute: float

    @staticmethod
    def of(seconds: Sequence[float], values: Sequence[float]) -> Trend:
        """The trend of at least two values.

        Raises:
            ValueError: there are fewer.
        """
        if len(values) < 2:
            raise ValueError("a trend needs two values at least: measure longer, or more often")
        third = max(len(values) // 3, 1)
        return Trend(
            first=median(values[:third]),
            last=median(values[-third:]),
            per_minute=linear_regression(seconds, values).slope * 60,
        )


@dataclass(frozen=True)
class Finding:
    """What became of one figure.

    Attributes:
        name: The figure, with its unit.
        trend: How it moved.
        allowed: By how much the last third may be above the first.
    """

    name: str
    trend: Trend
    allowed: float

    @property
    def flat(self) -> bool:
        """Whether it did not grow by more than is allowed; what only swings has a first and a last third alike."""
        return self.trend.last - self.trend.first <= self.allowed

    def __str__(self) -> str:
        """A line of the report."""
        trend = self.trend
        verdict = "flat" if self.flat else "GROWS"
        return (
            f"{self.name:<14}{trend.first:>10,.1f} -> {trend.last:>8,.1f}   {trend.per_minute:>+9.2f} per minute   "
            f"allowed {self.allowed:+.1f}   {verdict}"
        )


def findings(samples: Sequence[Sample], *, memory: float, handles: float) -> list[Finding]:
    """What became of memory, threads and descriptors.

    Args:
        samples: Taken after the warm-up.
        memory: By how many MB memory may grow.
        handles: By how many threads and descriptors may grow.
    """
    seconds = [each.seconds for each in samples]
    figures = (
        ("memory, MB", [each.memory / 1e6 for each in samples], memory),
        ("threads", [float(each.threads) for each in samples], handles),
        ("descriptors", [float(each.descriptors) for each in samples], handles),
    )
    return [Finding(name, Trend.of(seconds, values), allowed) for name, values, allowed in figures]
