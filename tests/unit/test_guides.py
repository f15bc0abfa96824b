"""The pages of the documentation that need no server, followed."""

from __future__ import annotations

import inspect
from datetime import timedelta
from textwrap import indent

import aiohttp
import pytest

from examples.hello_ip.workflows import GetAddressFromIP
from examples.standin import Standin
from invincible import activity
from invincible.exceptions import CancelledError
from invincible.testing import ActivityEnvironment
from tests.support.guides import blocks, follow


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


def test_the_page_of_an_example_shows_its_code() -> None:
    [excerpt] = blocks("examples/hello_ip/README.md")
    assert indent(excerpt, " " * 8) in inspect.getsource(GetAddressFromIP)


async def test_the_stand_in_counts_as_its_page_says() -> None:
    async def ask(url: str) -> None:
        async with aiohttp.request("GET", url) as response:
            assert response.ok

    asked = {"    ...\n": "    await ask(standin.url)\n"}
    await follow("examples/standin/README.md", replacements=asked, Standin=Standin, ask=ask)
