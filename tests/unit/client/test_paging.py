"""Lists that come page by page, from a list instead of a server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from invincible.client._paging import PagedIterator


class Pages(PagedIterator[int]):
    """The numbers from 1 to ``last``; every third page is an empty one."""

    def __init__(self, last: int, *, page_size: int | None = 3, limit: int | None = None, token: bytes = b"") -> None:
        super().__init__(limit=limit, page_size=page_size, next_page_token=token)
        self.last = last
        self.asked: list[tuple[int | None, bytes | None]] = []
        self.failures = 0

    async def _fetch_page(self, page_size: int | None, token: bytes | None) -> tuple[Sequence[int], bytes]:
        self.asked.append((page_size, token))
        if self.failures:
            self.failures -= 1
            raise ConnectionError
        if len(self.asked) % 3 == 0:
            return [], token or b""
        first = int(token or b"1")
        after = min(first + (page_size or 5), self.last + 1)
        return range(first, after), b"" if after > self.last else str(after).encode()


async def numbers(pages: Pages) -> list[int]:
    return [number async for number in pages]


async def test_all_pages_are_iterated_over_and_empty_ones_passed() -> None:
    pages = Pages(10)
    assert await numbers(pages) == list(range(1, 11))
    assert pages.asked == [(3, None), (3, b"4"), (3, b"7"), (3, b"7"), (3, b"10")]
    assert await numbers(pages) == []
    assert len(pages.asked) == 5


async def test_nothing_is_fetched_before_the_first_use() -> None:
    pages = Pages(3)
    assert (pages.current_page, pages.current_page_index, pages.next_page_token, pages.asked) == (None, 0, None, [])


async def test_the_place_in_the_list_can_be_asked_for() -> None:
    pages = Pages(5)
    assert await pages.__anext__() == 1
    assert (list(pages.current_page or ()), pages.current_page_index, pages.next_page_token) == ([1, 2, 3], 1, b"4")
    await pages.fetch_next_page()
    assert (list(pages.current_page or ()), pages.current_page_index, pages.next_page_token) == ([4, 5], 0, None)
    assert await numbers(pages) == [4, 5]


async def test_another_iterator_goes_on_where_one_was_left() -> None:
    first = Pages(7)
    await first.fetch_next_page()
    assert await numbers(Pages(7, token=first.next_page_token or b"")) == [4, 5, 6, 7]


@pytest.mark.parametrize(
    ("page_size", "limit", "sizes"),
    [(3, 4, [3, 1]), (3, 2, [2]), (None, 7, [7]), (None, None, [None, None]), (100, None, [100])],
)
async def test_no_more_is_asked_for_than_the_limit(
    page_size: int | None, limit: int | None, sizes: list[int | None]
) -> None:
    pages = Pages(8, page_size=page_size, limit=limit)
    assert await numbers(pages) == list(range(1, 9))[:limit]
    assert [size for size, _ in pages.asked] == sizes


async def test_a_limit_of_none_asks_nobody() -> None:
    pages = Pages(8, limit=0)
    assert await numbers(pages) == []
    assert pages.asked == []


async def test_a_page_may_have_a_size_of_its_own() -> None:
    pages = Pages(8)
    await pages.fetch_next_page(page_size=2)
    assert list(pages.current_page or ()) == [1, 2]


async def test_after_the_last_page_there_are_only_empty_ones() -> None:
    pages = Pages(2)
    await pages.fetch_next_page()
    await pages.fetch_next_page()
    assert list(pages.current_page or ()) == []
    assert len(pages.asked) == 1


async def test_a_page_that_could_not_be_fetched_is_fetched_by_the_next_try() -> None:
    pages = Pages(5)
    found = [await pages.__anext__() for _ in range(3)]
    pages.failures = 1
    with pytest.raises(ConnectionError):
        await pages.__anext__()
    assert found + await numbers(pages) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("option", "error", "message"),
    [
        ({"limit": "10"}, TypeError, "limit must be an int, got str"),
        ({"limit": -1}, ValueError, "limit must not be negative, got -1"),
        ({"page_size": 2.5}, TypeError, "page_size must be an int, got float"),
        ({"page_size": -1}, ValueError, "page_size must not be negative, got -1"),
        ({"token": "next"}, TypeError, "next_page_token must be bytes, got str"),
    ],
)
async def test_what_makes_no_sense_is_named(option: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{message}$"):
        Pages(10, **option)
    if "page_size" in option:
        with pytest.raises(error, match=f"^{message}$"):
            await Pages(10).fetch_next_page(**option)
