"""Failures of workflow tasks and activities in the worker's process: told by their place, in a few lines."""

from __future__ import annotations

import logging
import traceback

from invincible._engine.explain import user_frame
from invincible._engine.guard import RestrictedWorkflowAccessError
from invincible.exceptions import ApplicationError
from invincible.worker._failures import text_of
from invincible.workflow import NondeterminismError

from .._sources import shown_path

# Core's own words, which the explanation has put into those of the code.
_OF_CORE = "[TMPRL"


class ShortFailures(logging.Filter):
    """Puts place and words in the place of a record's traceback, and marks workflows that do not fit their code.

    Records that are marked have the attribute ``misfit``: type, id and run id of the workflow. What comes again at each
    try, and in each process, until the code is changed has the attribute ``once``, which is the same for the same.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the record; it always passes."""
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            return True
        message = record.getMessage()
        if _not_registered(error):
            record.once = text_of(error)
        if isinstance(error, NondeterminismError) and not isinstance(error, RestrictedWorkflowAccessError):
            if hasattr(record, "run_id"):
                fields = record.__dict__
                record.misfit = [fields["workflow_type"], fields["workflow_id"], fields["run_id"]]
                record.once = f"{fields['run_id']}: {text_of(error)}"
            told = "\n".join(line for line in text_of(error).splitlines() if not line.startswith(_OF_CORE))
        else:
            told = _told(error)
        record.msg, record.args = f"{message}\n{told}", None
        record.exc_info = record.exc_text = None
        return True


def _not_registered(error: BaseException) -> bool:
    """Whether the worker does not have the activity, rather than that the activity has raised the like."""
    return isinstance(error, ApplicationError) and error.type == "NotFoundError" and not _place(error)


def _told(error: BaseException) -> str:
    """``place: type: text`` of an error and of what caused it."""
    lines = []
    while True:
        of_server = isinstance(error, ApplicationError) and error.__traceback__ is None
        place = "" if of_server else _place(error)
        lines.append(f"{place}{type(error).__name__}: {text_of(error)}")
        following = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if following is None:
            return "\ncaused by ".join(lines)
        error = following


def _place(error: BaseException) -> str:
    """The innermost place in the project, or in the user's libraries where that is all there is."""
    found = None
    own = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        if user_frame(frame) is frame:
            found = frame.f_code, line
            if "site-packages" not in frame.f_code.co_filename and "lib/python" not in frame.f_code.co_filename:
                own = found
    place = own or found
    return f"{shown_path(place[0].co_filename)}:{place[1]}, in {place[0].co_name}: " if place is not None else ""
