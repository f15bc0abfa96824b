"""Defaults of options that several parts of a worker know."""

from __future__ import annotations

from datetime import timedelta

from ._pollers import PollerBehaviorSimpleMaximum

# What is said of polls when the options say nothing; recognized by identity.
DEFAULT_POLLERS = PollerBehaviorSimpleMaximum()

# How long workflow code may run without waiting for anything.
DEADLOCK_TIMEOUT = timedelta(seconds=2)
