"""Functions that are replaced by guarded ones while workflow code may run, as values of the dictionaries they are in.

The interpreter's caches depend on the keys of module dictionaries, not on the values, so the swap disturbs nobody. Only
values that are known are replaced, and only replacements of our own are taken back: what a test tool put there stays
and is what a guarded call reaches.
"""

from __future__ import annotations

from asyncio import _get_running_loop
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from functools import partial, update_wrapper
from operator import itemgetter
from pkgutil import resolve_name
from sys import intern
from types import ModuleType
from typing import Any

from invincible._engine.loop import WorkflowLoop

from .rules import Rule, rule_of
from .stack import refuse

# From as many names on, it is faster to handle a dictionary as a whole.
_MANY = 8

Replace = Callable[[Any], Any]
Bulk = tuple[
    Callable[[Any], Any], MutableMapping[str, Any], Any, Callable[[Mapping[str, Any]], None], Mapping[str, Any]
]
Entry = tuple[MutableMapping[str, Any], str, Any, Any]


class Guarded(partial[Any]):
    """A function that workflow code may not call, and that is the original for everybody else.

    Other threads may meet it at any moment, and keep it: it is found where the original is (``os.supports_fd``), can be
    pickled, and does not turn into a method where a class body happens to take it for an attribute.
    """

    name: str
    __wrapped__: Any

    def __eq__(self, other: object) -> bool:
        return self.__wrapped__ is original_of(other)

    def __hash__(self) -> int:
        return hash(self.__wrapped__)

    def __get__(self, instance: object, owner: type | None = None) -> Guarded:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return resolve_name, (self.name,)


class GuardedModule:
    """A module for the module that has imported it: workflow code may not have those of its attributes with a rule."""

    __slots__ = ("__wrapped__", "_rules")

    def __init__(self, rules: Mapping[str, tuple[str, Rule]], original: ModuleType) -> None:
        self.__wrapped__ = original
        self._rules = rules

    def __getattr__(self, name: str) -> Any:
        if name in self._rules:
            refuse(*self._rules[name])
        return getattr(self.__wrapped__, name)


def guarded(name: str, rule: Rule, original: Callable[..., Any]) -> Guarded:
    """What replaces a function with this full name."""

    def call(original: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        if type(_get_running_loop()) is WorkflowLoop and rule.applies(len(args) + len(kwargs)):
            refuse(name.removeprefix("builtins."), rule)
        return original(*args, **kwargs)

    function = Guarded(call, original)
    function.name = name
    update_wrapper(function, original, updated=())
    return function


def reduce_function(function: Any) -> str | tuple[Any, ...]:
    """How ``pickle`` is to store a function of C: by its name, also while another function has this name."""
    name = f"{function.__module__}.{function.__name__}"
    return (resolve_name, (name,)) if rule_of(name) is not None else function.__reduce__()


def original_of(value: Any) -> Any:
    """The function behind a guarded one; any other value as it is."""
    return value.__wrapped__ if type(value) in (Guarded, GuardedModule) else value


class Swaps:
    """The guarded names of one dictionary: those of a module, or of an object.

    Attributes:
        put: What replaces the originals, for all names at once: a getter of all values, the dictionary, the values that
            must be there, the dictionary's ``update`` and the new items. A plan and no method, because both run for
            each batch.
        restore: What puts them back, of the same form.
        entries: The same for a few names: the dictionary, the name, the original and what replaces it. ``put`` and
            ``restore`` are ``None`` then.
    """

    def __init__(self, values: MutableMapping[str, Any], replacements: Mapping[str, Replace]) -> None:
        self._values = values
        # The dictionary's own keys, because the interpreter finds a string faster than an equal one.
        self._replacements = {intern(name): replace for name, replace in replacements.items()}
        self.read()

    def read(self) -> None:
        """Take what the names stand for now as the originals."""
        found = {name: original_of(self._values.get(name)) for name in self._replacements}
        # A function that this platform does not have is None or missing.
        self._originals = {name: original for name, original in found.items() if original is not None}
        self._guards = {name: self._replacements[name](original) for name, original in self._originals.items()}
        self.put: Bulk | None = None
        self.restore: Bulk | None = None
        self.entries: tuple[Entry, ...] = ()
        if len(self._originals) >= _MANY:
            get: Callable[[Any], Any] = itemgetter(*self._originals)
            values, update = self._values, self._values.update
            self.put = (get, values, get(self._originals), update, self._guards)
            self.restore = (get, values, get(self._guards), update, self._originals)
        else:
            self.entries = tuple(
                (self._values, name, original, self._guards[name]) for name, original in self._originals.items()
            )

    def put_all(self) -> None:
        """Replace the originals, whatever is there."""
        self._values.update(self._guards)

    def restore_own(self) -> None:
        """Put the originals back where the guarded functions still are, and leave what somebody else put there."""
        for name, function in self._guards.items():
            if self._values.get(name) is function:
                self._values[name] = self._originals[name]

    def functions(self) -> Iterable[tuple[Any, Replace]]:
        """The functions that are replaced, and what makes the replacement of each."""
        return [(original, self._replacements[name]) for name, original in self._originals.items()]
