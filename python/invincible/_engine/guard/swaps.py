"""Functions that are replaced by guarded ones while workflow code may run, as values of the dictionaries they are in.

The interpreter's caches depend on the keys of module dictionaries, not on the values, so the swap disturbs nobody. Only
values that are known are replaced, and only replacements of our own are taken back: what a test tool put there stays
and is what a guarded call reaches.
"""

from __future__ import annotations

from asyncio import _get_running_loop
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from operator import itemgetter
from types import FunctionType, MethodType
from typing import Any
from weakref import WeakSet

from invincible._engine.loop import WorkflowLoop

from .rules import Rule
from .stack import refuse

_guarded_functions: WeakSet[FunctionType] = WeakSet()

Plan = tuple[
    Callable[[Any], Any], MutableMapping[str, Any], Any, Callable[[Mapping[str, Any]], None], Mapping[str, Any]
]


def guarded(name: str, rule: Rule, original: Callable[..., Any]) -> Any:
    """A function that is as the original, except that workflow code may not call it.

    It is a bound method, because a plain function would turn into a method where a class body of another thread happens
    to take it for an attribute: ``clock = time.monotonic``.
    """

    def call(original: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        if type(_get_running_loop()) is WorkflowLoop and rule.applies(len(args) + len(kwargs)):
            refuse(name, rule)
        return original(*args, **kwargs)

    call.__module__ = name.rpartition(".")[0]
    call.__name__ = call.__qualname__ = name.rpartition(".")[2]
    call.__doc__ = original.__doc__
    assert isinstance(call, FunctionType)
    _guarded_functions.add(call)
    return MethodType(call, original)


def original_of(value: Any) -> Any:
    """The function behind a guarded one; any other value as it is."""
    if type(value) is MethodType and value.__func__ in _guarded_functions:
        return value.__self__
    return value


class Swaps:
    """The guarded names of one dictionary: those of a module, or of an object.

    Attributes:
        put: What replaces the originals: a getter of all values, the dictionary, the values that must be there, the
            dictionary's ``update`` and the new items. A plan and no method, because both run for each batch.
        restore: What puts them back, of the same form.
    """

    def __init__(self, values: MutableMapping[str, Any], rules: Mapping[str, tuple[str, Rule]]) -> None:
        self._values = values
        self._rules = rules
        self.read()

    def read(self) -> None:
        """Take what the names stand for now as the originals."""
        originals: dict[str, Any] = {}
        guards: dict[str, Any] = {}
        for name, (full_name, rule) in self._rules.items():
            original = original_of(self._values.get(name))
            if callable(original):
                originals[name] = original
                guards[name] = guarded(full_name, rule, original)
        self._originals = originals
        self._guards = guards
        # The getter gives a tuple for two names or more.
        get: Callable[[Any], Any] = itemgetter(*originals) if originals else _nothing
        values, update = self._values, self._values.update
        self.put: Plan = (get, values, get(originals), update, guards)
        self.restore: Plan = (get, values, get(guards), update, originals)

    def restore_own(self) -> None:
        """Put the originals back where the guarded functions still are, and leave what somebody else put there."""
        for name, function in self._guards.items():
            if self._values.get(name) is function:
                self._values[name] = self._originals[name]

    def originals(self) -> Iterable[tuple[Any, tuple[str, Rule]]]:
        """The functions that are replaced, with the full name and the rule of each."""
        return [(original, self._rules[name]) for name, original in self._originals.items()]


def _nothing(values: object) -> None:
    return None
