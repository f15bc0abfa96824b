"""Contender after contender, round after round: what slows the machine meanwhile slows them alike."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from benchmarks.harness.model import Bench, Case
from benchmarks.harness.process import ProcessError
from benchmarks.harness.results import Result

# A contender that failed as often takes no further part in a case: failures may take minutes each.
FAILURES = 2


def compare(case: Case, bench: Bench, chosen: Sequence[str], pairs: int) -> list[Result]:
    """The results of one case, one for each metric. A contender that fails is left out, and said to have failed."""
    contenders = [name for name in case.contenders if name in chosen]
    if not contenders:
        return []
    measured: dict[str, list[dict[str, float] | None]] = {name: [] for name in contenders}
    failures: dict[str, str] = {}
    for number in range(pairs):
        for name in contenders:
            _progress(f"{case.title}: round {number + 1} of {pairs}, {name}")
            figures = None
            if measured[name].count(None) < FAILURES:
                try:
                    figures = case.measure(bench, name)
                except ProcessError as error:
                    failures[name] = str(error)
                    _progress("")
                    print(f"failed: {case.title}, {name}: {error}", file=sys.stderr, flush=True)
            measured[name].append(figures)
    _progress("")
    return [
        Result(
            case.group,
            case.title,
            metric,
            {
                name: [None if figures is None else figures[metric.key] for figures in measured[name]]
                for name in contenders
            },
            failures,
        )
        for metric in case.metrics
    ]


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
