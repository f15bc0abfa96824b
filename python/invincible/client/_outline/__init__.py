"""Histories as people read them: what was scheduled, how long it took, what came of it.

for each in outline(history.events):
    print(each)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from .drawing import View, footer_lines, header_lines, step_lines
from .lines import Line
from .pending import add_pending
from .steps import Run

if TYPE_CHECKING:
    from invincible.api.history.v1 import HistoryEvent
    from invincible.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

_NEVER = datetime.min.replace(tzinfo=timezone.utc)

__all__ = ["Line", "Run", "View", "add_pending", "outline", "run_lines"]


def outline(
    events: Iterable[HistoryEvent],
    *,
    description: DescribeWorkflowExecutionResponse | None = None,
    now: datetime | None = None,
    width: int | None = None,
    full: bool = False,
) -> Iterator[Line]:
    """Draws the history of a run. Asks nobody for anything: payloads are shown as they are in the events.

    Args:
        events: The history, from its first event on.
        description: What the server tells of the run, for attempts of what is open.
        now: The present time, for what is open; the end of the history if ``None``.
        width: Characters in a line, which values are shortened to.
        full: Whether nothing is shortened, and stack traces are shown.

    Returns:
        Lines, whose ``str`` is their text.
    """
    run, view = Run.of(events), View(now, width, full)
    if description is not None:
        add_pending(run, description, now or datetime.now().astimezone())
    return run_lines(run, view)


def run_lines(run: Run, view: View) -> Iterator[Line]:
    """Draws a run: header, steps, footer."""
    yield from header_lines(run, view)
    yield Line()
    # Local activities are told of when they end.
    for step in sorted(run.steps, key=lambda step: step.began or run.began or _NEVER):
        yield from step_lines(run, step, view)
    if run.steps:
        yield Line()
    yield from footer_lines(run, view)
