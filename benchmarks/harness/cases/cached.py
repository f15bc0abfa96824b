"""Many idle runs in a worker's cache: Core looks at each of them for every task."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.harness.model import DEFAULT, OURS, Bench, Case, Metric
from benchmarks.harness.process import Talker


@dataclass(frozen=True, kw_only=True)
class Cached(Case):
    """Workflow tasks of a worker with many idle runs in its cache, beside the same worker with few."""

    group: str = "cached"
    title: str = "3,000 cached runs against 100"
    few: int = 100
    many: int = 3_000
    tasks: int = 2_000
    metrics: Sequence[Metric] = (
        Metric("rate", "share of the workflow-task rate", more_is_better=True, digits=2, goal=0.9),
        Metric("cpu", "share of worker CPU per workflow task", digits=2, goal=1.1),
        Metric("cpu_us_at_many", "worker CPU us per workflow task with 3,000"),
    )
    contenders: Sequence[str] = (OURS, DEFAULT)
    needs_server: bool = True

    def measure(self, bench: Bench, contender: str) -> dict[str, float]:
        few_rate, few_cpu_us = self._with_idle_runs(bench, contender, self.few)
        many_rate, many_cpu_us = self._with_idle_runs(bench, contender, self.many)
        return {
            "rate": many_rate / few_rate,
            "cpu": many_cpu_us / few_cpu_us,
            "cpu_us_at_many": many_cpu_us,
        }

    def _with_idle_runs(self, bench: Bench, contender: str, idle: int) -> tuple[float, float]:
        """Workflow tasks per second, and microseconds of the worker's CPU time for each."""
        task_queue = f"cached-{uuid.uuid4()}"
        serve = bench.contenders[contender].command("cached.py", "worker", bench.address, task_queue)
        drive = bench.driver.command(
            "cached.py", "drive", bench.address, task_queue, "--idle", idle, "--tasks", self.tasks
        )
        with Talker(serve, bench.env) as worker:
            worker.answer()
            with Talker(drive, bench.env) as driver:
                driver.answer()
                before = worker.ask()
                driven = driver.ask()
                after = worker.ask()
        cpu_us = (after["cpu_seconds"] - before["cpu_seconds"]) / driven["tasks"] * 1e6
        return driven["tasks"] / driven["wall_seconds"], cpu_us
