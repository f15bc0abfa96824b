"""One line for each figure: what ours needs, how much better it is than each of the others, and what was aimed at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.harness.model import DEFAULT, FLOOR, OURS, PAGED, UNSANDBOXED, Metric
from benchmarks.harness.results import Result

HEADINGS = ("figure", "invincible", "temporalio", "unsandboxed", "Core alone", "paged", "aim", "result")
_OTHERS = (DEFAULT, UNSANDBOXED, FLOOR, PAGED)


@dataclass(frozen=True)
class Line:
    """The cells of one figure, in the order of `HEADINGS`."""

    figure: str
    ours: str
    others: Sequence[str]
    aim: str
    verdict: str

    @property
    def cells(self) -> tuple[str, ...]:
        return (self.figure, self.ours, *self.others, self.aim, self.verdict)


def number(value: float, metric: Metric) -> str:
    return f"{value:,.{metric.digits}f}"


def times(ratio: float) -> str:
    """A ratio to two or three digits."""
    return f"{ratio:.0f}x" if ratio >= 100 else f"{ratio:.1f}x" if ratio >= 10 else f"{ratio:.2f}x"


def lines(results: Iterable[Result]) -> list[Line]:
    return [_line(result) for result in results]


def table(results: Iterable[Result]) -> str:
    """For a terminal."""
    rows = [HEADINGS, *(line.cells for line in lines(results))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def markdown(results: Iterable[Result]) -> str:
    rows = [HEADINGS, ("---", *["--:"] * 5, "---", "---"), *(line.cells for line in lines(results))]
    return "\n".join("".join(f"| {cell} " if cell else "| " for cell in row) + "|" for row in rows)


def _line(result: Result) -> Line:
    ours = result.spread(OURS)
    return Line(
        f"{result.title}: {result.metric.title}",
        number(ours.median, result.metric) if ours else _missing(result, OURS),
        [_other(result, name) for name in _OTHERS],
        _aim(result.metric),
        _verdict(result),
    )


def _other(result: Result, contender: str) -> str:
    comparison = result.against(contender)
    if comparison is None:
        return _missing(result, contender)
    if result.metric.goal is not None:
        # The figure is a ratio already: of a contender with itself.
        spread = result.spread(contender)
        return number(spread.median, result.metric) if spread else ""
    return times(comparison.ratio.median)


def _missing(result: Result, contender: str) -> str:
    return "failed" if contender in result.failures else ""


def _aim(metric: Metric) -> str:
    parts = [f"{metric.aims[name]:g}x" for name in _OTHERS if name in metric.aims]
    if metric.over_floor is not None:
        parts.append(f"{number(metric.over_floor, metric)} over Core")
    if metric.goal is not None:
        parts.append(f"{'at least' if metric.more_is_better else 'at most'} {metric.goal:g}")
    return ", ".join(parts)


def _verdict(result: Result) -> str:
    verdicts = result.verdicts()
    if not verdicts:
        return ""
    if result.over_floor is not None:
        reached = "reached" if verdicts["over floor"] else "missed"
        return f"{reached}: {number(result.over_floor, result.metric)}"
    missed = [name for name, reached in verdicts.items() if not reached]
    if not missed:
        return "reached"
    if len(verdicts) == 1:
        return "missed"
    labels = {DEFAULT: "temporalio", UNSANDBOXED: "unsandboxed", FLOOR: "Core", PAGED: "paged"}
    return f"missed: {', '.join(labels.get(name, name) for name in missed)}"
