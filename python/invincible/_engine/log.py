"""The engine's own logger."""

import logging

logger = logging.getLogger("invincible.workflow")
