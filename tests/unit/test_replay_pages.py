"""A history in pages is replayed as it is in one: each activation is the same, wherever the pages end."""

from __future__ import annotations

import random
import re
from collections.abc import AsyncIterator

import pytest

from invincible._native import Activation, RemoveFromCache
from invincible.client import WorkflowHistory
from invincible.worker import Replayer, _replays, _workflows
from invincible.worker._watchdog import Watch
from tests.histories.catalog import REPLAYER_OPTIONS, names, recording
from tests.support.step_histories import DISTURBANCES, ENDS, KINDS, Steps, Writer, history_of

WHOLE = None
SIZES = (1, 5)


class Recorder:
    """Replays, and notes what the workflow thread was given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, replayer: Replayer) -> None:
        self.replayer = replayer
        self.monkeypatch = monkeypatch
        self.seen: list[object] = []
        self.tries = 0
        process = _workflows.WorkflowThread._process

        def noted(thread: _workflows.WorkflowThread, activation: Activation, watch: Watch) -> None:
            self.note(activation)
            process(thread, activation, watch)

        monkeypatch.setattr(_workflows.WorkflowThread, "_process", noted)

    def note(self, activation: Activation) -> None:
        last = activation.jobs[-1]
        if isinstance(last, RemoveFromCache):
            self.seen.append(last.reason)
        else:
            self.seen.append((_values(activation), [(type(job), _values(job)) for job in activation.jobs]))

    async def replay(self, history: WorkflowHistory, size: int | None) -> tuple[list[object], str]:
        """What counts: the last replay, where a first one was in doubt."""
        self.seen = []
        self.monkeypatch.setattr(_replays, "_EVENTS_PER_PAGE", size)
        result = await self.replayer.replay_workflow(history, raise_on_replay_failure=False)
        ends = [place for place, seen in enumerate(self.seen) if isinstance(seen, int)]
        self.tries = len(ends)
        first = ends[-2] + 1 if len(ends) > 1 else 0
        return self.seen[first:], repr(result.replay_failure)

    async def check(self, history: WorkflowHistory) -> None:
        whole = await self.replay(history, WHOLE)
        for size in SIZES:
            assert await self.replay(history, size) == whole, f"in pages of {size}"


def _values(record: object) -> dict[str, str]:
    values = {name: getattr(record, name) for name in dir(record) if not name.startswith("_")}
    return {name: _text(value) for name, value in values.items()}


def _text(value: object) -> str:
    """Whatever the order of a mapping and the place of an object."""
    return re.sub(" at 0x[0-9a-f]+", "", repr(sorted(value.items()) if isinstance(value, dict) else value))


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    return Recorder(monkeypatch, Replayer(workflows=[Steps]))


@pytest.mark.parametrize("name", names())
async def test_recorded_histories(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    await Recorder(monkeypatch, Replayer(**REPLAYER_OPTIONS)).check(recording(name))


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_of_step_and_each_end(steps: Recorder, kind: str, end: str) -> None:
    await steps.check(history_of(kind.split(",") * 6, end=end))


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("disturbance", DISTURBANCES)
@pytest.mark.parametrize("kind", ["timer", "signal", "update"])
async def test_tasks_that_fail_or_only_go_on(steps: Recorder, kind: str, disturbance: str, end: str) -> None:
    await steps.check(history_of([kind] * 8, end=end, disturbed={2: disturbance, 3: disturbance, 7: disturbance}))


@pytest.mark.parametrize("kind", ["timer", "signal", "update"])
async def test_builds_that_take_turns(steps: Recorder, kind: str) -> None:
    await steps.check(history_of([kind] * 8, builds={-1: "a", 2: "b", 3: "c", 4: "c", 6: "a"}))


@pytest.mark.parametrize("seed", range(20))
async def test_any_steps(steps: Recorder, seed: int) -> None:
    chance = random.Random(seed)
    kinds = [kind for each in KINDS for kind in each.split(",")]
    program = [*chance.choices(kinds, k=chance.randint(1, 25)), "timer"]
    numbers = range(len(program))
    await steps.check(
        history_of(
            program,
            end=chance.choice(ENDS),
            disturbed={chance.choice(numbers): chance.choice(DISTURBANCES) for _ in range(3)},
            builds={chance.choice(numbers): chance.choice("ab") for _ in range(3)},
        )
    )


@pytest.mark.parametrize("size", SIZES)
async def test_changed_code_fails_alike(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Wherever the code leaves the history, which it has in common with other histories up to there."""
    recorder = Recorder(monkeypatch, Replayer(workflows=[Steps]))
    for place in range(6):
        steps = ["timer", "activity", "signal", "local", "timer", "timer", "activity"]
        history = history_of(steps)
        changed = [*steps[:place], "timer" if steps[place] == "activity" else "activity", *steps[place + 1 :]]
        history.events[0].CopyFrom(history_of(changed).events[0])
        whole, failure = await recorder.replay(history, WHOLE)
        assert "NondeterminismError" in failure
        assert await recorder.replay(history, size) == (whole, failure)


@pytest.mark.parametrize("kind", KINDS)
async def test_one_replay_is_enough_unless_something_is_cancelled(steps: Recorder, kind: str) -> None:
    await steps.replay(history_of(kind.split(",") * 6), 1)
    assert steps.tries == (2 if kind == "cancel,timer" else 1)


async def test_what_is_cancelled_far_from_the_end_of_a_page_is_not_in_doubt(steps: Recorder) -> None:
    history = history_of(["timer", "timer", "cancel", *["timer"] * 9])
    assert (await steps.replay(history, 30))[1] == "None"
    assert steps.tries == 1


async def test_code_of_today_that_sleeps_where_a_page_ends(steps: Recorder) -> None:
    """It has left the activity that woke the recorded code: Core wants the next page before the code has answered."""
    writer = Writer(["cancel", "timer", "timer"])
    writer.start_task()
    writer.complete_task()
    activity = writer.activity(0)
    writer.fire(writer.timer())
    writer.start_task()
    writer.complete_task()
    timer = writer.timer()
    writer.end_activity(activity)
    writer.start_task()
    writer.complete_task()
    writer.timer()
    writer.fire(timer)
    writer.start_task()
    writer.complete_task()
    history = WorkflowHistory("steps", list(writer.history.events))

    whole = await steps.replay(history, WHOLE)
    assert "NondeterminismError" in whole[1]
    assert await steps.replay(history, 12) == whole
    assert steps.tries == 2


@pytest.mark.parametrize("kind", ["timer", "activity", "signal,timer", "update,activity", "local,timer"])
async def test_long_histories(kind: str) -> None:
    async def histories() -> AsyncIterator[WorkflowHistory]:
        for count in (20, 200, 1_000):
            yield history_of(kind.split(",") * count, run_id=f"run-{count}")

    results = await Replayer(workflows=[Steps]).replay_workflows(histories())
    assert results.replay_failures == {}
