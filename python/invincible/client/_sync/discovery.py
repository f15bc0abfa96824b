"""Which async classes get a blocking one, and what their members are."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, get_origin

from typing_extensions import is_typeddict

from .rules import SPECIAL, Facts, chosen, identifiers, in_scope


def async_classes() -> list[type]:
    """These classes, bases before those derived from them."""
    known = {
        cls.__name__: cls
        for module in list(sys.modules.values())
        if in_scope(getattr(module, "__name__", ""))
        for cls in vars(module).values()
        if isinstance(cls, type) and cls.__module__ == module.__name__ and not is_typeddict(cls)
    }
    return [known[name] for name in chosen({name: _facts(cls) for name, cls in known.items()})]


def _facts(cls: type) -> Facts:
    given: set[str] = set()
    taken: set[str] = set()
    for base in vars(cls).get("__orig_bases__", ()):  # PagedIterator[...] says what it gives
        given |= identifiers(repr(base))
    for annotation in fields(cls).values():
        given |= mentioned(annotation, vars(sys.modules[cls.__module__]))
    for _, getter in properties(cls):
        given |= mentioned(inspect.get_annotations(getter).get("return"), getter.__globals__)
    for name, function in functions(cls):
        for parameter, annotation in inspect.get_annotations(function).items():
            if parameter == "return":
                given |= mentioned(annotation, function.__globals__)
            elif not isinstance(vars(cls)[name], classmethod):
                taken |= mentioned(annotation, function.__globals__)
    waits = any(_waits(name, function) for name, function in functions(cls))
    return Facts([base.__name__ for base in cls.__bases__], waits, given, taken)


def _waits(name: str, function: Any) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function) or name in SPECIAL


def mentioned(annotation: object, names: Mapping[str, Any]) -> frozenset[str]:
    """The names in an annotation, and in the aliases it uses.

    Args:
        annotation: The annotation.
        names: What names mean where it stands.
    """
    found = identifiers(annotation)
    aliases = [value for name in found if get_origin(value := names.get(name)) is not None]
    return found.union(*map(identifiers, aliases))


def functions(cls: type) -> Iterator[tuple[str, Any]]:
    """The functions under a class's own public methods, and under special ones that have something to wait for."""
    for name, member in vars(cls).items():
        function = member.__func__ if isinstance(member, (classmethod, staticmethod)) else member
        if (not name.startswith("_") or name in SPECIAL) and inspect.isfunction(function):
            yield name, function


def properties(cls: type) -> Iterator[tuple[str, Any]]:
    """A class's own public properties with the functions that get them."""
    for name, member in vars(cls).items():
        getter = member.fget if isinstance(member, property) else getattr(member, "func", None)
        if not name.startswith("_") and isinstance(member, (property, cached_property)) and getter is not None:
            yield name, getter


def fields(cls: type) -> dict[str, Any]:
    """A class's own public fields with their annotations."""
    return {
        name: annotation
        for name, annotation in inspect.get_annotations(cls).items()
        if not name.startswith("_") and "ClassVar" not in identifiers(annotation)
    }
