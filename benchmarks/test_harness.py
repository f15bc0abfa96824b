"""The parts of the benchmarks that could lie: ratios, aims, deadlines, translation. No SDK and no server is needed."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from benchmarks.harness import cores, process, report, setup
from benchmarks.harness.cases import DEFAULT, FLOOR, OURS, Metric
from benchmarks.harness.process import ProcessError, Talker, run
from benchmarks.harness.results import Result, Spread

ANSWERS_EACH_LINE = "import sys\nfor line in sys.stdin: print('{\"answer\": 42}', flush=True)"


def result(metric: Metric, **figures: list[float]) -> Result:
    names = {"ours": OURS, "default": DEFAULT, "floor": FLOOR}
    return Result("case", metric, {names[name]: Spread(values) for name, values in figures.items()})


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
    assert result(Metric("cost", "us", aims={DEFAULT: 5}), default=[1]).against(DEFAULT) is None


def test_the_limit_counts_from_the_floor() -> None:
    metric = Metric("cost", "us", over_floor=100)
    reached = result(metric, ours=[240, 250, 300], floor=[150, 160, 155])
    assert reached.over_floor == 95
    assert "beyond Core alone: 95; aim: at most 100, reached" in report.table(reached)
    assert "beyond Core alone: 145; aim: at most 100, missed" in report.table(result(metric, ours=[300], floor=[155]))


def test_the_table_has_a_line_for_each_contender() -> None:
    metric = Metric("rate", "events per CPU second", more_is_better=True, aims={DEFAULT: 20, FLOOR: 0.5})
    text = report.table(result(metric, ours=[50_000, 60_000], default=[2_000, 2_000], floor=[120_000, 120_000]))
    ours, default, floor = text.splitlines()[2:]
    assert ours.split() == ["invincible", "55,000", "50,000", "..", "60,000"]
    assert default.endswith("27.50x (25.00 .. 30.00) 20x   reached")
    assert floor.endswith("0.46x (0.42 .. 0.50)    0.5x  missed")


def test_the_file_has_every_value(tmp_path: Path) -> None:
    path = tmp_path / "new" / "figures.json"
    metric = Metric("cost", "us", aims={DEFAULT: 2})
    report.write_json(path, {"cpus": 2}, [result(metric, ours=[10, 20], default=[30, 40])])
    document = json.loads(path.read_text())
    assert document["cpus"] == 2
    contenders = document["results"][0]["contenders"]
    assert contenders[OURS]["values"] == [10, 20]
    assert contenders[DEFAULT]["ours_is_better_by"] == {"median": 2.5, "least": 2, "most": 3}
    assert contenders[DEFAULT]["reached"] is True


def test_a_program_that_fails_is_named_with_its_error_output() -> None:
    with pytest.raises(ProcessError, match=r"ended with status 3:\n.*no such history"):
        run([sys.executable, "-c", "import sys; print('no such history', file=sys.stderr); sys.exit(3)"], {})


def test_an_answer_counts_whatever_the_exit(capfd: pytest.CaptureFixture[str]) -> None:
    assert run([sys.executable, "-c", "print('{}', flush=True); import os; os.abort()"], {}) == {}
    assert "gave its answer and ended with status -6" in capfd.readouterr().err


def test_log_lines_are_no_answers() -> None:
    program = "print('WARN one'); print('{\"answer\": 42}'); print('WARN two', flush=True)"
    with Talker([sys.executable, "-c", program], {}) as talker:
        assert talker.answer() == {"answer": 42}
    assert run([sys.executable, "-c", "print('WARN'); print('{}')"], {}) == {}


def test_a_program_without_an_answer_is_an_error() -> None:
    with pytest.raises(ProcessError, match="printed 0 answers, not one:\nhello"):
        run([sys.executable, "-c", "print('hello')"], {})


def test_a_talker_answers_until_its_input_ends() -> None:
    with Talker([sys.executable, "-c", ANSWERS_EACH_LINE], {}) as talker:
        assert talker.ask() == {"answer": 42}
        assert talker.ask() == {"answer": 42}


def test_a_talker_that_dies_is_an_error() -> None:
    with (
        pytest.raises(ProcessError, match="ended without an answer"),
        Talker([sys.executable, "-c", "input()"], {}) as talker,
    ):
        talker.ask()


def test_a_talker_that_stays_silent_is_killed_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "DEADLINE_SECONDS", 0.2)
    with (
        pytest.raises(ProcessError, match="did not answer"),
        Talker([sys.executable, "-c", "import time; time.sleep(600)"], {}) as talker,
    ):
        talker.answer()
    assert talker.returncode is not None


def test_the_cores_are_kept_awake_at_idle_priority_and_only_meanwhile() -> None:
    with cores.awake() as spinners:
        assert len(spinners) == len(os.sched_getaffinity(0))
        assert {os.sched_getscheduler(spinner) for spinner in spinners} == {os.SCHED_IDLE}
    for spinner in spinners:
        with pytest.raises(ProcessLookupError):
            os.kill(spinner, 0)


def test_the_peer_runs_the_same_scenarios(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(setup, "BUILD", tmp_path)
    folder = setup.translated_scenarios()
    for source in (setup.BENCHMARKS / "scenarios").glob("*.py"):
        ours, theirs = source.read_text(encoding="utf-8"), (folder / source.name).read_text(encoding="utf-8")
        assert "from temporalio" in theirs or "import temporalio" in theirs
        assert theirs.replace("temporalio", "invincible") == ours
