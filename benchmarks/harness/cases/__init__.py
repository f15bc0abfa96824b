"""All cases, cheap ones first: a run that is broken off has lost little."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.harness.cases.cached import Cached
from benchmarks.harness.cases.live import IdleRuns, Live
from benchmarks.harness.cases.processes import ReplayProcesses, WorkerProcesses
from benchmarks.harness.cases.programs import Imports, Program
from benchmarks.harness.cases.replay import Growth, Replay
from benchmarks.harness.model import DEFAULT, FLOOR, FLOORS, OURS, PAGED, SDKS, UNSANDBOXED, Case, Metric

# The histories that are replayed: name, module, workflow, and the events of the three sizes.
_REPLAYED = (
    ("activities in sequence", "sequential", "workflows", "SequentialActivities"),
    ("fan-out of activities", "fan_out", "workflows", "FanOut"),
    ("timers", "timers", "workflows", "Timers"),
    ("signals", "signals", "messages", "Signals"),
    ("updates", "updates", "messages", "Updates"),
)
# All cases with five rounds are to end within 35 minutes on an idle machine with two cores. A replay of 20,000 events
# takes the official SDK 10 to 25 seconds, and Core's own replay worker not much less: their cost grows with the square
# of the length. So the unsandboxed runner is measured on one of the five.
_LONG_AND_UNSANDBOXED = "sequential"


def _replays(size: int) -> list[Case]:
    cases: list[Case] = []
    for title, history, module, workflow in _REPLAYED:
        if size == 100:
            contenders: Sequence[str] = (*SDKS, *FLOORS)
        elif size == 1_000 or history == _LONG_AND_UNSANDBOXED:
            contenders = (*SDKS, PAGED)
        else:
            contenders = (OURS, DEFAULT, PAGED)
        aims = {DEFAULT: 20, UNSANDBOXED: 10, FLOOR: 0.5, PAGED: 0.5}
        metric = Metric(
            "events_per_cpu_second",
            "events per CPU second",
            more_is_better=True,
            aims={name: aim for name, aim in aims.items() if name in contenders},
        )
        cases.append(
            Replay(
                group="replay",
                title=f"replay, {title}, {size:,} events",
                metrics=[metric],
                contenders=contenders,
                history=f"{history}_{size}",
                warm_up=f"{history}_100",
                module=module,
                workflow=workflow,
                minimum_runs=3 if size <= 1_000 else 1,
            )
        )
    return cases


def _start(imports: str, module: str, contenders: Sequence[str] = (*SDKS, *FLOORS)) -> Case:
    return Replay(
        group="start",
        title=f"start of a run, workflow file importing {imports}",
        metrics=[Metric("cpu_us_per_run", "CPU us per run", over_floor=100)],
        contenders=contenders,
        history="one_task",
        warm_up="one_task",
        module=module,
        workflow="Trivial",
    )


# What conversion is measured on: the name, and how many times less than the official SDK it is to need.
_CONVERTED = {
    "dataclass with 20 nested": 10,
    "pydantic model with 20 nested": 10,
    "union of dataclasses, last": 10,
    "small dataclass": 1,
    "small object": 1,
    "list of 1,000 numbers": 1,
    "text": 1,
    "number": 1,
    "three arguments": 1,
}

CASES: Sequence[Case] = (
    Imports(),
    _start("nothing else", "start_plain"),
    _start("yaml and click", "start_yaml_click", (OURS, DEFAULT, *FLOORS)),
    _start("sqlalchemy", "start_sqlalchemy"),
    Program(
        group="conversion",
        title="conversion",
        program="conversion.py",
        converts=True,
        metrics=[
            Metric(f"{step} {name}", f"{step} {name}, CPU us", digits=1, aims={DEFAULT: aim})
            for name, aim in _CONVERTED.items()
            for step in ("encode", "decode")
        ],
    ),
    Program(
        group="payload",
        title="1 MB",
        program="payload.py",
        needs_server=True,
        metrics=[
            *[
                Metric(f"{step} 1 MB of {kind}, ms", f"{step} {kind}, CPU ms", digits=2)
                for kind in ("bytes", "str")
                for step in ("encode", "decode")
            ],
            Metric("encode bytes, copies held", "copies held while bytes are encoded", digits=2, goal=1.1),
            Metric("decode bytes, copies held", "copies held while bytes are decoded", digits=2, goal=1.1),
            Metric("echo 1 MB of bytes, ms", "activity that returns its argument, CPU ms", digits=2),
        ],
    ),
    *_replays(100),
    *_replays(1_000),
    Growth(
        title="activities pending at once",
        histories="pending",
        module="workflows",
        workflow="FanOut",
    ),
    Growth(
        title="conditions waited for at once",
        histories="conditions",
        module="messages",
        workflow="Conditions",
    ),
    Program(
        group="client",
        title="client, 50 calls at a time",
        program="starts.py",
        needs_server=True,
        metrics=[
            Metric("cpu_us_per_start", "CPU us per start", aims={DEFAULT: 2}),
            Metric("starts_per_second", "starts per second", more_is_better=True, aims={DEFAULT: 1}),
            Metric("cpu_us_per_signal", "CPU us per signal", aims={DEFAULT: 2}),
            Metric("signals_per_second", "signals per second", more_is_better=True, aims={DEFAULT: 1}),
        ],
    ),
    Live(title="live, async activities", activity="async"),
    Live(title="live, activities on threads", activity="thread", contenders=(OURS, DEFAULT)),
    Live(title="live, local activities", activity="local", contenders=(OURS, DEFAULT)),
    IdleRuns(),
    Program(
        group="tail",
        title="workflow tasks beside a busy activity",
        program="tail.py",
        needs_server=True,
        metrics=[
            Metric("p50_ms", "ms, median", digits=1, aims={DEFAULT: 1}),
            Metric("p99_ms", "ms, 99 of 100 are faster", digits=1, aims={DEFAULT: 1}),
        ],
    ),
    ReplayProcesses(),
    WorkerProcesses(),
    Cached(),
    *_replays(20_000),
)
GROUPS = tuple(dict.fromkeys(case.group for case in CASES))
