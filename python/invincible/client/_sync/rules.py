"""What blocking classes are called and how their docs read. The generator of their stub loads this file by itself, when
the package cannot be imported yet, so it imports nothing of the package.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

# Where programs get their first objects from. Whatever these lead to gets a blocking class if it needs one.
ROOTS = ("Client", "CloudOperationsClient")

# Modules whose classes may get one. Values of others, data converters say, are handed on as they are.
SCOPE = ("invincible.client", "invincible.service")

# Classes that get one at its first use, because their modules load protobuf.
LATE = {
    f"{name.capitalize()}Service": f"invincible.api._services.{name}"
    for name in ("cloud", "health", "operator", "test", "workflow")
}

# Hand-written bases of blocking classes, by the async class, as module and name. Their docs are the class's.
BASES = {
    "Client": ("invincible.client._sync.lifetime", "ClientLifetime"),
    "CloudOperationsClient": ("invincible.client._sync.lifetime", "CloudClientLifetime"),
    "ServiceClient": ("invincible.client._sync.lifetime", "ConnectionLifetime"),
}
COMMON_BASE = ("invincible.client._sync.blocking", "Blocking")

# Special methods that have something to wait for, and what they are called where that blocks.
SPECIAL = {
    "__anext__": "__next__",
    "__aiter__": "__iter__",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
}


def sync_name(name: str) -> str:
    """The blocking class's name."""
    return f"Sync{name.replace('AsyncIterator', 'Iterator')}"


def sync_doc(doc: str, names: Collection[str]) -> str:
    """The docs of an async class or method as those of its blocking one.

    Args:
        doc: The docs.
        names: Async classes that have a blocking one.
    """
    doc = re.sub(r"\b(await|async(?= (for|with|def)\b)) ", "", doc)
    return re.sub(r"\b[A-Z]\w+", lambda match: sync_name(match[0]) if match[0] in names else match[0], doc)


class Facts(NamedTuple):
    """What decides whether a class gets a blocking one.

    Attributes:
        bases: Names of its bases.
        waits: Whether a member of its own has something to wait for.
        given: Names in the annotations of what its members give.
        taken: Names in the annotations of what its methods take. Constructors do not count: who calls them has an async
            program.
    """

    bases: Collection[str]
    waits: bool
    given: Collection[str]
    taken: Collection[str]


def chosen(classes: Mapping[str, Facts]) -> list[str]:
    """The classes that get a blocking one: those that the roots lead to and that have something to wait for, or lead to
    such a one; and their bases, which come before them.
    """
    lineages = {name: _lineage(name, classes) for name in classes}
    reached = _reached(classes)
    waiting = {name for name in reached if any(classes[base].waits for base in lineages[name])}
    while more := {
        name
        for name in reached - waiting
        if any(not waiting.isdisjoint(classes[base].given) for base in lineages[name])
    }:
        waiting |= more
    return list(dict.fromkeys(base for name in sorted(waiting) for base in reversed(lineages[name])))


def _lineage(name: str, classes: Mapping[str, Facts]) -> list[str]:
    """A class and all its bases, which come after it."""
    found = [name]
    for cls in found:
        found += [base for base in classes[cls].bases if base in classes]
    return list(dict.fromkeys(reversed(found)))[::-1]


def _reached(classes: Mapping[str, Facts]) -> set[str]:
    reached: set[str] = set()
    left = list(ROOTS)
    while left:
        name = left.pop()
        if name in classes and name not in reached:
            reached.add(name)
            left += [*classes[name].bases, *classes[name].given, *classes[name].taken]
    return reached


def identifiers(annotation: object) -> frozenset[str]:
    """All names in an annotation."""
    text = annotation if isinstance(annotation, str) else repr(annotation)
    return frozenset(re.findall(r"[A-Za-z_]\w*", text))


def in_scope(module: str) -> bool:
    """Whether classes of a module may get blocking ones."""
    return any(module == name or module.startswith(f"{name}.") for name in SCOPE)


def is_late(module: str) -> bool:
    """Whether the classes of a module get blocking ones at their first use."""
    return module in LATE.values()
