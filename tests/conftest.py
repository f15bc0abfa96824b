"""Settings that hold for every kind of test."""

from __future__ import annotations

from hypothesis import settings

# Machines that run the suite are shared: a slow example is no failure, and a failure must come back on the next run.
settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")
