"""The parts of the benchmarks that could lie: rounds, ratios, aims, tables, the file that is resumed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from benchmarks import run as command
from benchmarks.harness import report, results, summary
from benchmarks.harness.cases import CASES
from benchmarks.harness.model import DEFAULT, FLOOR, OURS, PAGED, Bench, Case, Metric
from benchmarks.harness.process import ProcessError
from benchmarks.harness.results import Result
from benchmarks.harness.rounds import FAILURES, compare

NAMES = {"ours": OURS, "default": DEFAULT, "floor": FLOOR, "paged": PAGED}
COST = Metric("cost", "us", aims={DEFAULT: 2})


def result(metric: Metric, **figures: Sequence[float | None]) -> Result:
    return Result("group", "case", metric, {NAMES[name]: values for name, values in figures.items()})


@dataclass(frozen=True, kw_only=True)
class Recorded(Case):
    """Gives out figures; None is a failure."""

    figures: dict[str, Iterator[float | None]]
    measured: list[str] = field(default_factory=list)

    def measure(self, bench: Bench, contender: str) -> dict[str, float]:
        self.measured.append(contender)
        figure = next(self.figures[contender])
        if figure is None:
            raise ProcessError("out of memory")
        return {"cost": figure}


def recorded(title: str = "case", **figures: Sequence[float | None]) -> Recorded:
    return Recorded(
        group="replay",
        title=title,
        metrics=[COST],
        contenders=[NAMES[name] for name in figures],
        figures={NAMES[name]: iter(values) for name, values in figures.items()},
    )


def compared(case: Case, pairs: int) -> Result:
    bench: Any = None
    (found,) = compare(case, bench, [OURS, DEFAULT], pairs)
    return found


def test_more_is_better_divides_ours_by_the_other_within_each_round() -> None:
    metric = Metric("rate", "per second", more_is_better=True, aims={DEFAULT: 9})
    comparison = result(metric, ours=[100, 300, 120], default=[10, 20, 15]).against(DEFAULT)
    assert comparison is not None
    assert list(comparison.ratio.values) == [10, 15, 8]
    assert (comparison.ratio.median, comparison.ratio.least, comparison.ratio.most) == (10, 8, 15)
    assert comparison.reached


def test_less_is_better_divides_the_other_by_ours() -> None:
    metric = Metric("cost", "us", aims={DEFAULT: 5})
    comparison = result(metric, ours=[10, 10, 10], default=[20, 40, 60]).against(DEFAULT)
    assert comparison is not None
    assert comparison.ratio.median == 4
    assert comparison.reached is False


def test_without_ours_there_is_nothing_to_compare() -> None:
    assert result(COST, default=[1]).against(DEFAULT) is None


def test_only_rounds_count_in_which_both_gave_a_figure() -> None:
    comparison = result(COST, ours=[10, None, 10], default=[20, 40, None]).against(DEFAULT)
    assert comparison is not None
    assert list(comparison.ratio.values) == [2]
    assert result(COST, ours=[10, None], default=[None, 40]).against(DEFAULT) is None


def test_nothing_is_a_multiple_of_no_memory() -> None:
    comparison = result(Metric("copies", "copies"), ours=[0, 1], default=[1, 0]).against(DEFAULT)
    assert comparison is None


def test_the_limit_counts_from_the_floor() -> None:
    metric = Metric("cost", "us", over_floor=100)
    reached = result(metric, ours=[240, 250, 300], floor=[150, 160, 155])
    assert reached.over_floor == 95
    assert reached.verdicts() == {"over floor": True}
    assert "beyond Core alone: 95; aim: at most 100, reached" in report.table(reached)
    assert "beyond Core alone: 145; aim: at most 100, missed" in report.table(result(metric, ours=[300], floor=[155]))


def test_the_faster_floor_is_the_one_that_counts() -> None:
    found = result(Metric("cost", "us", over_floor=100), ours=[240], floor=[150], paged=[130])
    assert found.over_floor == 110
    assert found.verdicts() == {"over floor": False}
    assert summary.lines([found])[0].verdict == "missed: 110"


def test_a_goal_is_for_ours_alone() -> None:
    rate = Metric("rate", "share", more_is_better=True, goal=0.9)
    assert result(rate, ours=[0.95], default=[0.4]).verdicts() == {"goal": True}
    assert result(rate, ours=[0.85], default=[0.4]).verdicts() == {"goal": False}
    cost = Metric("cost", "share", goal=2)
    assert result(cost, ours=[1.5]).verdicts() == {"goal": True}
    assert "aim: at most 2, missed" in report.table(result(cost, ours=[2.5]))


def test_the_table_has_a_line_for_each_contender() -> None:
    metric = Metric("rate", "events per CPU second", more_is_better=True, aims={DEFAULT: 20, FLOOR: 0.5})
    text = report.table(result(metric, ours=[50_000, 60_000], default=[2_000, 2_000], floor=[120_000, 120_000]))
    ours, default, floor = text.splitlines()[2:]
    assert ours.split() == ["invincible", "55,000", "50,000", "..", "60,000"]
    assert default.endswith("27.50x (25.00 .. 30.00) 20x   reached")
    assert floor.endswith("0.46x (0.42 .. 0.50)    0.5x  missed")


def test_the_summary_has_a_line_for_each_figure() -> None:
    rate = Metric("rate", "rate", more_is_better=True, aims={DEFAULT: 20, PAGED: 0.5})
    share = Metric("share", "share", more_is_better=True, digits=2, goal=0.9)
    lines = summary.lines(
        [
            result(rate, ours=[50_000], default=[2_000], paged=[125_000]),
            result(share, ours=[0.95], default=[0.4]),
            result(Metric("mb", "MB"), ours=[5]),
        ]
    )
    assert [line.cells for line in lines] == [
        ("case: rate", "50,000", "25.0x", "", "", "0.40x", "20x, 0.5x", "missed: paged"),
        ("case: share", "0.95", "0.40", "", "", "", "at least 0.9", "reached"),
        ("case: MB", "5", "", "", "", "", "", ""),
    ]


def test_a_contender_that_fails_is_told_and_the_others_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    found = compared(recorded(ours=[10, 10], default=[None, 30]), 2)
    assert found.figures == {OURS: [10, 10], DEFAULT: [None, 30]}
    assert "failed: case, temporalio: out of memory" in capsys.readouterr().err
    comparison = found.against(DEFAULT)
    assert comparison is not None
    assert comparison.ratio.median == 3
    assert "failed in 1" in report.table(found)


def test_a_contender_that_fails_again_takes_no_further_part() -> None:
    case = recorded(ours=[10] * 5, default=[None] * 5)
    found = compared(case, 5)
    assert case.measured.count(DEFAULT) == FAILURES
    assert summary.lines([found])[0].others[0] == "failed"
    assert report.table(found).splitlines()[-1].split() == ["temporalio", "failed"]


def test_contenders_take_turns() -> None:
    case = recorded(ours=[1, 1], default=[2, 2])
    compared(case, 2)
    assert case.measured == [OURS, DEFAULT, OURS, DEFAULT]


def test_the_file_gives_back_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "new" / "figures.json"
    written = [
        result(COST, ours=[10, 20], default=[30, None]),
        Result("group", "other", Metric("rate", "rate", more_is_better=True, goal=0.9), {OURS: [None]}, {OURS: "died"}),
    ]
    results.write(path, {"cpus": 2}, written)
    assert results.read(path) == ({"cpus": 2}, written)
    first = json.loads(path.read_text())["results"][0]
    assert (first["medians"], first["ours_is_better_by"]) == ({OURS: 15, DEFAULT: 30}, {DEFAULT: 3})
    assert first["reached"] == {DEFAULT: True}


def test_a_broken_off_run_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every case is kept as soon as it is there; those that are there are not measured again."""
    file = tmp_path / "figures.json"
    first, second = recorded("first", ours=[10]), recorded("second", ours=[20])

    def break_off(case: Case, *rest: Any) -> list[Result]:
        if case is second:
            raise KeyboardInterrupt
        return compare(case, *rest[:3])

    def facts(*ignored: Any) -> dict[str, Any]:
        return {"date": "today"}

    monkeypatch.setattr(command, "CASES", [first, second])
    monkeypatch.setattr(command, "make_bench", lambda *ignored: None)
    monkeypatch.setattr(command, "_facts", facts)
    monkeypatch.setattr(command, "_measure", break_off)
    monkeypatch.setattr("sys.argv", ["run", "--pairs", "1", "--resume", str(file)])
    with pytest.raises(KeyboardInterrupt):
        command.main()
    assert [each.title for each in results.read(file)[1]] == ["first"]

    monkeypatch.setattr(command, "_measure", lambda case, *rest: compare(case, *rest[:3]))
    assert command.main() == 0
    kept_facts, kept = results.read(file)
    assert kept_facts == {"date": "today"}
    assert [(each.title, each.figures) for each in kept] == [("first", {OURS: [10]}), ("second", {OURS: [20]})]
    assert first.measured == [OURS]


