"""The block of one metric: a line for each contender."""

from __future__ import annotations

from benchmarks.harness.results import Comparison, Result
from benchmarks.harness.summary import number


def table(result: Result) -> str:
    metric = result.metric
    lines = [f"{result.title}: {metric.title}"]
    lines.append(f"  {'':26}{'median':>10}  {'least .. most':>21}   {'ours is better by':<24}{'aim':<8}".rstrip())
    for contender in result.figures:
        figures = result.spread(contender)
        if figures is None:
            lines.append(f"  {contender:26}{'failed':>10}")
            continue
        spread = f"{number(figures.least, metric)} .. {number(figures.most, metric)}"
        line = f"  {contender:26}{number(figures.median, metric):>10}  {spread:>21}   "
        comparison = result.against(contender)
        failed = f"  failed in {list(result.figures[contender]).count(None)}" if contender in result.failures else ""
        lines.append((line + (_comparison(comparison) if comparison else "") + failed).rstrip())
    verdicts = result.verdicts()
    if result.over_floor is not None and metric.over_floor is not None:
        beyond = number(result.over_floor, metric)
        verdict = _verdict(verdicts["over floor"])
        lines.append(f"  beyond Core alone: {beyond}; aim: at most {number(metric.over_floor, metric)}, {verdict}")
    if metric.goal is not None and "goal" in verdicts:
        bound = "least" if metric.more_is_better else "most"
        lines.append(f"  aim: at {bound} {metric.goal:g}, {_verdict(verdicts['goal'])}")
    return "\n".join(lines)


def _comparison(comparison: Comparison) -> str:
    ratio = comparison.ratio
    text = f"{ratio.median:.2f}x ({ratio.least:.2f} .. {ratio.most:.2f})"
    if comparison.aim is None or comparison.reached is None:
        return text
    return f"{text:<24}{f'{comparison.aim:g}x':<6}{_verdict(comparison.reached)}"


def _verdict(reached: bool) -> str:
    return "reached" if reached else "missed"
