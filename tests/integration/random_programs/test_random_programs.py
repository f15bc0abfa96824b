"""Generated workflows, run live with evictions and restarts of workers, and replayed: they do the same each time.

Each run of the test takes other programs; it prints the seed that they are made from. The same programs again:

    INVINCIBLE_SEED=1234 pytest tests/integration/random_programs

A failure shows the smallest program that failed, with its own seed. That program alone, many times side by side:

    INVINCIBLE_PROGRAM=5678 pytest tests/integration/random_programs

What happens at the same time happens in another order each time, so that a failure may need several runs to show again.
"""

from __future__ import annotations

import os
import random

import pytest

from invincible._engine.randomness import Randomness
from invincible.client import Client

from .interpreter import Interpreter
from .programs import Program, Step, kinds, program
from .stage import Stage

# What the programs of the other tests are made from.
SEED = 7

PROGRAMS = 500
TIMES = 40
TIMEOUT = 240.0


@pytest.mark.timeout(TIMEOUT + 50)
async def test_programs_do_the_same_when_they_are_replayed(
    client: Client, task_queue: str, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("INVINCIBLE_SEED") or random.SystemRandom().randrange(10**9))
    alone = os.environ.get("INVINCIBLE_PROGRAM")
    stage = Stage(client, task_queue, [program(int(alone))] * TIMES if alone else _programs(seed, PROGRAMS), seed)
    with capsys.disabled():
        print(f"\nrandom programs: INVINCIBLE_SEED={seed}")
    await stage.play(timeout=TIMEOUT)
    with capsys.disabled():
        print(f"random programs: {stage.summary()}")
    if stage.findings:
        finding = min(stage.findings, key=lambda finding: finding.program.size if finding.program else 0)
        again = f"INVINCIBLE_PROGRAM={finding.program.seed}" if finding.program else f"INVINCIBLE_SEED={seed}"
        pytest.fail(f"{len(stage.findings)} findings, of which this is the smallest; again: {again}\n{finding}", False)


async def test_what_differs_on_replay_is_found(
    client: Client, task_queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Randomness, "generator", property(lambda self: random.Random()))
    stage = Stage(client, task_queue, _programs(SEED, 60), SEED)
    await stage.play(timeout=60)
    assert any("when replayed" in finding.explanation for finding in stage.findings), stage.findings


def test_programs_are_made_of_everything() -> None:
    used: set[tuple[str, str]] = set()

    def look(steps: list[Step]) -> None:
        for step in steps:
            used.add((step.kind, step.mode))
            assert hasattr(Interpreter, f"do_{step.kind}")
            look(step.steps)

    programs = _programs(SEED, PROGRAMS)
    for each in programs:
        look(each.steps)
    assert used == {(kind, mode) for kind, modes in kinds().items() for mode in modes}
    assert [program(each.seed) for each in programs] == programs


def _programs(seed: int, count: int) -> list[Program]:
    source = random.Random(seed)
    return [program(source.randrange(10**9)) for _ in range(count)]
