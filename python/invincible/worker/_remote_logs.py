"""Log records of other processes."""

from __future__ import annotations

import logging


def hand_on(record: logging.LogRecord) -> None:
    """Handle a record as if it had been made in this process."""
    logger = logging.getLogger(record.name)
    if logger.isEnabledFor(record.levelno):
        logger.handle(record)
