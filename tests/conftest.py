"""Settings that hold for every kind of test. Server, client and task queue are those of the package's pytest plugin."""

from __future__ import annotations

import pytest
from hypothesis import settings

from invincible.testing.pytest_plugin import SessionServer

# Machines that run the suite are shared: a slow example is no failure, and a failure must come back on the next run.
settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")


@pytest.fixture
def invincible_namespace() -> str:
    """The same for all: ids and task queues are each test's own, and many clients of a test connect without a name."""
    return "default"


@pytest.fixture
def address(invincible_server: SessionServer) -> str:
    """Where the session's server serves."""
    return invincible_server.address
