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

from benchmarks.harness import cores, report, results, setup, summary
from benchmarks.harness.cases import CASES, GROUPS
from benchmarks.harness.model import DEFAULT, FLOOR, FLOORS, OURS, PAGED, UNSANDBOXED, Bench, Case
from benchmarks.harness.process import ProcessError, Talker, environment, run
from benchmarks.harness.results import Result
from benchmarks.harness.rounds import compare
from tests.support.environments import SetupError

# Names for the command line.
CONTENDERS = {"invincible": OURS, "temporalio": DEFAULT, "unsandboxed": UNSANDBOXED, "floor": FLOOR, "paged": PAGED}
QUICK = {"pairs": 2, "cpu_seconds": 0.5}


def main() -> int:
    try:
        return _run(_arguments())
    except (ProcessError, SetupError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="invincible against temporalio, in one run.")
    parser.add_argument("--pairs", type=_at_least_one, default=5, metavar="N", help="rounds (default: 5)")
    parser.add_argument("--only", nargs="+", choices=GROUPS, default=GROUPS, help="groups of cases (default: all)")
    parser.add_argument("--cases", metavar="TEXT", help="of these, the cases with TEXT in their title")
    parser.add_argument(
        "--contenders", nargs="+", choices=CONTENDERS, default=list(CONTENDERS), help="who takes part (default: all)"
    )
    parser.add_argument(
        "--cpu-seconds", type=float, default=1.0, metavar="S", help="CPU time of one replay measurement (default: 1)"
    )
    parser.add_argument("--quick", action="store_true", help="two rounds, half a CPU second each: a first look")
    parser.add_argument("--awake", action="store_true", help="keep all cores awake; see README.md")
    parser.add_argument("--address", metavar="HOST:PORT", help="use this server, not an embedded one of our own")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to FILE, after each case")
    parser.add_argument("--resume", type=Path, metavar="FILE", help="as --json; keep cases of FILE that went well")
    arguments = parser.parse_args()
    if arguments.quick:
        vars(arguments).update(QUICK)
    return arguments


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1 is needed")
    return number


def _run(arguments: argparse.Namespace) -> int:
    cases = [case for case in CASES if case.group in arguments.only and (arguments.cases or "") in case.title]
    taking_part = {name for case in cases for name in case.contenders}
    chosen = [name for key, name in CONTENDERS.items() if key in arguments.contenders and name in taking_part]
    file = arguments.resume or arguments.json
    facts, kept = results.read(file) if arguments.resume and file.exists() else ({}, [])
    kept = [result for result in kept if not result.failures]
    bench = make_bench(chosen, arguments.cpu_seconds)
    # A resumed run keeps what it was begun with.
    facts = facts or _facts(bench, chosen, arguments)
    for name, value in facts.items():
        print(f"{name}: {value}")

    have = {result.title for result in kept}
    order = {case.title: number for number, case in enumerate(CASES)}
    with cores.awake() if arguments.awake else contextlib.nullcontext():
        for case in cases:
            if case.title in have:
                continue
            for result in _measure(case, bench, chosen, arguments.pairs, arguments.address):
                print(f"\n{report.table(result)}", flush=True)
                kept.append(result)
            kept.sort(key=lambda result: order[result.title])
            if file:
                results.write(file, facts, kept)
    print(f"\n{summary.table(kept)}")
    return int(any(OURS in result.failures for result in kept))


def _measure(case: Case, bench: Bench, chosen: Sequence[str], pairs: int, address: str | None) -> list[Result]:
    """Each case has a server of its own: what one leaves there is no load for the next."""
    if not case.needs_server:
        return compare(case, bench, chosen, pairs)
    with contextlib.ExitStack() as stack:
        address = address or stack.enter_context(embedded_server(bench))
        return compare(case, dataclasses.replace(bench, address=address), chosen, pairs)


def make_bench(chosen: Sequence[str], cpu_seconds: float) -> Bench:
    """Whatever the chosen contenders need, made on first use."""
    print("setting up ...", file=sys.stderr, flush=True)
    peer = setup.peer()
    bench = Bench(
        contenders={OURS: setup.ours(), DEFAULT: peer, UNSANDBOXED: setup.peer(unsandboxed=True)},
        floor=setup.floor() if {*FLOORS} & {*chosen} else None,
        driver=peer,
        histories=setup.histories(),
        env=environment(),
        start_env=environment(setup.libraries("start", setup.START_LIBRARIES)),
        conversion_env=environment(setup.libraries("conversion", setup.CONVERSION_LIBRARIES)),
        cpu_seconds=cpu_seconds,
    )
    # The first import of an installed package compiles it.
    for name in {OURS, DEFAULT} & set(chosen):
        run(bench.contenders[name].command("imports.py"), bench.env)
    return bench


@contextlib.contextmanager
def embedded_server(bench: Bench) -> Iterator[str]:
    """The address of a server that is there for as long as the block."""
    with Talker(bench.contenders[OURS].command("server.py"), bench.env) as server:
        yield server.answer()["address"]


def _facts(bench: Bench, chosen: Sequence[str], arguments: argparse.Namespace) -> dict[str, Any]:
    sdks = {bench.contenders[name].sdk: bench.contenders[name].version() for name in chosen if name not in FLOORS}
    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "command": shlex.join(["python", "-m", "benchmarks.run", *(Path(word).name for word in sys.argv[1:])]),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "cores kept awake": arguments.awake,
        "pairs": arguments.pairs,
        **sdks,
    }


if __name__ == "__main__":
    sys.exit(main())
