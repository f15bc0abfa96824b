"""How workflows, updates and queries end, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ._output import clean, print_json
from ._status import status_text

if TYPE_CHECKING:
    from invincible.api.failure.v1 import Failure
    from invincible.client import WorkflowExecutionStatus
    from invincible.client._outline import Line
    from invincible.common import RawValue

_STYLES: dict[str, dict[str, Any]] = {
    "strong": {"bold": True},
    "dim": {"dim": True},
    "good": {"fg": "green"},
    "bad": {"fg": "red"},
    "warn": {"fg": "yellow"},
    "value": {"fg": "cyan"},
}


def styled(line: Line) -> str:
    """A line of an outline with its colours, which ``click.echo`` leaves out where they are not wanted."""
    return "".join(click.style(text, **_STYLES[style]) if style else text for text, style in line.parts)


def print_value(value: RawValue | None) -> None:
    """Print a result: JSON as it is, indented if it is an object or a list."""
    from invincible.client._outline.values import encoding_of, value_text

    if value is None:
        click.echo("null")
        return
    payload = value.payload
    if encoding_of(payload).startswith("json/"):
        try:
            parsed = json.loads(payload.data)
        except (ValueError, RecursionError):
            pass
        else:
            print_json(parsed)
            return
    click.echo(value_text(payload))


def value_for_json(value: RawValue | None) -> Any:
    """A result as part of JSON output."""
    from invincible.client._outline.values import value_json

    return None if value is None else value_json(value.payload)


def print_failure(error: BaseException, title: str, *, full: bool = False, err: bool = True) -> None:
    """Print why something failed, with its causes, on standard error or standard output."""
    click.echo(click.style(title, fg="red", bold=True), err=err)
    for line in _lines(error, full=full):
        click.echo("  " + styled(line), err=err)


def failure_for_json(error: BaseException) -> dict[str, Any]:
    """A failure with its causes as part of JSON output."""
    message = _message(error)
    if message is None:
        return {"message": str(error), "type": type(error).__name__}
    from google.protobuf.json_format import MessageToDict

    told: dict[str, Any] = MessageToDict(message)
    return told


def status_of(cause: BaseException) -> WorkflowExecutionStatus:
    """The status of what ended for a cause; activities have the same."""
    from invincible.client import WorkflowExecutionStatus
    from invincible.exceptions import CancelledError, TerminatedError, TimeoutError

    kinds = {
        CancelledError: WorkflowExecutionStatus.CANCELED,
        TerminatedError: WorkflowExecutionStatus.TERMINATED,
        TimeoutError: WorkflowExecutionStatus.TIMED_OUT,
    }
    return next((status for kind, status in kinds.items() if isinstance(cause, kind)), WorkflowExecutionStatus.FAILED)


def ended_text(status: WorkflowExecutionStatus) -> str:
    """``was cancelled``, ``timed out``, ``failed``."""
    text = status_text(status)
    return f"was {text}" if text in ("cancelled", "terminated") else text


def _lines(error: BaseException, *, full: bool) -> Iterator[Line]:
    from invincible.client._outline.failures import failure_lines
    from invincible.client._outline.lines import line
    from invincible.exceptions import TerminatedError

    message = _message(error)
    if message is None:
        # A termination is an event, not a failure: all it has is a reason.
        text = f"reason: {error}" if isinstance(error, TerminatedError) else f"{type(error).__name__}: {error}"
        yield line((clean(text), "bad"))
    else:
        yield from failure_lines(message, full=full)


def _message(error: BaseException) -> Failure | None:
    from invincible.api.failure.v1 import Failure

    native = getattr(error, "failure", None)
    return None if native is None else Failure.FromString(native.SerializeToString())
