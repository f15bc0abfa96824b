"""What is known of a test that uses the fixtures: for its report, and for what is to be cleaned up after it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from invincible.client import Client
    from invincible.testing._worker_factory import WorkerFactory

    from ._servers import SessionServer


@dataclass
class Record:
    """One test.

    Attributes:
        client: The client of its environment.
        server: The server behind that.
        log_position: How far the server's log was when the test began.
        own_namespace: Whether everything in the namespace is the test's.
        workers: What has made its workers, if it asked for some.
        left: What the test left behind, in words.
        failed: Whether it has failed.
    """

    client: Client
    server: SessionServer
    log_position: int
    own_namespace: bool
    workers: WorkerFactory | None = None
    left: list[str] = field(default_factory=list)
    failed: bool = False


RECORD = pytest.StashKey[Record]()
"""Where it is, by test."""

OWN_NAMESPACE = pytest.StashKey[str]()
"""The namespace that was made for a test, by test."""
