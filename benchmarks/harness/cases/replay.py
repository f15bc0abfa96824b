"""Replays of histories: no server is needed, and Core alone can show what they cost beneath any language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.harness.model import DEFAULT, FLOORS, OURS, PAGED, Bench, Case, Metric
from benchmarks.harness.process import run


@dataclass(frozen=True, kw_only=True)
class Replay(Case):
    """One history, replayed for a given CPU time, at least `minimum_runs` times."""

    history: str
    # What is replayed before the clock starts.
    warm_up: str
    module: str
    workflow: str
    minimum_runs: int = 3

    def measure(self, bench: Bench, contender: str) -> dict[str, float]:
        if contender in FLOORS:
            spent = _floor(bench, contender, self.history)
        else:
            spent = replay(bench, contender, self.history, self.warm_up, self.module, self.workflow, self.minimum_runs)
        return {
            "events_per_cpu_second": spent["events"] / spent["cpu_seconds"],
            "cpu_us_per_run": spent["cpu_seconds"] / spent["runs"] * 1e6,
        }


@dataclass(frozen=True, kw_only=True)
class Growth(Case):
    """What one operation costs with many of its kind open in the run, as a multiple of the cost with few."""

    group: str = "growth"
    few: int = 100
    many: int = 1_000
    histories: str
    module: str
    workflow: str
    metrics: Sequence[Metric] = (
        Metric("cost", "cost of one at 1,000 by cost at 100", digits=2, goal=2),
        Metric("cpu_us_at_many", "CPU us for one at 1,000"),
    )
    contenders: Sequence[str] = (OURS, DEFAULT)

    def measure(self, bench: Bench, contender: str) -> dict[str, float]:
        few, many = (self._cpu_us_for_one(bench, contender, count) for count in (self.few, self.many))
        return {"cost": many / few, "cpu_us_at_many": many}

    def _cpu_us_for_one(self, bench: Bench, contender: str, count: int) -> float:
        name = f"{self.histories}_{count}"
        spent = replay(bench, contender, name, name, self.module, self.workflow, minimum_runs=1)
        return spent["cpu_seconds"] / spent["runs"] / count * 1e6


def replay(
    bench: Bench, contender: str, history: str, warm_up: str, module: str, workflow: str, minimum_runs: int
) -> dict[str, float]:
    command = bench.contenders[contender].command(
        "replay.py",
        bench.histories / f"{history}.binpb",
        module,
        workflow,
        bench.cpu_seconds,
        "--warm-up",
        bench.histories / f"{warm_up}.binpb",
        "--minimum-runs",
        minimum_runs,
    )
    return run(command, bench.start_env)


def _floor(bench: Bench, contender: str, history: str) -> dict[str, float]:
    assert bench.floor is not None
    options = ["--paged"] if contender == PAGED else []
    command = [str(bench.floor), *options, str(bench.histories / f"{history}.binpb"), str(bench.cpu_seconds)]
    return run(command, bench.env)
