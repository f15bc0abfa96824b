"""The functions and classes that the names in the rules stand for."""

from __future__ import annotations

import sys

from .rules import RULES
from .swaps import original_of


def known_objects() -> dict[int, tuple[object, str]]:
    """The functions and classes there are rules for, and classes of such methods, as far as their modules are imported.

    By identity, with the full name of each; the objects are in it to keep their ids in use.
    """
    known: dict[int, tuple[object, str]] = {}
    for name in RULES:
        for path in (name, name.rpartition(".")[0]):
            module, _, attribute = path.rpartition(".")
            found = original_of(getattr(sys.modules.get(module), attribute, None))
            if found is not None:
                known.setdefault(id(found), (found, path))
    return known
