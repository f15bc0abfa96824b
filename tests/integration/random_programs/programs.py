"""Programs: small trees of steps, made from a seed.

Each ends by itself: every wait has an end, which comes within milliseconds, and nothing is repeated.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

CACHE_SIZES = (0, 1, 2, 1000)
"""Sizes of workers' caches: none, less room than there are runs, and enough."""

_MOST_STEPS = 14
_MOST_STEPS_OF_A_CHILD = 4
_DEEPEST = 4


@dataclass(frozen=True)
class Step:
    """One thing to do.

    Args:
        kind: What it is; the interpreter has a method of this name.
        name: Names it in the program.
        mode: Which way to do it.
        millis: How long it takes, waits or lets others run.
        count: A number that it needs.
        raises: Whether it passes its failure on to the steps around it.
        steps: The steps that it is made of.
    """

    kind: str
    name: str
    mode: str = ""
    millis: int = 0
    count: int = 0
    raises: bool = False
    steps: list[Step] = field(default_factory=list)

    def lines(self, indent: str = "") -> Iterator[str]:
        """The step in words."""
        words = [self.kind, self.name, self.mode]
        words += [f"{self.millis} ms"] if self.millis else []
        words += [f"count {self.count}"] if self.count else []
        words += ["raises"] if self.raises else []
        yield indent + " ".join(filter(None, words))
        for step in self.steps:
            yield from step.lines(indent + "  ")


@dataclass(frozen=True)
class Stimulus:
    """What comes to a run from outside.

    Args:
        after: When: after so many entries in the ledger.
        kind: What: ``add``, ``work`` and ``late`` are signals, ``bump`` and ``refused`` updates;
            then ``evict`` and ``cancel``.
        value: A number for it.
    """

    after: int
    kind: str
    value: int


@dataclass(frozen=True)
class Program:
    """What a workflow does, what comes to it meanwhile, and the size of its worker's cache."""

    seed: int
    cache: int
    steps: list[Step]
    stimuli: list[Stimulus]

    def __str__(self) -> str:
        lines = [f"program {self.seed}, on a worker that keeps {self.cache} runs"]
        lines += [line for step in self.steps for line in step.lines("  ")]
        lines += [f"  after {each.after} entries: {each.kind} {each.value}" for each in self.stimuli]
        return "\n".join(lines)

    @property
    def size(self) -> int:
        """How much there is to read."""
        return len(str(self).splitlines())


def program(seed: int) -> Program:
    """The program of a seed."""
    author = _Author(random.Random(seed), updated=seed % 2 == 0)
    steps = author.body(_MOST_STEPS)
    if author.chance(0.1):
        next_run = author.body(_MOST_STEPS_OF_A_CHILD)
        steps.append(Step("continue_as_new", author.name(), steps=next_run))
    return Program(seed, author.random.choice(CACHE_SIZES), steps, author.stimuli())


