"""The guard against regressions fails when a ratio falls, and only then."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks import check
from benchmarks.check import MORE_PAIRS, PAIRS, Bound
from benchmarks.harness.cases import CASES
from benchmarks.harness.model import DEFAULT, OURS, Case
from benchmarks.harness.results import Result
from tests.support.environments import SetupError

CASE = CASES[0]
BOUND = Bound(CASE, "cpu_ms", 3)


class Measurements:
    """Stands for the runs: one ratio to the official SDK after the other."""

    def __init__(self, *ratios: float) -> None:
        self.ratios = list(ratios)
        self.pairs: list[int] = []

    def __call__(self, case: Case, pairs: int) -> Sequence[Result]:
        ratio = self.ratios.pop(0)
        self.pairs.append(pairs)
        return [
            Result(case.group, case.title, metric, {OURS: [10.0] * pairs, DEFAULT: [10 * ratio] * pairs})
            for metric in case.metrics
        ]


def test_a_ratio_at_its_bound_is_fine() -> None:
    measure = Measurements(3)
    assert check.check([BOUND], measure) == []
    assert measure.pairs == [PAIRS]


def test_a_ratio_that_fell_is_named() -> None:
    measure = Measurements(2.9, 2.8)
    (complaint,) = check.check([BOUND], measure)
    assert complaint == f"{CASE.title}: CPU ms: 2.80x (2.80 .. 2.80) is below the bound of 3x"
    assert measure.pairs == [PAIRS, MORE_PAIRS]


def test_a_busy_moment_is_forgiven() -> None:
    measure = Measurements(2, 4)
    assert check.check([BOUND], measure) == []


def test_each_case_is_measured_once_for_all_its_bounds() -> None:
    measure = Measurements(4)
    assert check.check([BOUND, Bound(CASE, "modules", 2)], measure) == []
    assert measure.ratios == []


def test_what_cannot_be_measured_is_no_success() -> None:
    def failing(case: Case, pairs: int) -> Sequence[Result]:
        figures: dict[str, list[float | None]] = {OURS: [None] * pairs, DEFAULT: [1.0] * pairs}
        return [Result(case.group, case.title, metric, figures, {OURS: "no module"}) for metric in case.metrics]

    (complaint,) = check.check([BOUND], failing)
    assert complaint.endswith("not measured: no module")


def test_a_regression_is_the_exit_status(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["check"])
    monkeypatch.setattr(check, "make_bench", lambda *ignored: None)
    monkeypatch.setattr(check, "read_bounds", lambda path: [BOUND])

    def compare(case: Case, bench: object, chosen: Sequence[str], pairs: int) -> Sequence[Result]:
        return Measurements(ratio)(case, pairs)

    monkeypatch.setattr(check, "compare", compare)
    ratio = 3.5
    assert check.main() == 0
    ratio = 1.5
    assert check.main() == 1
    assert "REGRESSION import of client" in capsys.readouterr().err


def test_the_bounds_name_what_is_measured() -> None:
    bounds = check.read_bounds(check.BOUNDS)
    assert {bound.case.group for bound in bounds} == {"import", "start", "replay", "conversion"}
    assert not any(bound.case.needs_server for bound in bounds)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[nothing]\ncpu_ms = 1\n", "there is no case 'nothing'"),
        (f'["{CASE.title}"]\ncpu_us = 1\n', "has no figure 'cpu_us'"),
    ],
)
def test_a_bound_for_nothing_is_an_error(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "bounds.toml"
    path.write_text(text)
    with pytest.raises(SetupError, match=complaint):
        check.read_bounds(path)
