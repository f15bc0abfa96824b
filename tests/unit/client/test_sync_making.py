"""How a blocking class is made: every kind of member that an async class may have."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar, cast

import pytest

from invincible.client._sync.blocking import Blocking
from invincible.client._sync.making import Maker

T = TypeVar("T")


class Shelf(Generic[T]):
    """A shelf: ``await shelf.take()``."""

    def __init__(self, things: Sequence[Thing]) -> None:
        self.things = list(things)
        self.label = "shelf"
        self._position = 0

    @classmethod
    async def build(cls, *names: str, like: Shelf[Any] | None = None) -> Shelf[Any]:
        await asyncio.sleep(0)
        made = cls([Thing(name) for name in names])
        made.label = like.label if like else made.label
        return made

    @classmethod
    def empty(cls) -> Shelf[Any]:
        return cls([])

    @staticmethod
    async def sturdiest(shelves: int) -> Thing:
        return Thing(f"of {shelves}")

    @property
    def first(self) -> Thing | None:
        return self.things[0] if self.things else None

    @property
    def name(self) -> str:
        return self.label

    @name.setter
    def name(self, value: str) -> None:
        self.label = value

    @cached_property
    def last(self) -> Thing:
        return self.things[-1]

    @property
    def all(self) -> Sequence[T]:
        return cast("Sequence[T]", tuple(self.things))

    def by_name(self) -> dict[str, Thing]:
        return {thing.name: thing for thing in self.things}

    def itself(self) -> Shelf[T]:
        return self

    async def add(self, thing: Thing, *, at: int = 0) -> int:
        await asyncio.sleep(0)
        self.things.insert(at, thing)
        return len(self.things)

    async def each(self, function: Callable[[Thing], str]) -> list[str]:
        made = []
        for thing in self.things:
            answer: Any = function(thing)
            made.append(await answer if asyncio.iscoroutine(answer) else answer)
        return made

    async def names(self) -> AsyncIterator[str]:
        for thing in self.things:
            yield await thing.shout()

    def __aiter__(self) -> Shelf[T]:
        return self

    async def __anext__(self) -> Thing:
        if self._position >= len(self.things):
            raise StopAsyncIteration
        self._position += 1
        return self.things[self._position - 1]

    async def __aenter__(self) -> Shelf[T]:
        self.label = "entered"
        return self

    async def __aexit__(self, *details: object) -> None:
        self.label = "left"


@dataclass
class Thing:
    """A thing."""

    name: str
    parts: list[Thing] = field(default_factory=list)

    async def shout(self) -> str:
        await asyncio.sleep(0)
        return self.name.upper()


class RedThing(Thing):
    """A thing of somebody else's, made by an interceptor perhaps."""


_maker = Maker(["Shelf", "Thing"], __name__)
SyncThing: Any = _maker.make(Thing)
SyncShelf: Any = _maker.make(Shelf)


@pytest.fixture
def shelf() -> Any:
    return SyncShelf.build("apple", "pear")


def names_of(things: Any) -> list[tuple[type, str]]:
    return [(type(thing), thing.name) for thing in things]


def test_constructors_and_class_methods(shelf: Any) -> None:
    assert type(shelf) is SyncShelf
    assert type(SyncShelf.empty()) is SyncShelf
    assert type(SyncShelf([Thing("fig")])) is SyncShelf
    assert SyncShelf[int].__origin__ is SyncShelf
    shelf.name = "mine"
    assert SyncShelf.build(like=shelf).name == "mine"

    class Own(SyncShelf):  # type: ignore[misc]
        pass

    assert type(Own.build("fig")) is Own
    thing = SyncShelf.sturdiest(3)
    assert (type(thing), thing.name) == (SyncThing, "of 3")


def test_properties_and_attributes(shelf: Any) -> None:
    assert (type(shelf.first), shelf.first.name) == (SyncThing, "apple")
    assert SyncShelf.empty().first is None
    assert shelf.last.name == "pear"
    assert shelf.last == shelf.last
    shelf.name = "other"
    assert shelf.label == "other"
    with pytest.raises(AttributeError):
        shelf.first = Thing("fig")
    with pytest.raises(AttributeError, match="'SyncShelf' object has no attribute '_position'"):
        _ = shelf._position


def test_containers_of_async_objects_are_made_anew_and_others_are_not(shelf: Any) -> None:
    assert names_of(shelf.all) == [(SyncThing, "apple"), (SyncThing, "pear")]
    assert names_of(shelf.by_name().values()) == [(SyncThing, "apple"), (SyncThing, "pear")]
    assert names_of(shelf.things) == [(SyncThing, "apple"), (SyncThing, "pear")]
    thing = Thing("fig")
    assert SyncThing._of(thing, shelf._calls).parts is thing.parts


def test_methods(shelf: Any) -> None:
    assert shelf.first.shout() == "APPLE"
    assert shelf.add(Thing("fig"), at=1) == 3
    assert shelf.add(shelf.first) == 4
    assert [type(thing) for thing in shelf._async.things] == [Thing] * 4
    assert shelf.itself() is shelf
    with pytest.raises(TypeError, match="unexpected keyword argument 'wrong'"):
        shelf.add(Thing("fig"), wrong=1)


def test_iteration(shelf: Any) -> None:
    assert iter(shelf) is shelf
    assert [(type(thing), thing.name) for thing in shelf] == [(SyncThing, "apple"), (SyncThing, "pear")]
    assert list(shelf.names()) == ["APPLE", "PEAR"]


def test_context_managers(shelf: Any) -> None:
    with shelf as entered:
        assert entered is shelf
        assert shelf.label == "entered"
    assert shelf.label == "left"


def test_functions_of_the_caller(shelf: Any) -> None:
    def describe(thing: Any) -> str:
        assert threading.get_ident() == caller
        assert type(thing) is SyncThing
        return f"{thing.shout()}!"

    caller = threading.get_ident()
    assert shelf.each(describe) == ["APPLE!", "PEAR!"]


def test_objects_of_derived_classes(shelf: Any) -> None:
    shelf.add(RedThing("fig"))
    assert type(shelf.first) is SyncThing
    assert shelf.first.shout() == "FIG"


def test_names_docs_and_equality(shelf: Any) -> None:
    assert SyncShelf.__doc__ == "A shelf: ``shelf.take()``."
    assert SyncShelf.__module__ == __name__
    assert SyncShelf.__next__.__name__ == "__next__"
    assert repr(SyncThing("fig")) == "SyncThing(name='fig', parts=[])"
    assert SyncThing("fig") == SyncThing("fig")
    assert SyncThing("fig") != SyncThing("pear")
    assert SyncThing("fig") != Thing("fig")
    with pytest.raises(TypeError, match="unhashable"):
        hash(SyncThing("fig"))
    assert issubclass(SyncShelf, Blocking)
