"""One peer for all tests of a process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.parity.peer import Peer, peer_python


@pytest.fixture(scope="session")
def peer() -> Iterator[Peer]:
    peer = Peer(peer_python())
    yield peer
    peer.close()
