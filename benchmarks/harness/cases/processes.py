"""What a second process adds. Only ours has worker processes, and both cores have to be idle."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.harness.model import OURS, Bench, Case, Metric
from benchmarks.harness.process import Talker, run

PROCESSES = (1, 2)


@dataclass(frozen=True, kw_only=True)
class ReplayProcesses(Case):
    """Two processes that replay histories side by side, against one."""

    group: str = "processes"
    title: str = "two processes against one, replay"
    history: str = "sequential_100"
    runs: int = 500
    metrics: Sequence[Metric] = (
        Metric("gain", "events per second, multiple", more_is_better=True, digits=2, goal=1.9),
        Metric("cores_of_one", "cores that one process takes", digits=2),
    )
    contenders: Sequence[str] = (OURS,)

    def measure(self, bench: Bench, contender: str) -> dict[str, float]:
        history = bench.histories / f"{self.history}.binpb"
        one, two = (
            run(
                bench.contenders[contender].command(
                    "processes.py",
                    *("replay", history, "workflows", "SequentialActivities"),
                    *("--runs", self.runs, "--processes", processes),
                ),
                bench.env,
            )
            for processes in PROCESSES
        )
        return {
            "gain": (two["events"] / two["wall_seconds"]) / (one["events"] / one["wall_seconds"]),
            "cores_of_one": one["cpu_seconds"] / one["wall_seconds"],
        }


@dataclass(frozen=True, kw_only=True)
class WorkerProcesses(Case):
    """`Worker(processes=2)` against one, with activities that compute: the server has little to do."""

    group: str = "processes"
    title: str = "two processes against one, live"
    activities: int = 200
    cpu_ms: int = 50
    metrics: Sequence[Metric] = (
        Metric("gain", "activities per second, multiple", more_is_better=True, digits=2, goal=1.9),
    )
    contenders: Sequence[str] = (OURS,)
    needs_server: bool = True

    def measure(self, bench: Bench, contender: str) -> dict[str, float]:
        one, two = (self._activities_per_second(bench, contender, processes) for processes in PROCESSES)
        return {"gain": two / one}

    def _activities_per_second(self, bench: Bench, contender: str, processes: int) -> float:
        task_queue = f"processes-{uuid.uuid4()}"
        program = bench.contenders[contender]
        serve = program.command("processes.py", "worker", bench.address, task_queue, "--processes", processes)
        drive = ("drive", bench.address, task_queue, "--activities", self.activities, "--cpu-ms", self.cpu_ms)
        with Talker(serve, bench.env) as worker:
            worker.answer()
            driven: dict[str, float] = run(bench.driver.command("processes.py", *drive), bench.env)
        return driven["activities"] / driven["wall_seconds"]