def test_a_resumed_run_tries_again_what_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "figures.json"
    cases = [recorded("first", ours=[None, 10]), recorded("second", ours=[20])]
    monkeypatch.setattr(command, "CASES", cases)
    monkeypatch.setattr(command, "make_bench", lambda *ignored: None)
    monkeypatch.setattr(command, "_facts", lambda *ignored: {})
    monkeypatch.setattr("sys.argv", ["run", "--pairs", "1", "--resume", str(file)])
    assert [command.main(), command.main()] == [1, 0]
    assert [(each.title, each.figures) for each in results.read(file)[1]] == [
        ("first", {OURS: [10]}),
        ("second", {OURS: [20]}),
    ]


def test_a_failure_of_ours_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "CASES", [recorded(ours=[None])])
    monkeypatch.setattr(command, "make_bench", lambda *ignored: None)
    monkeypatch.setattr(command, "_facts", lambda *ignored: {})
    monkeypatch.setattr("sys.argv", ["run", "--pairs", "1"])
    assert command.main() == 1


def test_cases_have_titles_of_their_own() -> None:
    """A resumed run tells them apart by it."""
    titles = [case.title for case in CASES]
    assert len(titles) == len(set(titles))


def test_aims_are_for_those_who_take_part() -> None:
    for case in CASES:
        assert OURS in case.contenders, case.title
        for metric in case.metrics:
            assert metric.aims.keys() <= set(case.contenders), case.title
