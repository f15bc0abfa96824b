"""Failures for the server, of whatever user code raised."""

from __future__ import annotations

import logging
import traceback

from invincible._native import ApplicationFailureInfo, Failure
from invincible.converter import FailureConverter, PayloadConverter
from invincible.converter._failure import sendable

logger = logging.getLogger("invincible.worker")


def text_of(error: BaseException) -> str:
    """What an exception says; a text of its own for one whose ``__str__`` fails, so that no thread ends of that."""
    try:
        return sendable(error)
    except BaseException as problem:  # it is user code
        return f"<no text: its __str__ raised {type(problem).__name__}>"


def log(level: int, message: str, *args: object, error: BaseException) -> None:
    """Log an error on the way to the answer of a task, which handlers and filters of the program must not prevent."""
    try:
        logger.log(level, message, *args, exc_info=error, stacklevel=2)
    except Exception:
        if logging.raiseExceptions:
            traceback.print_exc()


def failure_of(
    error: BaseException, failure_converter: FailureConverter, payload_converter: PayloadConverter
) -> Failure:
    """The failure of an exception; its bare message if the converter fails itself, so that no task is lost."""
    try:
        return failure_converter.to_native(error, payload_converter)
    except BaseException as conversion:  # it runs user code
        log(logging.ERROR, "the failure converter failed", error=conversion)
        name = sendable(type(error).__name__)
        reason = f"{type(conversion).__name__}: {text_of(conversion)}"
        return Failure(f"{name}: {text_of(error)} (not converted, {reason})", info=ApplicationFailureInfo(type=name))
