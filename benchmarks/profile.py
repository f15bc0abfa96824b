"""Where the CPU time of a workload goes: native parts and threads as `perf` sees them, and calls of Python functions.

    python -m benchmarks.profile replay|live|start

`perf` names the parts of the native module only if it has symbols, and a release build is stripped. This makes one that
is not, as `target/release/lib_native.so`, to be copied over `python/invincible/_native.abi3.so`:

    python tools/cargo.py build -p invincible-core-bridge \\
        --config 'profile.release.package.invincible-core-bridge.strip="none"'
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import subprocess
import sys
import tempfile
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.harness import shares
from benchmarks.harness.cases.live import load
from benchmarks.harness.model import DEFAULT, OURS, Bench
from benchmarks.harness.process import ProcessError, Talker, run
from benchmarks.run import embedded_server, make_bench
from tests.support.environments import SetupError

CPU_SECONDS = 6.0
# Long enough for the imports and the warm-up.
DELAY_MILLISECONDS = 2_500
WORKFLOWS, STEPS = 50, 20
TOP = 25
# Functions that are called less often for one unit are not counted.
RARE = 0.05


@dataclass(frozen=True)
class Workload:
    """What is profiled: `unit` is what costs are told for, and a replayed run has `of_run` of them."""

    unit: str
    history: str = ""
    module: str = ""
    workflow: str = ""
    of_run: int = 1


WORKLOADS = {
    "replay": Workload("activation", "sequential_100", "workflows", "SequentialActivities", of_run=17),
    "live": Workload("activity step"),
    "start": Workload("run", "one_task", "start_plain", "Trivial"),
}


@dataclass(frozen=True)
class Profile:
    """What was seen: CPU time of one unit, the samples, and calls of Python functions for one unit."""

    cpu_us: float
    samples: Sequence[shares.Sample]
    calls: Sequence[tuple[str, float]]


def main() -> int:
    parser = argparse.ArgumentParser(description="Where the CPU time goes.")
    parser.add_argument("workload", choices=WORKLOADS)
    parser.add_argument("--contender", choices=(OURS, DEFAULT), default=OURS)
    parser.add_argument("--address", metavar="HOST:PORT", help="use this server for `live`, not an embedded one")
    parser.add_argument("--top", type=int, default=TOP, help=f"how many functions to name (default: {TOP})")
    parser.add_argument("--symbols", action="store_true", help="name the symbols of each part, too")
    arguments = parser.parse_args()
    workload = WORKLOADS[arguments.workload]
    try:
        bench = make_bench([arguments.contender], CPU_SECONDS)
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
            if arguments.workload == "live":
                address = arguments.address or stack.enter_context(embedded_server(bench))
                found = _live(replace(bench, address=address), arguments.contender, Path(folder))
            else:
                found = _replay(bench, arguments.contender, workload, Path(folder))
    except (ProcessError, SetupError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{arguments.workload}, {arguments.contender}: {found.cpu_us:,.0f} us CPU for one {workload.unit}")
    _print_shares("by part", shares.by_part(found.samples), found.cpu_us)
    _print_shares("by thread", shares.by_thread(found.samples), found.cpu_us)
    if arguments.symbols:
        for part, _ in shares.by_part(found.samples):
            _print_shares(part, shares.by_symbol(found.samples, part)[:8], found.cpu_us)
    print(f"\ncalls of Python functions for one {workload.unit}: {sum(number for _, number in found.calls):,.1f}")
    for name, number in found.calls[: arguments.top]:
        print(f"  {number:8.2f}  {name}")
    return 0


def _print_shares(title: str, rows: Sequence[tuple[str, float]], cpu_us: float) -> None:
    print(f"\n{title}")
    for name, share in rows:
        print(f"  {share:6.1%}  {share * cpu_us:8.1f} us  {name[:100]}")


def _replay(bench: Bench, contender: str, workload: Workload, folder: Path) -> Profile:
    history = bench.histories / f"{workload.history}.binpb"

    def command(cpu_seconds: float) -> list[str]:
        arguments = [history, workload.module, workload.workflow, cpu_seconds, "--warm-up", history]
        return bench.contenders[contender].command("replay.py", *arguments)

    def count(file: Path, cpu_seconds: float) -> None:
        run(_counted(bench, contender, file, command(cpu_seconds)), bench.start_env)

    data = folder / "perf.data"
    spent = run(shares.record(["--delay", str(DELAY_MILLISECONDS), "--", *command(CPU_SECONDS)], data), bench.start_env)
    return Profile(
        spent["cpu_seconds"] / spent["runs"] / workload.of_run * 1e6,
        shares.read(data),
        calls_for_one(folder, f":{workload.workflow}.run", lambda file: count(file, 0.2), lambda file: count(file, 2)),
    )


def _live(bench: Bench, contender: str, folder: Path) -> Profile:
    data = folder / "perf.data"

    def command(task_queue: str) -> list[str]:
        return bench.contenders[contender].command("worker.py", bench.address, task_queue)

    def count(file: Path, workflows: int) -> None:
        task_queue = f"profile-{uuid.uuid4()}"
        with Talker(_counted(bench, contender, file, command(task_queue)), bench.env) as worker:
            worker.answer()
            load(bench, task_queue, "--workflows", workflows, "--steps", STEPS)

    task_queue = f"profile-{uuid.uuid4()}"
    with Talker(command(task_queue), bench.env) as worker:
        worker.answer()
        load(bench, task_queue, "--workflows", WORKFLOWS // 5, "--steps", STEPS)
        with _sampling(worker.pid, data):
            before = worker.ask()
            load(bench, task_queue, "--workflows", WORKFLOWS, "--steps", STEPS)
            after = worker.ask()
    return Profile(
        (after["cpu_seconds"] - before["cpu_seconds"]) / (WORKFLOWS * STEPS) * 1e6,
        shares.read(data),
        calls_for_one(
            folder, ":step", lambda file: count(file, WORKFLOWS // 10), lambda file: count(file, WORKFLOWS // 2)
        ),
    )


@contextlib.contextmanager
def _sampling(pid: int, data: Path) -> Iterator[None]:
    perf = subprocess.Popen(shares.record(["--pid", str(pid)], data))
    try:
        yield
    finally:
        perf.send_signal(signal.SIGINT)
        perf.wait()


def _counted(bench: Bench, contender: str, counts: Path, command: Sequence[str]) -> list[str]:
    python, *program = command
    return [python, str(bench.contenders[contender].scenarios / "counted.py"), str(counts), *program]


def calls_for_one(
    folder: Path, unit: str, work_a_little: Callable[[Path], None], work_more: Callable[[Path], None]
) -> list[tuple[str, float]]:
    """Calls for one unit, most first. What start and end of the program take is the same for little and more work.

    A unit is a call of the scenario's function of this name. A coroutine is called anew each time it goes on: a
    workflow's `run` counts the activations.
    """
    counted: list[Counter[str]] = []
    for name, work in (("little.json", work_a_little), ("more.json", work_more)):
        work(folder / name)
        counted.append(Counter(json.loads((folder / name).read_text(encoding="utf-8"))))
    calls = counted[1] - counted[0]
    units = sum(number for name, number in calls.items() if name.endswith(unit))
    if not units:
        raise SetupError("the workflow was never seen to run")
    each = [(name, number / units) for name, number in calls.items() if number / units >= RARE]
    return sorted(each, key=lambda call: -call[1])


if __name__ == "__main__":
    sys.exit(main())
