"""Public names of packages that are imported when they are first used (PEP 562).

A program pays for what it uses of a package, not for all that the package has. Type checkers see plain imports:

    if TYPE_CHECKING:
        from ._client import Client
    else:
        __getattr__, __dir__ = lazy_names(__name__, {"._client": "Client"})
"""

import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module


def lazy_names(package: str, modules: Mapping[str, str]) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """The ``__getattr__`` and ``__dir__`` of a package.

    Args:
        package: The package's or module's name.
        modules: By module, relative to the package or by its full name, the names to take from there, separated by
            spaces.
    """
    homes = {name: module for module, names in modules.items() for name in names.split()}
    values = vars(sys.modules[package])
    parent = values["__package__"]

    def getattribute(name: str) -> object:
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        # Kept, so that the next use finds it without coming here.
        value = values[name] = getattr(import_module(home, parent), name)
        return value

    def directory() -> list[str]:
        return sorted({*values, *homes})

    return getattribute, directory


def load(packages: Iterable[str]) -> None:
    """Import all public names of these packages now, so that none of them is imported later on."""
    for package in packages:
        module = import_module(package)
        for name in module.__all__:
            getattr(module, name)
