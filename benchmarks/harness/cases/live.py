"""Workers against a real server. Server and client are other processes: only the worker's cost counts."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.harness.model import DEFAULT, SDKS, Bench, Case, Metric
from benchmarks.harness.process import Talker, run


@dataclass(frozen=True, kw_only=True)
class Live(Case):
    """Workflows of many steps, one activity each; `activity` is the kind: async, thread or local."""

    group: str = "live"
    activity: str
    workflows: int = 50
    steps: int = 20
    warm_up_workflows: int = 10
    metrics: Sequence[Metric] = (
        Metric("cpu_us_per_step", "worker CPU us per step", aims={DEFAULT: 5}),
        Metric("steps_per_second", "steps per second", more_is_better=True, aims={DEFAULT: 1}),
    )
    contenders: Sequence[str] = SDKS
    needs_server: bool = True

    def measure(self, bench: Bench, contender: str) -> dict[str, float]:
        task_queue = f"live-{uuid.uuid4()}"
        with serving(bench, contender, task_queue, "--activity", self.activity) as worker:
            load(bench, task_queue, "--workflows", self.warm_up_workflows, "--steps", self.steps)
            before = worker.ask()
            loaded = load(bench, task_queue, "--workflows", self.workflows, "--steps", self.steps)
            after = worker.ask()
        steps = self.workflows * self.steps
        return {
            "cpu_us_per_step": (after["cpu_seconds"] - before["cpu_seconds"]) / steps * 1e6,
            "steps_per_second": steps / loaded["wall_seconds"],
        }


@dataclass(frozen=True, kw_only=True)
class IdleRuns(Case):
    """Runs that wait in a worker's sticky cache; all fit into it."""

    group: str = "memory"
    title: str = "idle runs in the sticky cache"
    runs: int = 800
    warm_up_runs: int = 100
    metrics: Sequence[Metric] = (Metric("kb_per_run", "worker KB per cached run", digits=1, aims={DEFAULT: 2}),)
    contenders: Sequence[str] = SDKS
    needs_server: bool = True

    def measure(self, bench: Bench, contender: str) -> dict[str, float]:
        task_queue = f"idle-{uuid.uuid4()}"
        with serving(bench, contender, task_queue) as worker:
            load(bench, task_queue, "--workflows", self.warm_up_runs)
            before = worker.ask()
            load(bench, task_queue, "--workflows", self.runs)
            after = worker.ask()
        return {"kb_per_run": (after["memory_bytes"] - before["memory_bytes"]) / self.runs / 1e3}


def serving(bench: Bench, contender: str, task_queue: str, *options: object) -> Talker:
    """A worker that is ready."""
    command = bench.contenders[contender].command("worker.py", bench.address, task_queue, *options)
    worker = Talker(command, bench.env)
    worker.answer()
    return worker


def load(bench: Bench, task_queue: str, *options: object) -> dict[str, float]:
    """Gives a worker its work, and returns when it is done."""
    return run(bench.driver.command("load.py", bench.address, task_queue, *options), bench.env)
