"""The page on time skipping, executed."""

from __future__ import annotations

from tests.support.guides import follow


async def test_the_guide_does_what_it_says() -> None:
    names = await follow("time-skipping.md")
    tests = [value for name, value in names.items() if name.startswith("test_")]
    assert len(tests) == 4
    for test in tests:
        await test()
