"""What is measured: each case runs one contender in a fresh process and returns its figures."""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.harness.process import Talker, run
from benchmarks.harness.setup import Contender

OURS = "invincible"
DEFAULT = "temporalio"
UNSANDBOXED = "temporalio, unsandboxed"
FLOOR = "Core alone"
SDKS = (OURS, DEFAULT, UNSANDBOXED)


@dataclass(frozen=True)
class Bench:
    """What the cases run with."""

    contenders: Mapping[str, Contender]
    floor: Path | None
    # Gives the workers their work: one and the same for both.
    driver: Contender
    histories: Path
    env: dict[str, str]
    # Address of the server; only the cases that need one read it.
    address: str = ""
    cpu_seconds: float = 2.0


@dataclass(frozen=True)
class Metric:
    """One figure of a case, and the aims for it.

    A ratio says how many times better ours is. `aims` has the least ratio against each contender; `over_floor` is the
    most that ours may need beyond Core alone.
    """

    key: str
    title: str
    more_is_better: bool = False
    digits: int = 0
    aims: Mapping[str, float] = field(default_factory=dict)
    over_floor: float | None = None


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
        """The figures of one contender by the key of their metric."""


@dataclass(frozen=True, kw_only=True)
class Replay(Case):
    """One history, replayed for a given CPU time."""

    history: str
    module: str
    workflow: str
    contenders: Sequence[str] = (*SDKS, FLOOR)

    def measure(self, bench: Bench, contender: str) -> dict[str, float]:
        history = bench.histories / f"{self.history}.binpb"
        if contender == FLOOR:
            assert bench.floor is not None
            spent = run([str(bench.floor), str(history), str(bench.cpu_seconds)], bench.env)
        else:
            command = bench.contenders[contender].command(
                "replay.py", history, self.module, self.workflow, bench.cpu_seconds
            )
            spent = run(command, bench.env)
        return {
            "events_per_cpu_second": spent["events"] / spent["cpu_seconds"],
            "cpu_us_per_run": spent["cpu_seconds"] / spent["runs"] * 1e6,
        }


@dataclass(frozen=True, kw_only=True)
class Imports(Case):
    """The public modules, imported into a fresh interpreter."""

    group: str = "import"
    title: str = "import of client, worker, workflow and activity"
    metrics: Sequence[Metric] = (
        Metric("cpu_ms", "CPU ms", digits=1, aims={DEFAULT: 6}),
        Metric("modules", "modules", aims={DEFAULT: 6}),
        Metric("memory_mb", "resident MB", digits=1, aims={DEFAULT: 6}),
    )
    contenders: Sequence[str] = (OURS, DEFAULT)

    def measure(self, bench: Bench, contender: str) -> dict[str, float]:
        command = bench.contenders[contender].command("imports.py")
        spent = run(command, bench.env)
        return {
            "cpu_ms": spent["cpu_seconds"] * 1e3,
            "modules": spent["modules"],
            "memory_mb": spent["memory_bytes"] / 1e6,
        }


@dataclass(frozen=True, kw_only=True)
class Live(Case):
    """A worker under load. Server and client are other processes: only the worker's CPU time counts."""

    group: str = "live"
    title: str = "live, 50 workflows at a time with 20 activities each"
    workflows: int = 50
    steps: int = 20
    warm_up_workflows: int = 10
    metrics: Sequence[Metric] = (
        Metric("cpu_us_per_step", "worker CPU us per activity step", aims={DEFAULT: 5}),
        Metric("steps_per_second", "activity steps per second, server on the same machine", more_is_better=True),
    )
    contenders: Sequence[str] = SDKS
    needs_server: bool = True

    def measure(self, bench: Bench, contender: str) -> dict[str, float]:
        task_queue = f"live-{uuid.uuid4()}"
        with _worker(bench, contender, task_queue) as worker:
            _load(bench, task_queue, "--workflows", self.warm_up_workflows, "--steps", self.steps)
            before = worker.ask()
            load = _load(bench, task_queue, "--workflows", self.workflows, "--steps", self.steps)
            after = worker.ask()
        steps = self.workflows * self.steps
        return {
            "cpu_us_per_step": (after["cpu_seconds"] - before["cpu_seconds"]) / steps * 1e6,
            "steps_per_second": steps / load["wall_seconds"],
        }


@dataclass(frozen=True, kw_only=True)
class CachedRuns(Case):
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
        with _worker(bench, contender, task_queue) as worker:
            _load(bench, task_queue, "--workflows", self.warm_up_runs)
            before = worker.ask()
            _load(bench, task_queue, "--workflows", self.runs)
            after = worker.ask()
        return {"kb_per_run": (after["memory_bytes"] - before["memory_bytes"]) / self.runs / 1e3}


def _worker(bench: Bench, contender: str, task_queue: str) -> Talker:
    worker = Talker(bench.contenders[contender].command("worker.py", bench.address, task_queue), bench.env)
    worker.answer()
    return worker


def _load(bench: Bench, task_queue: str, *options: object) -> dict[str, float]:
    return run(bench.driver.command("load.py", bench.address, task_queue, *options), bench.env)


def _replay(title: str, history: str, workflow: str) -> Replay:
    aims = {DEFAULT: 20, UNSANDBOXED: 10, FLOOR: 0.5}
    metric = Metric("events_per_cpu_second", "events per CPU second", more_is_better=True, aims=aims)
    return Replay(
        group="replay",
        title=f"replay, {title}",
        metrics=[metric],
        history=history,
        module="workflows",
        workflow=workflow,
    )


def _start(title: str, module: str) -> Replay:
    metric = Metric("cpu_us_per_run", "CPU us per run", over_floor=100)
    return Replay(
        group="start",
        title=f"start of a run, workflow file importing {title}",
        metrics=[metric],
        history="one_task",
        module=module,
        workflow="Trivial",
    )


CASES: Sequence[Case] = (
    _replay("20 activities in sequence, 125 events", "sequential", "SequentialActivities"),
    _replay("fan-out of 100 activities, 335 events", "fan_out", "FanOut"),
    _replay("50 timers, 255 events", "timers", "Timers"),
    Live(),
    Imports(),
    _start("nothing else", "start_plain"),
    _start("yaml and click", "start_yaml_click"),
    _start("sqlalchemy", "start_sqlalchemy"),
    CachedRuns(),
)
GROUPS = tuple(dict.fromkeys(case.group for case in CASES))
