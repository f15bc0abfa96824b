"""Failures for the server, of whatever user code raised."""

from __future__ import annotations

import logging

from invincible._native import ApplicationFailureInfo, Failure
from invincible.converter import FailureConverter, PayloadConverter

logger = logging.getLogger("invincible.worker")


def sendable(text: object) -> str:
    """Text that a message can carry: surrogates, which names of files may have, are written as escapes."""
    return str(text).encode(errors="backslashreplace").decode()


def text_of(error: BaseException) -> str:
    """What an exception says; a text of its own for one whose ``__str__`` fails, so that no thread ends of that."""
    try:
        return sendable(error)
    except BaseException as problem:  # it is user code
        return f"<no text: its __str__ raised {type(problem).__name__}>"


def failure_of(
    error: BaseException, failure_converter: FailureConverter, payload_converter: PayloadConverter
) -> Failure:
    """The failure of an exception; its bare message if the converter fails itself, so that no task is lost."""
    try:
        return failure_converter.to_native(error, payload_converter)
    except BaseException as conversion:  # it runs user code
        logger.exception("the failure converter failed")
        name = sendable(type(error).__name__)
        reason = f"{type(conversion).__name__}: {text_of(conversion)}"
        return Failure(f"{name}: {text_of(error)} (not converted, {reason})", info=ApplicationFailureInfo(type=name))
