"""Source files of a project, found without importing anything."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

# Folders whose sources are not the project's own.
SKIPPED_FOLDERS = frozenset({"__pycache__", "build", "dist", "node_modules", "site-packages"})


def source_files(folder: Path) -> Iterator[Path]:
    """The source files of a project, in a stable order."""
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith(".") or entry.name in SKIPPED_FOLDERS:
            continue
        if entry.is_dir():
            if not (entry / "pyvenv.cfg").exists():
                yield from source_files(entry)
        elif entry.suffix == ".py":
            yield entry


def shown_path(path: str) -> str:
    """A path as people write it: relative where it is below the current folder."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except (OSError, ValueError):
        return path


def module_source(name: str, here: Path) -> Path | None:
    """The source of a module, found as an import would find it, but without importing the packages around it."""
    top, *rest = name.split(".")
    if not top or not all(rest):
        return None
    spec = PathFinder.find_spec(top, [str(here), *sys.path]) or _installed_otherwise(top)
    for part in rest:
        if spec is None or not spec.submodule_search_locations:
            return None
        # By its own name: for one with dots, packages without an __init__.py want those around them imported.
        spec = PathFinder.find_spec(part, list(spec.submodule_search_locations))
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    return Path(spec.origin)


def _installed_otherwise(top: str) -> ModuleSpec | None:
    """By a finder of its own, as some packages are that are installed to be edited."""
    with suppress(ImportError, ValueError):
        return importlib.util.find_spec(top)
    return None
