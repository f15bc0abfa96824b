"""The pages of the documentation that need no server, followed."""

from __future__ import annotations

from tests.support.guides import follow


async def test_conversion_is_as_its_assertions_say() -> None:
    names = await follow("conversion.md")
    assert {"Order", "with_addresses", "Money", "connect"} <= names.keys()
