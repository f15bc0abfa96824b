"""What a worker process and its supervisor tell each other: pickled objects, one way commands, the other way the rest.

Both ends are this program; nothing else can write to the pipe.
"""

from __future__ import annotations

import logging
import pickle
import traceback
from dataclasses import dataclass
from typing import Any

from .._pickling import through_pickle
from .._told import RemoteTraceback, shown_traceback, words


@dataclass(frozen=True)
class Drain:
    """Command: take no new tasks, and end."""


@dataclass(frozen=True)
class Ready:
    """The process polls.

    Attributes:
        metrics_port: Where it serves its metrics on the loopback interface, if it does.
        grace: Seconds that its activities have when it ends.
    """

    metrics_port: int | None
    grace: float


@dataclass(frozen=True)
class Report:
    """What the process tells of itself each second: ``pid``, ``state``, ``memory`` in bytes, ``activities``, ..."""

    values: dict[str, Any]


@dataclass(frozen=True)
class Leaving:
    """The process was asked by someone else to end, and does."""

    reason: str


@dataclass(frozen=True)
class Failed:
    """The process cannot go on.

    Attributes:
        phase: ``load``, ``connect`` or ``run``.
        error: Why.
    """

    phase: str
    error: SentError


@dataclass(frozen=True)
class Logged:
    """A log record."""

    record: logging.LogRecord


@dataclass(frozen=True)
class TaskFailed:
    """A workflow task failed, which those who wait for the result want to know of."""

    workflow_id: str
    run_id: str
    error: SentError


@dataclass(frozen=True)
class SentError:
    """An exception on its way to another process.

    Attributes:
        pickled: The exception, if it can be pickled.
        summary: Its type and text.
        traceback: Its traceback as text.
        shown: What programs show of that.
    """

    pickled: bytes | None
    summary: str
    traceback: str
    shown: str

    @classmethod
    def of(cls, error: BaseException) -> SentError:
        """An exception of this process."""
        passed = through_pickle(error)
        pickled = passed[0] if passed is not None and type(passed[1]) is type(error) else None
        text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        return cls(pickled, words(error), text, shown_traceback(error))

    def exception(self) -> BaseException:
        """The exception, or a RuntimeError that says the same; the traceback of the other process is its cause."""
        error: BaseException | None = None
        if self.pickled is not None:
            try:
                error = pickle.loads(self.pickled)
            except Exception:  # it is the exception's code
                error = None
        if error is None:
            error = RuntimeError(self.summary)
        error.__cause__ = RemoteTraceback(self.traceback, self.shown)
        return error
