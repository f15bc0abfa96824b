"""What holds for all tests of the engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.engine import Driver


@pytest.fixture(autouse=True)
def _runs_leave_the_cache() -> Iterator[None]:
    """Close the code of runs that a test leaves unfinished, as a worker does."""
    yield
    for driver in Driver.open:
        driver.evict()
    Driver.open.clear()
