"""From the figures of the rounds to medians, ratios and aims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.harness.cases import FLOOR, OURS, Metric


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

    title: str
    metric: Metric
    figures: Mapping[str, Spread]

    def against(self, contender: str) -> Comparison | None:
        """None for ours itself, and where ours did not run."""
        if contender == OURS or OURS not in self.figures:
            return None
        pairs = zip(self.figures[OURS].values, self.figures[contender].values, strict=True)
        ratios = [ours / other if self.metric.more_is_better else other / ours for ours, other in pairs]
        return Comparison(Spread(ratios), self.metric.aims.get(contender))

    @property
    def over_floor(self) -> float | None:
        """What ours needs beyond Core alone, where that has a limit."""
        if self.metric.over_floor is None or OURS not in self.figures or FLOOR not in self.figures:
            return None
        return self.figures[OURS].median - self.figures[FLOOR].median
