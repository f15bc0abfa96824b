"""The watchdog, over threads that run no workflows: what it counts, what it interrupts, what it leaves alone."""

from __future__ import annotations

import math
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest

from invincible.converter import _json
from invincible.worker import _watchdog
from invincible.worker._watchdog import (
    DeadlockError,
    OverrunError,
    Watch,
    WorkflowInterrupt,
    deadlock_error,
    deadlock_timeout_seconds,
    watchdog,
)

BUDGET = 0.2
TICK = 0.01
DEADLINE = 30.0


class Watched:
    """Runs functions on this thread as workflow code runs, and remembers what the watchdog did."""

    def __init__(self, budget: float = BUDGET) -> None:
        self.overruns: list[tuple[Any, types.FrameType | None]] = []
        self.errors: list[DeadlockError] = []
        self.stuck = threading.Event()
        self.budget = budget
        self.watch = Watch(TICK, lambda armed: self.budget, self._overrun, lambda armed: self.stuck.set())

    def _overrun(self, armed: Any, frame: types.FrameType | None) -> None:
        self.overruns.append((armed, frame))
        self.errors.append(deadlock_error("Order 'order-42'", self.budget, frame))

    def run(self, code: Callable[[], object]) -> None:
        self.watch.armed.append(object())
        try:
            try:
                code()
            finally:
                self.watch.disarm()
        except WorkflowInterrupt:  # on the way out
            self.watch.leave()
            raise OverrunError from None


@contextmanager
def watched(budget: float = BUDGET) -> Iterator[Watched]:
    each = Watched(budget)
    each.watch.begin()
    watchdog.add(each.watch)
    try:
        yield each
    finally:
        watchdog.remove(each.watch)


def loop_forever() -> None:
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        pass
    raise AssertionError("the watchdog did not interrupt")


def test_a_busy_loop_is_interrupted_and_the_error_names_its_line() -> None:
    with watched() as it:
        with pytest.raises(OverrunError):
            it.run(loop_forever)
        assert it.watch.armed == []
    (error,) = it.errors
    message = str(error)
    assert message.startswith(
        "[TMPRL1101] Potential deadlock detected: workflow Order 'order-42' did not yield within 0.2 s"
    )
    assert "test_watchdog.py:" in message
    assert "in loop_forever: " in message
    assert error.__traceback__ is not None


def test_catching_exceptions_does_not_help() -> None:
    def swallow() -> None:
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            try:
                loop_forever()
            except Exception:
                continue

    with watched() as it, pytest.raises(OverrunError):
        it.run(swallow)


def test_a_bare_except_is_interrupted_again_and_the_result_does_not_count() -> None:
    interrupts: list[type[BaseException]] = []

    def swallow() -> str:
        while len(interrupts) < 3:
            try:
                loop_forever()
            except BaseException as error:
                interrupts.append(type(error))
        return "a result of which nothing counts"

    with watched() as it, pytest.raises(OverrunError):
        it.run(swallow)
    assert interrupts == [WorkflowInterrupt] * 3
    assert len(it.overruns) == 1


def test_no_interrupt_comes_after_workflow_code_has_ended() -> None:
    def overrun_without_noticing() -> None:
        # The interrupt is due when this thread is back in Python code: as late as it gets.
        began = len(it.overruns)
        while len(it.overruns) == began:
            with suppress(WorkflowInterrupt):
                time.sleep(0.001)

    with watched(0.03) as it:
        for _ in range(20):
            with pytest.raises(OverrunError):
                it.run(overrun_without_noticing)
            for _ in range(1000):
                pass
        assert len(it.overruns) == 20


def test_a_blocking_call_is_given_up_and_the_interrupt_comes_when_it_returns() -> None:
    release = threading.Event()
    outcome: list[BaseException] = []

    def block() -> None:
        with watched() as it:
            watches.append(it)
            ready.set()
            try:
                it.run(lambda: release.wait(DEADLINE))
            except BaseException as error:
                outcome.append(error)

    watches: list[Watched] = []
    ready = threading.Event()
    thread = threading.Thread(target=block, daemon=True)
    thread.start()
    assert ready.wait(DEADLINE)
    (it,) = watches
    assert it.stuck.wait(DEADLINE)
    assert it.watch.superseded
    release.set()
    thread.join(DEADLINE)
    assert [type(error) for error in outcome] == [OverrunError]


def test_many_short_activations_are_none_of_its_business() -> None:
    with watched(0.05) as it:
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            it.run(lambda: None)
    assert it.overruns == []


