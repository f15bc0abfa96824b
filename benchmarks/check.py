"""A regression shows: a short run beside `temporalio`, with a bound for each ratio. CI runs it.

    python -m benchmarks.check

The bounds are in `bounds.toml`, at about half of what was reached when they were written: a busy machine does not cross
them, a mistake does. A ratio below its bound is measured once more with more rounds. Ends with 1 if one stays below.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness.cases import CASES
from benchmarks.harness.model import DEFAULT, OURS, Case
from benchmarks.harness.process import ProcessError
from benchmarks.harness.results import Comparison, Result
from benchmarks.harness.rounds import compare
from benchmarks.run import make_bench
from tests.support.environments import SetupError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

BOUNDS = Path(__file__).with_name("bounds.toml")
PAIRS, MORE_PAIRS = 2, 5
CPU_SECONDS = 0.4

Measure = Callable[[Case, int], Sequence[Result]]


@dataclass(frozen=True)
class Bound:
    """How many times better than the official SDK a figure has to be at least."""

    case: Case
    metric: str
    least: float


def read_bounds(path: Path) -> list[Bound]:
    """The bounds of a file.

    Raises:
        SetupError: It names a case or a figure that does not exist, or is not compared with the official SDK.
    """
    cases = {case.title: case for case in CASES}
    bounds = []
    for title, figures in tomllib.loads(path.read_text(encoding="utf-8")).items():
        case = cases.get(title)
        if case is None:
            raise SetupError(f"{path.name}: there is no case {title!r}; it is one of {', '.join(cases)}")
        keys = [metric.key for metric in case.metrics]
        if DEFAULT not in case.contenders:
            raise SetupError(f"{path.name}: {title!r} is not measured for {DEFAULT}")
        for key, least in figures.items():
            if key not in keys:
                raise SetupError(f"{path.name}: {title!r} has no figure {key!r}; it is one of {', '.join(keys)}")
            bounds.append(Bound(case, key, least))
    return bounds


def check(bounds: Sequence[Bound], measure: Measure) -> list[str]:
    """Measures every case that has a bound; returns a line for each bound that does not hold."""
    complaints = []
    for case in {bound.case.title: bound.case for bound in bounds}.values():
        of_case = [bound for bound in bounds if bound.case is case]
        missed = _missed(of_case, measure(case, PAIRS))
        if missed:
            print(f"{case.title}: below its bound, once more", flush=True)
            missed = _missed([bound for bound, _ in missed], measure(case, MORE_PAIRS))
        complaints += [complaint for _, complaint in missed]
    return complaints


def _missed(bounds: Sequence[Bound], measured: Sequence[Result]) -> list[tuple[Bound, str]]:
    missed = []
    for bound in bounds:
        result = next(each for each in measured if each.metric.key == bound.metric)
        comparison = result.against(DEFAULT)
        name = f"{result.title}: {result.metric.title}"
        if comparison is None:
            missed.append((bound, f"{name}: not measured: {'; '.join(result.failures.values())}"))
            continue
        print(f"{name}: {_found(comparison)}, bound {bound.least:g}x", flush=True)
        if comparison.ratio.median < bound.least:
            missed.append((bound, f"{name}: {_found(comparison)} is below the bound of {bound.least:g}x"))
    return missed


def _found(comparison: Comparison) -> str:
    ratio = comparison.ratio
    return f"{ratio.median:.2f}x ({ratio.least:.2f} .. {ratio.most:.2f})"


def main() -> int:
    argparse.ArgumentParser(description="Compares ratios to temporalio with their bounds.").parse_args()
    try:
        bounds = read_bounds(BOUNDS)
        bench = make_bench([OURS, DEFAULT], CPU_SECONDS)
    except (ProcessError, SetupError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    complaints = check(bounds, lambda case, pairs: compare(case, bench, [OURS, DEFAULT], pairs))
    for complaint in complaints:
        print(f"REGRESSION {complaint}", file=sys.stderr)
    return int(bool(complaints))


if __name__ == "__main__":
    sys.exit(main())
