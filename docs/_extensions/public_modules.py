"""Which modules and names of the package are public."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import invincible

# Messages are Temporal's; commands and fixtures are described where they are used.
_WITHOUT = ("__main__", "api", "cli", "testing.pytest_plugin")


def modules() -> Iterator[ModuleType]:
    """The public modules."""
    root = Path(invincible.__path__[0])
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        if name and not re.search(r"\b_", name) and not f"{name}.".startswith(tuple(f"{each}." for each in _WITHOUT)):
            yield importlib.import_module(f"invincible.{name}")


def names(module: ModuleType) -> list[str]:
    """The public names of a module: what it lists, or else defines."""
    listed = getattr(module, "__all__", None)
    if listed is not None:
        return list(listed)
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    ]
