"""Where workflow code asked for its commands: what an explanation needs when a history does not fit the code."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import deque
from collections.abc import Iterable
from functools import cache
from operator import attrgetter
from types import CodeType, FrameType
from typing import Any, NamedTuple

from .command_kinds import KINDS
from .loop import WorkflowLoop
from .mismatch import IssuedCommand, explanation

_STDLIB = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
_NOT_USER_CODE = (
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep,
    os.path.dirname(os.path.abspath(asyncio.__file__)) + os.sep,
    _STDLIB + "concurrent" + os.sep,
    _STDLIB + "contextlib.py",
    _STDLIB + "functools.py",
    _STDLIB + "threading.py",
)

# What runs the code of a run; its callers are the worker's.
_LOOP = WorkflowLoop.run_ready.__code__

# Code that does more than its history is noticed when later events come; so many of its commands are kept for that.
_EARLIER = 64

# Frames that coroutines remember of those that made them: calls of this package make some in a method of their own.
# Each takes time.
_ORIGIN_DEPTH = 2

_ATTRIBUTES = {name: attrgetter(*kind.attributes) for name, kind in KINDS.items() if kind.attributes}


class Site(NamedTuple):
    """A place in user code; its line is worked out when it is shown."""

    code: CodeType
    instruction: int

    def __str__(self) -> str:
        name = getattr(self.code, "co_qualname", self.code.co_name)
        return f"{_shown(self.code.co_filename)}:{self.line}, in {name}"

    @property
    def line(self) -> int:
        """Number of the line."""
        for start, end, line in self.code.co_lines():
            if start <= self.instruction < end and line is not None:
                return line
        return self.code.co_firstlineno


def user_frame(frame: FrameType | None) -> FrameType | None:
    """The innermost frame of user code, past this package and the concurrency of the standard library."""
    while frame is not None:
        code = frame.f_code
        if _is_user_path(code.co_filename):
            return frame
        if code is _LOOP:
            return None
        frame = frame.f_back
    return None


@cache
def _is_user_path(path: str) -> bool:
    return not path.startswith(_NOT_USER_CODE)


def _origin(task: asyncio.Task[Any] | None) -> _Call | None:
    """Where user code made the coroutine of a task that runs nothing else, as in ``gather(f.execute(1), ...)``."""
    calls: tuple[_Call, ...] = getattr(task and task.get_coro(), "cr_origin", None) or ()
    for call in calls:
        if _is_user_path(call[0]):
            return call
    return None


def _shown(path: str) -> str:
    try:
        here = os.getcwd() + os.sep
    except OSError:  # it has been deleted
        return path
    return path.removeprefix(here)


# Path, line and function.
_Call = tuple[str, int, str]

_Record = tuple[str, Any, "tuple[CodeType, int] | _Call | None"]


class CommandLog:
    """The commands that a run issued while it was replayed, and where its code asked for them."""

    __slots__ = ("_commands", "_earlier", "_history_length", "_recording")

    def __init__(self) -> None:
        self._history_length = 0
        self._recording = False
        self._commands: list[_Record] = []
        self._earlier: deque[_Record] | None = None

    @property
    def is_replaying(self) -> bool:
        """Whether the run was replayed at last, so that its commands may not fit the history."""
        return self._recording

    def begin(self, history_length: int, is_replaying: bool = True) -> None:
        """An activation begins; another length of the history is another workflow task.

        Only in replay can commands meet events that they have not made, so others are not remembered.
        """
        # Of this thread, which other runs share.
        sys.set_coroutine_origin_tracking_depth(_ORIGIN_DEPTH if is_replaying else 0)
        if not is_replaying:
            if self._recording:
                self._recording = False
                self._commands = []
                self._earlier = None
            return
        self._recording = True
        if history_length != self._history_length:
            self._history_length = history_length
            if self._commands:
                if self._earlier is None:
                    self._earlier = deque(maxlen=_EARLIER)
                self._earlier.extend(self._commands)
                self._commands = []

    def add(self, command: Any) -> None:
        """Remember a command, and the place in user code that the caller of this is called for."""
        if not self._recording:
            return
        name = command.__class__.__name__
        attributes = _ATTRIBUTES.get(name)
        frame = user_frame(sys._getframe(2))
        site = _origin(asyncio.current_task()) if frame is None else (frame.f_code, frame.f_lasti)
        self._commands.append((name, None if attributes is None else attributes(command), site))

    def explain(self, core_message: str) -> str:
        """Say why the history does not fit the code, with Core's own words last.

        Args:
            core_message: What Core gave as the reason when it dropped the run.
        """
        return explanation(core_message, self._history_length, _issued(self._commands), _issued(self._earlier or ()))


def _issued(records: Iterable[_Record]) -> list[IssuedCommand]:
    commands = []
    for name, values, site in records:
        kind = KINDS.get(name)
        if kind is not None:
            # `attrgetter` gives the value of a lone attribute as it is.
            values = values if len(kind.attributes) > 1 else (values,)
            attributes = dict(zip(kind.attributes, values, strict=False))
            commands.append(IssuedCommand(name, kind, attributes, _place(site)))
    return commands


def _place(site: tuple[CodeType, int] | _Call | None) -> str | None:
    if site is None:
        return None
    if len(site) == 2:
        return str(Site(*site))
    path, line, name = site
    return f"{_shown(path)}:{line}, in {name}"
