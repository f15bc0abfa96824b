"""The table for readers and the file for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness.cases import Metric
from benchmarks.harness.results import Comparison, Result, Spread


def table(result: Result) -> str:
    """The block of one metric: a line for each contender."""
    metric = result.metric
    lines = [f"{result.title}: {metric.title}"]
    lines.append(f"  {'':24}{'median':>10}  {'least .. most':>21}   {'ours is better by':<24}{'aim':<8}".rstrip())
    for contender, figures in result.figures.items():
        spread = f"{_number(figures.least, metric)} .. {_number(figures.most, metric)}"
        line = f"  {contender:24}{_number(figures.median, metric):>10}  {spread:>21}   "
        comparison = result.against(contender)
        lines.append((line + (_comparison(comparison) if comparison else "")).rstrip())
    if result.over_floor is not None and metric.over_floor is not None:
        verdict = _verdict(result.over_floor <= metric.over_floor)
        beyond = _number(result.over_floor, metric)
        lines.append(f"  beyond Core alone: {beyond}; aim: at most {_number(metric.over_floor, metric)}, {verdict}")
    return "\n".join(lines)


def write_json(path: Path, facts: Mapping[str, Any], results: Sequence[Result]) -> None:
    document = {**facts, "results": [_as_dict(result) for result in results]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _comparison(comparison: Comparison) -> str:
    ratio = comparison.ratio
    text = f"{ratio.median:.2f}x ({ratio.least:.2f} .. {ratio.most:.2f})"
    if comparison.aim is None or comparison.reached is None:
        return text
    return f"{text:<24}{f'{comparison.aim:g}x':<6}{_verdict(comparison.reached)}"


def _verdict(reached: bool) -> str:
    return "reached" if reached else "missed"


def _number(value: float, metric: Metric) -> str:
    return f"{value:,.{metric.digits}f}"


def _as_dict(result: Result) -> dict[str, Any]:
    contenders = {}
    for contender, figures in result.figures.items():
        contenders[contender] = {"values": list(figures.values), **_summary(figures)}
        comparison = result.against(contender)
        if comparison:
            contenders[contender]["ours_is_better_by"] = _summary(comparison.ratio)
            contenders[contender]["aim"] = comparison.aim
            contenders[contender]["reached"] = comparison.reached
    return {
        "case": result.title,
        "metric": result.metric.key,
        "unit": result.metric.title,
        "more_is_better": result.metric.more_is_better,
        "contenders": contenders,
        "over_floor": {"value": result.over_floor, "aim": result.metric.over_floor},
    }


def _summary(spread: Spread) -> dict[str, float]:
    return {"median": spread.median, "least": spread.least, "most": spread.most}