class _Author:
    """Writes one program.

    Args:
        source: Where it takes its ideas from.
        updated: Whether the program gets updates. The server may tell the time of a task that it makes for an update
            otherwise when it has recorded the task, so such a program does not look at the clock.
    """

    def __init__(self, source: random.Random, *, updated: bool) -> None:
        self.random = source
        self._updated = updated
        self._names = 0

    def name(self) -> str:
        self._names += 1
        return f"s{self._names}"

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def body(self, most: int, depth: int = 0, *, exclusive: bool = False, child: bool = False) -> list[Step]:
        """Steps, not many more than ``most`` with all that they are made of.

        Args:
            most: How many.
            depth: How deep in the tree.
            exclusive: Whether a lock is held, so that waiting for one could be for ever.
            child: Whether the steps are those of a child workflow, which has no children.
        """
        left = self.random.randint(max(1, most // 2), most)
        steps = []
        while left > 0:
            step = self._step(left, depth, exclusive=exclusive, child=child)
            left -= sum(1 for _ in step.lines())
            steps.append(step)
        return steps

    def _step(self, most: int, depth: int, *, exclusive: bool, child: bool) -> Step:
        compound = most > 2 and depth < _DEEPEST and self.chance(0.55)
        kinds = _COMPOUND if compound else _SIMPLE
        (kind,) = self.random.choices(list(kinds), [weight for weight, _ in kinds.values()])
        if (exclusive and kind == "locked") or (child and kind == "child"):
            kind = "gather"
        elif self._updated and kind == "clock":
            kind = "turns"
        modes = kinds[kind][1]
        name = self.name()
        steps: list[Step] = []
        if kind == "child":
            steps = self.body(_MOST_STEPS_OF_A_CHILD, depth + 1, child=True)
        elif compound:
            exclusive = exclusive or kind == "locked"
            steps = [
                step
                for _ in range(self.random.randint(2, 3))
                for step in self.body(max(1, (most - 1) // 3), depth + 1, exclusive=exclusive, child=child)
            ]
        return Step(
            kind,
            name,
            mode=self.random.choice(modes),
            millis=self.random.choice((0, 1, 1, 3, 5, 10, 20, 40)),
            count=self.random.randint(0, 4),
            raises=self.chance(0.25),
            steps=steps,
        )

    def stimuli(self) -> list[Stimulus]:
        """What comes from outside while the steps are carried out, in the order in which it comes."""
        kinds = {"add": 5, "work": 5, "late": 3, "evict": 5}
        if self._updated:
            kinds |= {"bump": 6, "refused": 2}
        # No queries: Core answers one of a run that is not cached by replaying its unfinished task too.
        chosen = self.random.choices(list(kinds), list(kinds.values()), k=self.random.randint(0, 6))
        if self.chance(0.1):
            chosen.append("cancel")
        stimuli = [Stimulus(self.random.randint(0, 40), kind, self.random.randint(1, 6)) for kind in chosen]
        return sorted(stimuli, key=lambda stimulus: stimulus.after)


def kinds() -> Mapping[str, Collection[str]]:
    """The kinds of steps, and the modes of each."""
    return {kind: set(modes) for kind, (_, modes) in (_SIMPLE | _COMPOUND).items()} | {"continue_as_new": {""}}


# Weights and modes by kind.
_Kinds = dict[str, tuple[int, tuple[str, ...]]]

_SIMPLE: _Kinds = {
    "activity": (6, ("ok", "ok", "retried", "fatal", "exhausted")),
    "local_activity": (4, ("ok", "ok", "retried", "backoff", "fatal", "exhausted")),
    "interrupted": (3, ("activity at once", "activity", "activity later", "local at once", "local", "local later")),
    "sleep": (5, ("workflow", "asyncio", "callback")),
    "turns": (2, ("",)),
    "condition": (5, ("",)),
    "signal": (4, ("self", "sibling")),
    "queue": (3, ("put", "get")),
    "event": (2, ("set", "wait", "clear")),
    "upsert": (2, ("memo", "attribute", "details")),
    "clock": (1, ("",)),
    "handler": (2, ("",)),
    "fail": (1, ("",)),
}

_COMPOUND: _Kinds = {
    "gather": (5, ("raise", "collect")),
    "group": (4, ("raise",)),
    "tasks": (3, ("",)),
    "wait": (4, ("FIRST_COMPLETED", "FIRST_EXCEPTION", "ALL_COMPLETED", "cancel", "in time")),
    "completed": (3, ("for ever", "in time")),
    "cancel": (4, ("at once", "turns", "later")),
    "in_time": (4, ("wait_for", "timeout")),
    "shielded": (3, ("",)),
    "background": (2, ("",)),
    "cleanup": (3, ("",)),
    "stubborn": (2, ("",)),
    "locked": (4, ("lock", "semaphore")),
    "branch": (3, ("random", "uuid4", "new_random", "patched", "deprecated", "total")),
    "child": (
        6,
        ("result", "result", "signalled", "cancelled", "scope", "external", "abandoned", "terminated", "asked"),
    ),
}