class Scripted:
    """A watch that is looked at by hand, with a stack and a CPU clock of the test's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, frame: types.FrameType | None = None) -> None:
        self.it = Watched(budget=1.0)
        self.cpu = 0.0
        monkeypatch.setattr(_watchdog, "_interrupt", lambda thread_id, exception: None)
        monkeypatch.setattr(sys, "_current_frames", lambda: {0: frame})
        monkeypatch.setattr(self.it.watch, "_cpu_seconds", lambda: self.cpu)
        monkeypatch.setattr(self.it.watch, "_cpu_clock", 1)
        self.it.watch.armed.append(object())
        self.it.watch.look(0.1, prompt=True)

    def look(self, times: int, *, worked: float, prompt: bool) -> bool:
        for _ in range(times):
            self.cpu += worked
            self.it.watch.look(0.1, prompt=prompt)
        return bool(self.it.overruns)


def test_time_passes_in_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    scripted = Scripted(monkeypatch)
    assert not scripted.look(9, worked=0.1, prompt=True)
    assert scripted.look(2, worked=0.1, prompt=True)


def test_among_busy_threads_only_its_own_work_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    scripted = Scripted(monkeypatch)
    assert not scripted.look(30, worked=0.03, prompt=False)
    assert scripted.look(10, worked=0.03, prompt=False)


def test_a_thread_that_waits_among_busy_threads_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    scripted = Scripted(monkeypatch)
    assert scripted.look(11, worked=0.0, prompt=False)


def frame_in(path: str) -> types.FrameType:
    """The frame of code that claims to be in this file."""
    namespace: dict[str, Any] = {}
    exec(compile("import sys\ndef here(): return sys._getframe()", path, "exec"), namespace)
    frame = namespace["here"]()
    assert isinstance(frame, types.FrameType)
    return frame


@pytest.mark.parametrize(
    "path", ["/usr/lib/python3/bdb.py", "/usr/lib/python3/pdb.py", "/x/pydevd/pydevd.py", "/x/debugpy/a.py"]
)
def test_time_in_a_debugger_does_not_count(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    scripted = Scripted(monkeypatch, frame=frame_in(path))
    assert not scripted.look(100, worked=0.0, prompt=True)


def test_conversion_counts_for_a_tenth(monkeypatch: pytest.MonkeyPatch) -> None:
    scripted = Scripted(monkeypatch, frame=frame_in(_json.__file__))
    assert not scripted.look(90, worked=0.1, prompt=True)
    assert scripted.look(20, worked=0.1, prompt=True)


def test_a_late_look_counts_for_one_tick() -> None:
    """The watchdog that was asleep for long, as in a stopped process, says so to no watch."""
    looks: list[float] = []

    class Slow(Watch):
        def look(self, seconds: float, *, prompt: bool) -> None:
            looks.append(seconds)
            time.sleep(5 * TICK)
            if len(looks) == 3:
                done.set()

    done = threading.Event()
    watch = Slow(TICK, lambda armed: 1.0, lambda armed, frame: None, lambda armed: None)
    watchdog.add(watch)
    try:
        assert done.wait(DEADLINE)
    finally:
        watchdog.remove(watch)
    assert max(looks) <= TICK


def test_the_thread_runs_only_while_there_is_something_to_watch() -> None:
    def watchdogs() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name == "invincible-watchdog"]

    with watched():
        (thread,) = watchdogs()
    thread.join(DEADLINE)
    assert watchdogs() == []
    with watched():
        assert len(watchdogs()) == 1


@pytest.mark.parametrize(
    ("timeout", "debug_mode", "variable", "seconds"),
    [
        (timedelta(seconds=3), False, None, 3.0),
        (timedelta(seconds=3), True, None, None),
        (timedelta(seconds=3), False, "1", None),
        (None, False, None, math.inf),
        (None, True, None, None),
    ],
)
def test_the_budget_of_a_worker(
    monkeypatch: pytest.MonkeyPatch,
    timeout: timedelta | None,
    debug_mode: bool,
    variable: str | None,
    seconds: float | None,
) -> None:
    monkeypatch.delenv("TEMPORAL_DEBUG", raising=False)
    if variable is not None:
        monkeypatch.setenv("TEMPORAL_DEBUG", variable)
    assert deadlock_timeout_seconds(timeout, debug_mode=debug_mode) == seconds


def test_a_budget_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="None turns the watchdog off"):
        deadlock_timeout_seconds(timedelta(), debug_mode=False)
