"""Logging of the engine, and the base of the loggers for user code."""

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    LoggerAdapter = logging.LoggerAdapter[logging.Logger]
else:
    # Python 3.10 has no generic form.
    LoggerAdapter = logging.LoggerAdapter

logger = logging.getLogger("invincible.workflow")
