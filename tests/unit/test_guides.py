"""The pages of the documentation that need no server, followed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from invincible import activity
from invincible.exceptions import CancelledError
from invincible.testing import ActivityEnvironment
from tests.support.guides import follow


async def test_conversion_is_as_its_assertions_say() -> None:
    names = await follow("conversion.md")
    assert {"Order", "with_addresses", "Money", "connect"} <= names.keys()


async def test_a_cancellation_waits_for_the_end_of_an_entry() -> None:
    """The block about the shield of the page about activities: what is written is signed, too."""
    environment = ActivityEnvironment()
    done: list[tuple[str, int]] = []

    class Ledger:
        def write(self, entry: int) -> None:
            done.append(("written", entry))
            if entry == 2:
                environment.cancel()

        def sign(self, entry: int) -> None:
            done.append(("signed", entry))

    names = await follow("activities.md", only=[1], activity=activity, timedelta=timedelta, Entry=int, ledger=Ledger())
    with pytest.raises(CancelledError):
        environment.run(names["book"], [1, 2, 3])
    assert done == [("written", 1), ("signed", 1), ("written", 2), ("signed", 2)]
