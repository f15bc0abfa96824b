"""Runs as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from .failures import failure_lines, told
from .lines import Line, Style, line
from .steps import Run, State, Step
from .text import clean, duration_text, shortened
from .values import AnyPayload, value_text, values_text

_SYMBOLS: dict[State, tuple[str, Style]] = {
    "open": ("…", "warn"),
    "done": ("✓", "good"),
    "failed": ("✗", "bad"),
    "timed out": ("✗", "bad"),
    "cancelled": ("⊘", "warn"),
    "terminated": ("✗", "bad"),
    "told": ("•", "dim"),
}
_STATUS: dict[str, Style] = {"completed": "good", "failed": "bad", "timed out": "bad", "terminated": "bad"}
_CALLS = frozenset({"activity", "local activity", "child workflow", "signal", "update", "Nexus operation"})
_OFFSET = 9  # width of the times since the start
_VALUE = 120  # characters of a value where the width is not known
_MOST_WAITING = 5


@dataclass(frozen=True)
class View:
    """How an outline is drawn.

    Attributes:
        now: The present time, for what is open; the end of the history if ``None``.
        width: Characters in a line, which values are shortened to; if ``None``, each to a length of its own.
        full: Whether nothing is shortened, and stack traces are shown.
    """

    now: datetime | None = None
    width: int | None = None
    full: bool = False


def header_lines(run: Run, view: View) -> Iterator[Line]:
    """Which run it is, and how it stands."""
    name = clean(run.workflow_type) or "workflow"
    length = None if run.began is None else (run.ended or _present(run, view)) - run.began
    status: tuple[str, Style] = (run.status, _STATUS.get(run.status, "warn"))
    if run.paused_since is not None:
        status = ("paused, running", "warn")
    preposition = "for" if run.ended is None else "after" if run.status != "completed" else "in"
    lasted = "" if length is None else f" {preposition} {duration_text(max(length, timedelta(0)))}"
    yield line((clean(run.workflow_id), "strong"), "  ", name, "  ", status, (lasted, ""))
    began = "" if run.began is None else run.began.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    fields = [("run", run.run_id), ("queue", run.task_queue), ("started", began), *run.notes]
    width = max(len(name) for name, _ in fields)
    for name, value in fields:
        if value:
            yield line((f"  {name:<{width}}  ", "dim"), clean(value))
    if run.inputs:
        limit = None if view.full else (view.width or _VALUE + width + 4) - width - 4
        for number, payload in enumerate(run.inputs):
            yield line((f"  {'' if number else 'input':<{width}}  ", "dim"), (value_text(payload, limit), "value"))


def step_lines(run: Run, step: Step, view: View) -> Iterator[Line]:
    """A step: what it was, how long it took, what came of it."""
    offset = "" if run.began is None or step.began is None else f"+{duration_text(step.began - run.began)}"
    start: list[tuple[str, Style] | str] = [(f"{offset:>{_OFFSET}} ", "dim"), _SYMBOLS[step.state], " "]
    what = f"{step.kind} " if step.name or step.duration is not None else step.kind
    name = clean(step.name) if step.duration is None else duration_text(step.duration)
    tail = _tail(step, run, view)
    summary = "" if step.summary is None else f"  {value_text(step.summary, None if view.full else 60)}"
    notes = "".join(f", {clean(note)}" for note in step.notes)
    notes = f" ({notes[2:]})" if notes else ""
    used = _OFFSET + 3 + sum(map(len, (what, name, summary, notes, tail)))
    arguments, result = _values(step, None if view.full else view.width, used, shorten=not view.full)
    called = f"({arguments})" if step.kind in _CALLS and step.name else ""
    yield line(
        *start,
        (what, "dim" if step.name else ""),
        (name, "strong"),
        (called, ""),
        (summary, "dim"),
        (notes, "dim"),
        (" → " if result else "", "dim"),
        (result, "value"),
        (tail, "dim" if step.state != "open" else "warn"),
    )
    indent = _OFFSET + 3
    if step.last_failure is not None and step.attempt > 1:
        yield from _last_failure(step, view, indent)
    if step.failure is not None and not _plain_timeout(step) and not _only_says_cancelled(step):
        style: Style = "warn" if step.state == "cancelled" else "bad"
        for each in failure_lines(step.failure, full=view.full, style=style, unwrap=True):
            yield each.indented(indent)


def footer_lines(run: Run, view: View) -> Iterator[Line]:
    """How the run ended, or what it waits for."""
    limit = None if view.full else (view.width or _VALUE + 10) - 10
    notes = "".join(f", {clean(note)}" for note in run.ending)
    if run.ended is None:
        yield line(("waits for ", "dim"), (waits_for(run, view), "warn"))
        return
    if run.status == "completed":
        result = values_text(run.result, limit) or "nothing"
        yield line(("result  ", "dim"), (result, "value"), (notes, "dim"))
        return
    details = values_text(run.result, limit)
    style = _STATUS.get(run.status, "warn")
    yield line((run.status, style), (f" with {details}" if details else "", "value"), (notes, "dim"))
    if run.failure is not None:
        for each in failure_lines(run.failure, full=view.full):
            yield each.indented(2)


def waits_for(run: Run, view: View, *, detailed: bool = False) -> str:
    """What a run that is open waits for, in words.

    Args:
        run: The run.
        view: How it is drawn.
        detailed: Whether to tell how each stands, where no lines above do.
    """
    if run.paused_since is not None:
        since = duration_text(max(_present(run, view) - run.paused_since, timedelta(0)))
        return f"somebody to unpause it: paused for {since}{clean(f' by {run.paused_by}' if run.paused_by else '')}"
    if run.waits_since is not None:
        since = duration_text(max(_present(run, view) - run.waits_since, timedelta(0)))
        if run.task_attempt > 1:
            return f"its workflow task, which fails: attempt {run.task_attempt}, for {since} now"
        if run.task_started:
            return f"a worker that has its workflow task (for {since})"
        return f"a worker of task queue {clean(run.task_queue)!r} to take its workflow task (for {since})"
    waiting = run.open
    if not waiting:
        return "a signal or an update, or a cancellation"
    names = [
        f"{_short_name(step)} ({_tail(step, run, view).strip()})" if detailed else _short_name(step)
        for step in waiting[:_MOST_WAITING]
    ]
    more = len(waiting) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _short_name(step: Step) -> str:
    name = clean(step.name) if step.duration is None else duration_text(step.duration)
    return f"{step.kind} {name}".rstrip()


def _tail(step: Step, run: Run, view: View) -> str:
    parts = []
    if step.state == "open" and run.ended is not None:
        parts.append("open when the run ended")
    elif step.state == "open":
        parts.append(_open_text(step, run, view))
    elif step.state != "told" and step.began is not None and step.ended is not None:
        took = max(step.ended - step.began, timedelta(0))
        if step.kind == "workflow task":
            parts.append(step.state)
        elif step.kind != "timer" or step.state != "done" or _differs(took, step.duration):
            word = "" if step.state == "done" else f"{_plain_timeout(step) or step.state} after "
            parts.append(f"{word}{duration_text(took)}")
    if step.attempt > 1 and not step.waiting.startswith("attempt "):
        counted = f"attempt {step.attempt}" if step.state == "open" else f"{step.attempt} attempts"
        parts.append(f"{step.attempt} times" if step.kind == "workflow task" else counted)
    return f"  {', '.join(parts)}" if parts else ""


def _open_text(step: Step, run: Run, view: View) -> str:
    now = _present(run, view)
    if step.duration is not None and step.began is not None:
        left = step.began + step.duration - now
        return f"fires in {duration_text(left)}" if left > timedelta(0) else "is due"
    since = "" if step.began is None else f" for {duration_text(max(now - step.began, timedelta(0)))}"
    if step.waiting:
        return clean(step.waiting)
    return f"{'runs' if step.started else 'open'}{since}"


def _differs(took: timedelta, planned: timedelta | None) -> bool:
    return planned is None or abs(took - planned) > max(timedelta(seconds=1), planned / 10)


def _values(step: Step, width: int | None, used: int, *, shorten: bool) -> tuple[str, str]:
    """Arguments and result, which share what is left of the line."""
    if not shorten:
        return values_text(step.inputs), values_text(step.result)
    room = 2 * _VALUE if width is None else max(width - used - 5, 32)
    half = max(room // 2, 16)
    arguments = _fitting(step.inputs, half if step.result else room)
    result = _fitting(step.result, max(room - len(arguments), 16))
    # What the result leaves is for the arguments.
    return _fitting(step.inputs, max(room - len(result), 16)), result


def _fitting(payloads: Sequence[AnyPayload], room: int) -> str:
    if not payloads:
        return ""
    whole = values_text(payloads, max(room, _VALUE))
    if len(whole) <= room:
        return whole
    # What is said of the size of large ones takes room too.
    size = sum(18 for payload in payloads if len(payload.data) >= 1024)
    each = max((room - size) // len(payloads), 12)
    return shortened_list(payloads, each, room)


def shortened_list(payloads: Sequence[AnyPayload], each: int, room: int) -> str:
    """As many values as there is room for, each with so many characters."""
    shown: list[str] = []
    for payload in payloads:
        text = value_text(payload, each)
        if shown and sum(map(len, shown)) + len(text) > room:
            shown.append(f"… {len(payloads) - len(shown)} more")
            break
        shown.append(text)
    return ", ".join(shown)


def _last_failure(step: Step, view: View, indent: int) -> Iterator[Line]:
    assert step.last_failure is not None
    failure, which = step.last_failure, f"attempt {step.attempt - 1} failed: "
    if view.full:
        for number, each in enumerate(failure_lines(failure, full=True, style="warn", unwrap=True)):
            yield (line((which, "dim"), *each.parts) if number == 0 else each).indented(indent)
        return
    said = told(failure)
    first, *rest = said.title.split("\n")
    place = f"  at {clean(said.place)}" if said.place else ""
    title = clean(shortened(first, 200)) + ("…" if rest else "")
    if view.width is not None and indent + len(which) + len(title) + len(place) > view.width:
        yield line((which, "dim"), (title, "warn")).indented(indent)
        yield line((place, "dim")).indented(indent)
    else:
        yield line((which, "dim"), (title, "warn"), (place, "dim")).indented(indent)


def _plain_timeout(step: Step) -> str:
    """Which timeout it ran into, if that is all its failure tells."""
    failure = step.failure
    if step.state != "timed out" or failure is None or failure.HasField("cause"):
        return ""
    is_timeout = failure.WhichOneof("failure_info") == "timeout_failure_info"
    return told(failure).title if is_timeout else ""


def _only_says_cancelled(step: Step) -> bool:
    failure = step.failure
    while failure is not None and failure.HasField("cause"):
        failure = failure.cause
    return (
        step.state == "cancelled"
        and failure is not None
        and failure.WhichOneof("failure_info") == "canceled_failure_info"
        and told(failure).title == "cancelled"
    )


def _present(run: Run, view: View) -> datetime:
    if view.now is not None:
        return view.now
    known = [moment for step in run.steps for moment in (step.began, step.ended) if moment is not None]
    if run.began is not None:
        known.append(run.began)
    return max(known) if known else datetime.now(timezone.utc)
