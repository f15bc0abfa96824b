"""From the figures of the rounds to medians, ratios and aims; and the file that keeps them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.harness.model import FLOORS, OURS, Metric


@dataclass(frozen=True)
class Spread:
    """Several values of one figure."""

    values: Sequence[float]

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def least(self) -> float:
        return min(self.values)

    @property
    def most(self) -> float:
        return max(self.values)


@dataclass(frozen=True)
class Comparison:
    """Ours against another contender, as the ratio within each round: above 1, ours is better."""

    ratio: Spread
    aim: float | None

    @property
    def reached(self) -> bool | None:
        return None if self.aim is None else self.ratio.median >= self.aim


@dataclass(frozen=True)
class Result:
    """One metric of one case over all rounds."""

    group: str
    title: str
    metric: Metric
    # One value for each round; None where the contender failed.
    figures: Mapping[str, Sequence[float | None]]
    # What was wrong with those that failed at all.
    failures: Mapping[str, str] = field(default_factory=dict)

    def spread(self, contender: str) -> Spread | None:
        """None for a contender that took no part or failed in every round."""
        values = [value for value in self.figures.get(contender, ()) if value is not None]
        return Spread(values) if values else None

    def against(self, contender: str) -> Comparison | None:
        """None for ours itself, and where there is no round in which both gave a figure."""
        if contender == OURS or not {contender, OURS} <= self.figures.keys():
            return None
        pairs = zip(self.figures[OURS], self.figures[contender], strict=True)
        # Only memory can be 0, and nothing is a multiple of it.
        both = [(ours, other) for ours, other in pairs if ours and other]
        ratios = [ours / other if self.metric.more_is_better else other / ours for ours, other in both]
        return Comparison(Spread(ratios), self.metric.aims.get(contender)) if ratios else None

    @property
    def over_floor(self) -> float | None:
        """What ours needs beyond Core alone in its faster way, where that has a limit."""
        ours = self.spread(OURS)
        floors = [spread.median for name in FLOORS if (spread := self.spread(name))]
        if self.metric.over_floor is None or ours is None or not floors:
            return None
        return ours.median - min(floors)

    def verdicts(self) -> dict[str, bool]:
        """Whether each aim was reached: by the name of the contender, `over floor` or `goal`."""
        ours, metric = self.spread(OURS), self.metric
        verdicts = {}
        for contender in metric.aims:
            comparison = self.against(contender)
            if comparison is not None and comparison.reached is not None:
                verdicts[contender] = comparison.reached
        if self.over_floor is not None and metric.over_floor is not None:
            verdicts["over floor"] = self.over_floor <= metric.over_floor
        if ours is not None and metric.goal is not None:
            verdicts["goal"] = ours.median >= metric.goal if metric.more_is_better else ours.median <= metric.goal
        return verdicts


def write(path: Path, facts: Mapping[str, Any], results: Sequence[Result]) -> None:
    """Writes all figures. A program that dies meanwhile leaves the file as it was."""
    document = {**facts, "results": [_as_dict(result) for result in results]}
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    new.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    new.replace(path)


def read(path: Path) -> tuple[dict[str, Any], list[Result]]:
    """The facts of a run and its results, as `write` wrote them."""
    facts = json.loads(path.read_text(encoding="utf-8"))
    results = [
        Result(each["group"], each["case"], Metric(**each["metric"]), each["figures"], each["failures"])
        for each in facts.pop("results")
    ]
    return facts, results


def _as_dict(result: Result) -> dict[str, Any]:
    compared = {contender: result.against(contender) for contender in result.figures}
    return {
        "group": result.group,
        "case": result.title,
        "metric": asdict(result.metric),
        "figures": {contender: list(values) for contender, values in result.figures.items()},
        "failures": dict(result.failures),
        # What follows from the above, for readers.
        "medians": {name: spread.median for name in result.figures if (spread := result.spread(name))},
        "ours_is_better_by": {name: found.ratio.median for name, found in compared.items() if found},
        "reached": result.verdicts(),
    }
