"""Lists that the server hands out page by page."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeVar

from typing_extensions import Self

T = TypeVar("T")


class PagedIterator(ABC, Generic[T]):
    """Items of a list on the server, fetched as they are needed. To be iterated over once, by one task.

    Nothing is fetched before the first use, so that is where errors show.

    Args:
        limit: Most items to iterate over; all if ``None``.
        page_size: Most items to fetch at once; the server's choice if ``None``.
        next_page_token: Where to begin, as another iterator had it; at the beginning if ``None``.
        about: What the list is of, for the ``repr``.
    """

    def __init__(
        self,
        *,
        limit: int | None = None,
        page_size: int | None = None,
        next_page_token: bytes | None = None,
        about: str = "",
    ) -> None:
        """Creates the iterator; it fetches nothing yet.

        Raises:
            TypeError: ``limit`` or ``page_size`` is no number, or ``next_page_token`` no ``bytes``.
            ValueError: ``limit`` or ``page_size`` is negative.
        """
        _check_count("limit", limit)
        _check_count("page_size", page_size)
        if not isinstance(next_page_token, (bytes, type(None))):
            raise TypeError(f"next_page_token must be bytes, got {type(next_page_token).__name__}")
        self._about = about
        self._left = limit
        self._page_size = page_size
        self._next_page_token = next_page_token or None
        self._page: Sequence[T] | None = None
        self._index = 0

    def __repr__(self) -> str:
        """What the list is of."""
        return f"<{type(self).__name__}{self._about and f' {self._about}'}>"

    @abstractmethod
    async def _fetch_page(self, page_size: int | None, token: bytes | None) -> tuple[Sequence[T], bytes | None]:
        """Asks the server for a page.

        Args:
            page_size: Most items on it; the server's choice if ``None``.
            token: Which page; the first if ``None``.

        Returns:
            Its items, which may be none although more pages follow; and the token of the page after it, empty or
            ``None`` if it is the last one.
        """

    @property
    def current_page(self) -> Sequence[T] | None:
        """The items fetched last; ``None`` before the first fetch."""
        return self._page

    @property
    def current_page_index(self) -> int:
        """Position in :attr:`current_page` of the item that comes next."""
        return self._index

    @property
    def next_page_token(self) -> bytes | None:
        """What the next page is asked for with; ``None`` before the first and after the last."""
        return self._next_page_token

    async def fetch_next_page(self, *, page_size: int | None = None) -> None:
        """Fetches the next page, whatever is left of this one. After the last, the page is an empty one.

        Args:
            page_size: Most items on it; that of the call by default.

        Raises:
            RPCError: It cannot be fetched. The iterator stays as it is: the same page may be asked for again.
            TypeError: ``page_size`` is no number.
            ValueError: ``page_size`` is negative.
        """
        _check_count("page_size", page_size)
        token = self._next_page_token
        page, following = (
            ((), None) if self._exhausted else await self._fetch_page(page_size or self._size_wanted, token)
        )
        self._page, self._index, self._next_page_token = page, 0, following or None

    @property
    def _size_wanted(self) -> int | None:
        size, left = self._page_size, self._left
        return size if left is None else min(size or left, left) or None

    @property
    def _exhausted(self) -> bool:
        return self._page is not None and self._next_page_token is None

    def __aiter__(self) -> Self:
        """Itself."""
        return self

    async def __anext__(self) -> T:
        """The next item; fetches the next page if it is on that.

        Raises:
            RPCError: The page cannot be fetched.
        """
        if self._left is not None and self._left <= 0:
            raise StopAsyncIteration
        while self._page is None or self._index >= len(self._page):
            if self._exhausted:
                raise StopAsyncIteration
            await self.fetch_next_page()
        item = self._page[self._index]
        self._index += 1
        if self._left is not None:
            self._left -= 1
        return item


def _check_count(name: str, value: object) -> None:
    if value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be an int, got {type(value).__name__}")
    if value < 0:
        raise ValueError(f"{name} must not be negative, got {value}")
