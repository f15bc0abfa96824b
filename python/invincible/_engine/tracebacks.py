"""Tracebacks as the author of a workflow wants to see them."""

from __future__ import annotations

import os
from typing import TypeVar

E = TypeVar("E", bound=BaseException)

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def without_engine(error: E) -> E:
    """The same exception, its traceback beginning where it enters code that is not this package's."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_frame.f_code.co_filename.startswith(_PACKAGE):
        traceback = traceback.tb_next
    # An error of the engine's own is told whole.
    return error if traceback is None else error.with_traceback(traceback)
