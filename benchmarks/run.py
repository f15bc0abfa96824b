"""Ours against `temporalio`, side by side in one run. See README.md in this folder."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import os
import platform
import shlex
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from benchmarks.harness import cores, report, setup
from benchmarks.harness.cases import CASES, DEFAULT, FLOOR, GROUPS, OURS, UNSANDBOXED, Bench, Case
from benchmarks.harness.process import ProcessError, Talker, environment, run
from benchmarks.harness.results import Result, Spread
from tests.support.environments import SetupError

# Names for the command line.
CONTENDERS = {"invincible": OURS, "temporalio": DEFAULT, "unsandboxed": UNSANDBOXED, "floor": FLOOR}


def main() -> int:
    arguments = _arguments()
    try:
        return _run(arguments)
    except (ProcessError, SetupError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="invincible against temporalio, in one run.")
    parser.add_argument("--pairs", type=_at_least_one, default=5, metavar="N", help="rounds (default: 5)")
    parser.add_argument("--only", nargs="+", choices=GROUPS, default=GROUPS, help="groups of cases (default: all)")
    parser.add_argument(
        "--contenders", nargs="+", choices=CONTENDERS, default=list(CONTENDERS), help="who takes part (default: all)"
    )
    parser.add_argument(
        "--cpu-seconds", type=float, default=2.0, metavar="S", help="CPU time of one replay measurement"
    )
    parser.add_argument("--awake", action="store_true", help="keep all cores awake; see README.md")
    parser.add_argument("--address", metavar="HOST:PORT", help="use this server, not an embedded one of our own")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures to FILE")
    return parser.parse_args()


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1 is needed")
    return number


def _run(arguments: argparse.Namespace) -> int:
    cases = [case for case in CASES if case.group in arguments.only]
    taking_part = {name for case in cases for name in case.contenders}
    chosen = [name for key, name in CONTENDERS.items() if key in arguments.contenders and name in taking_part]
    bench = _bench(chosen, arguments.cpu_seconds)
    facts = _facts(bench, chosen, arguments)
    for name, value in facts.items():
        print(f"{name}: {value}")

    results: list[Result] = []
    with contextlib.ExitStack() as stack:
        if arguments.awake:
            stack.enter_context(cores.awake())
        if any(case.needs_server for case in cases):
            address = arguments.address or stack.enter_context(_embedded_server(bench))
            bench = dataclasses.replace(bench, address=address)
        for case in cases:
            for result in _compare(case, bench, chosen, arguments.pairs):
                print(f"\n{report.table(result)}", flush=True)
                results.append(result)
    if arguments.json:
        report.write_json(arguments.json, facts, results)
    return 0


def _bench(chosen: Sequence[str], cpu_seconds: float) -> Bench:
    print("setting up ...", file=sys.stderr, flush=True)
    peer = setup.peer()
    bench = Bench(
        contenders={OURS: setup.ours(), DEFAULT: peer, UNSANDBOXED: setup.peer(unsandboxed=True)},
        floor=setup.floor() if FLOOR in chosen else None,
        driver=peer,
        histories=setup.histories(),
        env=environment(setup.libraries()),
        cpu_seconds=cpu_seconds,
    )
    # The first import of an installed package compiles it.
    for name in {OURS, DEFAULT} & set(chosen):
        run(bench.contenders[name].command("imports.py"), bench.env)
    return bench


def _compare(case: Case, bench: Bench, chosen: Sequence[str], pairs: int) -> list[Result]:
    """Contender after contender, round after round: what slows the machine meanwhile slows them alike."""
    contenders = [name for name in case.contenders if name in chosen]
    rounds = []
    for number in range(pairs):
        figures = {}
        for name in contenders:
            _progress(f"{case.title}: round {number + 1} of {pairs}, {name}")
            figures[name] = case.measure(bench, name)
        rounds.append(figures)
    _progress("")
    if not contenders:
        return []
    return [
        Result(
            case.title,
            metric,
            {name: Spread([figures[name][metric.key] for figures in rounds]) for name in contenders},
        )
        for metric in case.metrics
    ]


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


@contextlib.contextmanager
def _embedded_server(bench: Bench) -> Iterator[str]:
    with Talker(bench.contenders[OURS].command("server.py"), bench.env) as server:
        yield server.answer()["address"]


def _facts(bench: Bench, chosen: Sequence[str], arguments: argparse.Namespace) -> dict[str, Any]:
    sdks = {bench.contenders[name].sdk: bench.contenders[name].version() for name in chosen if name != FLOOR}
    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "command": shlex.join(["python", "-m", "benchmarks.run", *sys.argv[1:]]),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "cores kept awake": arguments.awake,
        "pairs": arguments.pairs,
        **sdks,
    }


if __name__ == "__main__":
    sys.exit(main())
