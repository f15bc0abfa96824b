"""Failures with their causes, and where in the code they were raised."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .lines import Line, Style, line
from .messages import enum_text
from .text import clean, shortened
from .values import parsed, value_text

if TYPE_CHECKING:
    from invincible.api.failure.v1 import Failure

# Where the frames of stack traces are, by language: Python's last is the innermost, others' first.
_PYTHON = re.compile(r'^\s*File "(?P<file>[^"\n]+)", line (?P<line>\d+), in (?P<name>\S+)', re.MULTILINE)
_OTHERS = re.compile(r"^\s*at (?P<name>.+?) ?\((?P<place>[^()\n]+:\d+(?::\d+)?)\)", re.MULTILINE)
_GO = re.compile(r"^\t(?P<place>\S+\.go:\d+)", re.MULTILINE)
# What runs the code, and packages: most of these are others' too.
_RUNS_IT = re.compile(
    r"[/\\](?:site-packages|python)[/\\](?:invincible|temporalio)[/\\]"
    r"|[/\\](?:[Pp]ython[\d.]*t?|[Ll]ib)[/\\](?:asyncio|concurrent)[/\\]"
)
_PACKAGES = re.compile(r"[/\\]site-packages[/\\]")

_MESSAGE = 400  # characters of a message in an outline
_DETAIL = 80
_WRAPPERS = frozenset(
    {
        "activity_failure_info",
        "child_workflow_execution_failure_info",
        "nexus_operation_execution_failure_info",
    }
)


@dataclass(frozen=True)
class Told:
    """One failure of a chain, in words.

    Attributes:
        title: Its type and message.
        notes: What else matters: that it is not retried, its details.
        place: Where it was raised; empty if nobody knows.
        stack: Its stack trace.
    """

    title: str
    notes: tuple[str, ...]
    place: str
    stack: str


def chain(failure: Failure) -> Iterator[Told]:
    """A failure and its causes, the outermost first."""
    current: Failure | None = failure
    while current is not None:
        yield told(current)
        current = current.cause if current.HasField("cause") else None


def told(failure: Failure) -> Told:
    """A failure in words."""
    message, stack = failure.message, failure.stack_trace
    if failure.HasField("encoded_attributes"):
        attributes = parsed(failure.encoded_attributes)
        if isinstance(attributes, dict):
            message = str(attributes.get("message", message))
            stack = str(attributes.get("stack_trace", stack))
    kind = failure.WhichOneof("failure_info")
    title, notes = _described(failure, kind or "", message.strip())
    return Told(title, notes, place_of(stack), stack)


def failure_lines(
    failure: Failure, *, full: bool = False, style: Style = "bad", unwrap: bool = False
) -> Iterator[Line]:
    """A failure and its causes as lines.

    Args:
        failure: The failure.
        full: Whether messages are whole, and stack traces shown.
        style: Style of the messages.
        unwrap: Whether to leave out that an activity or child failed, where the lines stand below it already.
    """
    while unwrap and failure.WhichOneof("failure_info") in _WRAPPERS and failure.HasField("cause"):
        failure = failure.cause
    for number, each in enumerate(chain(failure)):
        first, *rest = (each.title if full else shortened(each.title, _MESSAGE)).split("\n")
        notes = f" ({', '.join(each.notes)})" if each.notes else ""
        prefix = "" if number == 0 else "caused by "
        yield line((prefix, "dim"), (clean(first), style), (clean(notes), "dim"))
        shown = rest if full else rest[:5]
        yield from (line(("  " + clean(text), style)) for text in shown)
        if len(rest) > len(shown):
            yield line((f"  … {len(rest) - len(shown)} more lines", "dim"))
        if full and each.stack.strip():
            yield from (line(("  " + clean(text, lines=False), "dim")) for text in each.stack.rstrip().split("\n"))
        elif each.place:
            yield line((f"  at {clean(each.place)}", "dim"))


def place_of(stack: str) -> str:
    """The place in the user's code that a stack trace leads to; empty if it tells none."""
    frames = list(_PYTHON.finditer(stack))
    if frames:
        users = [frame for frame in frames if not _RUNS_IT.search(frame["file"])]
        own = [frame for frame in users if not _PACKAGES.search(frame["file"])]
        frame = next(reversed(own or users), None)
        return "" if frame is None else f"{frame['file']}:{frame['line']}, in {frame['name']}"
    other = _OTHERS.search(stack)
    if other is not None:
        return f"{other['place']}, in {other['name']}"
    go = _GO.search(stack)
    return "" if go is None else go["place"]


def _described(failure: Failure, kind: str, message: str) -> tuple[str, tuple[str, ...]]:
    if kind == "application_failure_info":
        info = failure.application_failure_info
        notes = ["not retryable"] if info.non_retryable else []
        if info.details.payloads:
            notes.append("details " + ", ".join(value_text(each, _DETAIL) for each in info.details.payloads[:5]))
        type_ = info.type if info.type not in ("", "ApplicationError") else ""
        return (f"{type_}: {message}" if type_ and message else type_ or message or "failed"), tuple(notes)
    if kind == "timeout_failure_info":
        which = enum_text(failure.timeout_failure_info, "timeout_type")
        said = "" if _says_timeout(message) else f": {message}"
        return f"timed out ({which.replace(' ', '-')}){said}", ()
    if kind == "canceled_failure_info":
        return _with_message("cancelled", message, "cancelled", "canceled"), ()
    if kind == "terminated_failure_info":
        return _with_message("terminated", message, "terminated"), ()
    if kind == "activity_failure_info":
        activity = failure.activity_failure_info
        return f"activity {activity.activity_type.name} failed{_given_up(activity)}", ()
    if kind == "child_workflow_execution_failure_info":
        child = failure.child_workflow_execution_failure_info
        which = f"{child.workflow_type.name} {child.workflow_execution.workflow_id!r}"
        return f"child workflow {which} failed{_given_up(child)}", ()
    if kind == "nexus_operation_execution_failure_info":
        operation = failure.nexus_operation_execution_failure_info
        return f"Nexus operation {operation.service}.{operation.operation} failed", ()
    if kind == "nexus_handler_failure_info":
        return f"{failure.nexus_handler_failure_info.type or 'handler error'}: {message}", ()
    return message or "failed", ()


def _with_message(word: str, message: str, *implied: str) -> str:
    said = message.lower()
    return word if not message or any(each in said and len(said) < 40 for each in implied) else f"{word}: {message}"


def _says_timeout(message: str) -> bool:
    said = message.lower()
    return not said or ((" timeout" in said or "timed out" in said) and len(said) < 60)


def _given_up(info: object) -> str:
    state = enum_text(info, "retry_state")
    return f" ({state})" if state in ("maximum attempts reached", "timeout") else ""
