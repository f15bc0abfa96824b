"""Certificates and fronts for tests of connections."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import pytest

from invincible.client import Client
from tests.support.certificates import Authority
from tests.support.grpc_front import Front, grpc_front

Connect = Callable[..., AbstractAsyncContextManager[Front]]


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="session")
def other_authority() -> Authority:
    return Authority("another authority of a test")


@pytest.fixture
def front(tmp_path: Path, address: str) -> Connect:
    """`front(certificate=..., client_ca=...)` runs a front of the real server for the time of an `async with` block."""
    return partial(grpc_front, tmp_path, address)


async def healthy(client: Client) -> bool:
    """Whether calls go through."""
    return await client.service_client.check_health()
