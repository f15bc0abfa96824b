"""What is told of an error that a worker ends with: words, and the traceback of the user's code alone."""

from __future__ import annotations

import importlib
import logging
import os
import traceback
from types import CodeType, TracebackType

import invincible
from invincible.service import RPCError, RPCStatusCode, ServiceClient

from ._failures import logger, text_of

_OURS = tuple(os.path.join(path, "") for path in invincible.__path__)
_CONNECTS: CodeType = ServiceClient._connect.__code__
_UNREACHABLE = frozenset({RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED})


class ProgramError(Exception):
    """Why a worker cannot run, in words that need no traceback."""


class CannotConnectError(ProgramError):
    """The server cannot be reached, or lets nobody in."""


class RemoteTraceback(Exception):
    """The traceback of an exception in a worker process.

    Args:
        text: All of it.
        shown: What programs show of it; see :func:`shown_traceback`.
    """

    def __init__(self, text: str, shown: str = "") -> None:
        super().__init__(text, shown)
        self._text = text
        self.shown = shown

    def __str__(self) -> str:
        return f"\n{self._text}"


def shown_traceback(error: BaseException) -> str:
    """The traceback of an error without our frames before those of the user; empty where its words say it all."""
    if isinstance(error.__cause__, RemoteTraceback):
        return error.__cause__.shown
    if not _needs_traceback(error):
        return ""
    return "".join(traceback.format_exception(type(error), error, _of_user(error) or error.__traceback__)).rstrip()


def is_connection_failure(error: BaseException) -> bool:
    """Whether the server could not be reached, rather than something being wrong with the program."""
    if isinstance(error, CannotConnectError):
        return True
    if isinstance(error, RPCError):
        return error.status in _UNREACHABLE
    frames = [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)]
    return isinstance(error, RuntimeError) and bool(frames) and frames[-1] is _CONNECTS


def tell(what: str, error: Exception) -> None:
    """Log an error that ends a program."""
    if isinstance(error, ProgramError):
        logger.error("%s", error)
    elif isinstance(error.__cause__, RemoteTraceback):
        shown = error.__cause__.shown
        logger.error("%s: %s%s", what, words(error), f"\n{shown}" if shown else "")
    else:
        shown_from = _of_user(error) or error.__traceback__
        # Who asks for all gets the traceback of what usually needs none.
        wanted = _needs_traceback(error) or logger.isEnabledFor(logging.DEBUG)
        logger.error("%s: %s", what, words(error), exc_info=(type(error), error, shown_from) if wanted else None)


def words(error: BaseException) -> str:
    """The text of an error, after its type unless that is one of ours that says nothing more."""
    return text_of(error) if isinstance(error, ProgramError) else f"{type(error).__name__}: {text_of(error)}"


def _of_user(error: BaseException) -> TracebackType | None:
    shown = error.__traceback__
    while shown is not None and _is_ours(shown.tb_frame.f_code.co_filename):
        shown = shown.tb_next
    return shown


def _is_ours(file: str) -> bool:
    return file.startswith((*_OURS, "<frozen importlib")) or file == importlib.__file__


def _needs_traceback(error: BaseException) -> bool:
    """Whether it comes from the user's code, or is none of those that we raise in words for the user."""
    if isinstance(error, ProgramError):
        return False
    foreseen = isinstance(error, (RuntimeError, ValueError, RPCError))
    alone = error.__cause__ is None and (error.__context__ is None or error.__suppress_context__)
    return not (foreseen and alone and _of_user(error) is None)
