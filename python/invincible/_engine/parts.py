"""Parts of a run that most runs do not need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

from typing_extensions import Self

T_co = TypeVar("T_co", covariant=True)


class made_when_used(Generic[T_co]):
    """A method that makes a part of its object: the part is made once, when it is first asked for.

    ``functools.cached_property`` takes a lock before Python 3.12, and makes the dictionary of the object, which takes
    more memory than its values.
    """

    def __init__(self, make: Callable[[Any], T_co]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T_co: ...
    def __get__(self, instance: object, owner: type) -> T_co | Self:
        if instance is None:
            return self
        part = self._make(instance)
        setattr(instance, self._name, part)
        return part
