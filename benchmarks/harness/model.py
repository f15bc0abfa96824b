"""What a benchmark is made of: contenders, metrics with their aims, cases."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.harness.setup import Contender

OURS = "invincible"
DEFAULT = "temporalio"
UNSANDBOXED = "temporalio, unsandboxed"
FLOOR = "Core alone"
PAGED = "Core alone, fed by pages"
SDKS = (OURS, DEFAULT, UNSANDBOXED)
FLOORS = (FLOOR, PAGED)


@dataclass(frozen=True)
class Bench:
    """What the cases run with."""

    contenders: Mapping[str, Contender]
    floor: Path | None
    # Gives the workers their work: one and the same for both.
    driver: Contender
    histories: Path
    env: dict[str, str]
    # The same with libraries importable that some scenarios need.
    start_env: dict[str, str]
    conversion_env: dict[str, str]
    # Address of the server; only the cases that need one read it.
    address: str = ""
    cpu_seconds: float = 2.0


@dataclass(frozen=True)
class Metric:
    """One figure of a case, and the aims for it.

    A ratio says how many times better ours is. `aims` has the least ratio against each contender; `over_floor` is the
    most that ours may need beyond Core alone; `goal` is what ours has to reach by itself, whatever the others do.
    """

    key: str
    title: str
    more_is_better: bool = False
    digits: int = 0
    aims: Mapping[str, float] = field(default_factory=dict)
    over_floor: float | None = None
    goal: float | None = None


@dataclass(frozen=True, kw_only=True)
class Case(ABC):
    """One thing to measure, for each of its contenders."""

    group: str
    title: str
    metrics: Sequence[Metric]
    contenders: Sequence[str]
    needs_server: bool = False

    @abstractmethod
    def measure(self, bench: Bench, contender: str) -> dict[str, float]:
        """The figures of one contender by the key of their metric.

        Raises:
            ProcessError: The contender failed, or did not answer in time.
        """
