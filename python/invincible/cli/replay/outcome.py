"""What came of a replay, in words, as JSON and as a JUnit report."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any
from xml.etree import ElementTree

from invincible._engine.explain import user_frame
from invincible.worker import Replayer
from invincible.worker._failures import text_of
from invincible.workflow import NondeterminismError

from .._output import clean
from .sources import Source


@dataclass(frozen=True)
class Outcome:
    """What came of one history; ``error`` is ``None`` if it fits the code."""

    history: str
    workflow_id: str | None
    run_id: str | None
    workflow_type: str | None
    seconds: float
    error_type: str | None = None
    error: str | None = None

    @property
    def ok(self) -> bool:
        """Whether the history fits the code."""
        return self.error is None

    @property
    def text(self) -> str:
        """One line if it fits, some more if it does not."""
        if self.error is None:
            return clean(f"ok      {self.history} ({self.workflow_type} {self.workflow_id!r})")
        lines = clean(f"{self.error_type}: {self.error}", lines=True).splitlines()
        return "\n        ".join((clean(f"FAILED  {self.history}"), *lines))

    @property
    def json(self) -> dict[str, Any]:
        """All of it."""
        told = asdict(self)
        del told["seconds"]
        return told | {"ok": self.ok}


async def replayed(replayer: Replayer, source: Source) -> Outcome:
    """Replays a history."""
    history, problem = source.history, source.problem
    if history is None:
        assert problem is not None
        return Outcome(source.name, None, None, None, 0.0, type(problem).__name__, text_of(problem))
    workflow_type = run_id = None
    began = perf_counter()
    try:
        started = history.events[0].workflow_execution_started_event_attributes if history.events else None
        if started is not None:
            workflow_type, run_id = started.workflow_type.name, started.original_execution_run_id
        problem = (await replayer.replay_workflow(history, raise_on_replay_failure=False)).replay_failure
    except ValueError as error:  # it is no whole history
        problem = error
    named = (source.name, history.workflow_id, run_id, workflow_type, perf_counter() - began)
    return Outcome(*named) if problem is None else Outcome(*named, type(problem).__name__, _told(problem))


def write_junit(outcomes: Sequence[Outcome], file: Path) -> None:
    """Write a report that CI systems show, a test case for each history.

    Raises:
        OSError: The file cannot be written.
    """
    suite = ElementTree.Element(
        "testsuite",
        name="invincible replay",
        tests=str(len(outcomes)),
        failures=str(sum(not outcome.ok for outcome in outcomes)),
        errors="0",
        time=f"{sum(outcome.seconds for outcome in outcomes):.3f}",
    )
    for outcome in outcomes:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=clean(outcome.workflow_type or "history"),
            name=clean(outcome.history),
            time=f"{outcome.seconds:.3f}",
        )
        if outcome.error is not None:
            problem = ElementTree.SubElement(case, "failure", type=outcome.error_type or "")
            text = clean(outcome.error, lines=True)
            problem.set("message", text.partition("\n")[0])
            problem.text = text
    ElementTree.ElementTree(suite).write(file, encoding="utf-8", xml_declaration=True)


def _told(problem: Exception) -> str:
    """A failure in words, with its place in the workflow code if it came out of that."""
    place = ""
    if not isinstance(problem, NondeterminismError):
        for frame, line in traceback.walk_tb(problem.__traceback__):
            if user_frame(frame) is frame:
                place = f" at {frame.f_code.co_filename}:{line}, in {frame.f_code.co_name}"
    return f"{text_of(problem)}{place}"
