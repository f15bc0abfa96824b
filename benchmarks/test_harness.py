"""The parts of the benchmarks that run programs: answers, deadlines, translation. No SDK and no server is needed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from benchmarks.harness import cores, process, setup
from benchmarks.harness.process import ProcessError, Talker, run

ANSWERS_EACH_LINE = "import sys\nfor line in sys.stdin: print('{\"answer\": 42}', flush=True)"


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
        assert theirs == ours.replace("invincible", "temporalio")
