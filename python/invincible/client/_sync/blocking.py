"""What blocking objects share, and how values cross between them and the async side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from types import AsyncGeneratorType
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from typing_extensions import Self

from .calls import Calls
from .rules import is_late, sync_name

T = TypeVar("T")


class Blocking:
    """An async object behind methods that block."""

    _async_class: ClassVar[type]

    _async: Any
    _calls: Calls

    @classmethod
    def _of(cls, value: Any, calls: Calls) -> Self:
        """The blocking object for an async one.

        Args:
            value: The async object.
            calls: The calls it takes part in.
        """
        made = cls.__new__(cls)
        made._adopt(value, calls)
        return made

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Creates the object with the arguments of its async class. Blocking objects stand for their async ones."""
        given = next((value for value in (*args, *kwargs.values()) if isinstance(value, Blocking)), None)
        made = self._async_class(*map(unwrapped, args), **{name: unwrapped(value) for name, value in kwargs.items()})
        self._adopt(made, Calls() if given is None else given._calls)

    def _adopt(self, value: Any, calls: Calls) -> None:
        self._async = value
        self._calls = calls

    def _give(self, value: Any, deep: bool) -> Any:
        """What callers get for a value of the async object."""
        return self if value is self._async else wrapped(value, self._calls, deep=deep)

    if not TYPE_CHECKING:  # for type checkers, classes with a __getattr__ have every attribute

        def __getattr__(self, name: str) -> Any:
            # Attributes that the constructor of the async class sets are not in this class.
            if not name.startswith("_"):
                with suppress(AttributeError):
                    return self._give(getattr(self._async, name), True)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __repr__(self) -> str:
        """That of the async object under this class's name."""
        return repr(self._async).replace(self._async_class.__name__, type(self).__name__, 1)

    def __eq__(self, other: object) -> bool:
        """Whether the async objects are equal."""
        return bool(self._async == other._async) if isinstance(other, Blocking) else NotImplemented

    def __hash__(self) -> int:
        """That of the async object."""
        return hash(self._async)


class Iterated(Iterator[T]):
    """What an async generator makes, one by one."""

    def __init__(self, source: AsyncGeneratorType[T, None], calls: Calls) -> None:
        """Creates the iterator."""
        self._source = source
        self._calls = calls

    def __next__(self) -> T:
        """The next one, when it is there."""
        item: T = next_of(self._source, self._calls)
        return item


def next_of(source: Any, calls: Calls) -> Any:
    """The next item of an async iterator, when it is there.

    Raises:
        StopIteration: There is none.
    """
    try:
        return wrapped(calls.run(lambda _: source.__anext__()).get(), calls)
    except StopAsyncIteration:
        raise StopIteration from None


# Blocking classes by async class.
_counterparts: dict[type, type[Blocking]] = {}


def register(cls: type, made: type[Blocking]) -> type[Blocking]:
    """Has objects of an async class come to callers as those of a blocking one: the first that is registered."""
    return _counterparts.setdefault(cls, made)


def counterpart(cls: type) -> type[Blocking] | None:
    """The blocking class of an async one, if it has one."""
    return _counterparts.get(cls)


def wrapped(value: Any, calls: Calls, *, deep: bool = False) -> Any:
    """What callers get for a value of the async side.

    Args:
        value: The value.
        calls: The calls it takes part in, if it is an async object.
        deep: Whether it may be a list, a tuple or a dictionary of such objects.
    """
    found = _counterparts.get(type(value)) or _of_base(type(value))
    if found is not None:
        return found._of(value, calls)
    if isinstance(value, AsyncGeneratorType):
        return Iterated(value, calls)
    if deep and type(value) in (list, tuple):
        items = [wrapped(item, calls) for item in value]
        return type(value)(items) if _differ(items, value) else value
    if deep and type(value) is dict:
        items = [wrapped(item, calls) for item in value.values()]
        return dict(zip(value, items, strict=True)) if _differ(items, value.values()) else value
    return value


def unwrapped(value: Any) -> Any:
    """What the async side gets for a value of a caller."""
    return value._async if isinstance(value, Blocking) else value


def _of_base(cls: type) -> type[Blocking] | None:
    if is_late(cls.__module__):
        from . import classes

        late: type[Blocking] = getattr(classes, sync_name(cls.__name__))
        return late
    # Interceptors may return objects of classes derived from ours.
    return next((_counterparts[base] for base in cls.__mro__ if base in _counterparts), None)


def _differ(items: Iterable[Any], others: Iterable[Any]) -> bool:
    return any(item is not other for item, other in zip(items, others, strict=True))
