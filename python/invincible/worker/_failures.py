"""Failures for the server, of whatever user code raised."""

from __future__ import annotations

import logging

from invincible._native import Failure
from invincible.converter import FailureConverter, PayloadConverter

logger = logging.getLogger("invincible.worker")


def failure_of(
    error: BaseException, failure_converter: FailureConverter, payload_converter: PayloadConverter
) -> Failure:
    """The failure of an exception; its bare message if the converter fails itself, so that no task is lost."""
    try:
        return failure_converter.to_native(error, payload_converter)
    except Exception as conversion:
        logger.exception("the failure converter failed")
        return Failure(f"{type(error).__name__}: {error} (not converted, {type(conversion).__name__}: {conversion})")
