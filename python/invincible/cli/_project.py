"""Where the code of a project is, and how it is imported: a file, a module or a folder, and what these import."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
import tokenize
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from invincible.worker._told import ProgramError, words

from ._sources import SKIPPED_FOLDERS, module_source, shown_path, source_files

_DECORATORS = frozenset({"defn", "service_handler"})


class CannotLoadError(ProgramError):
    """A project cannot be imported, or has nothing for a worker. The first line of the message begins with the place
    if there is one."""


@dataclass(frozen=True)
class Target:
    """What to import.

    Args:
        given: What was asked for: a file, a folder, or the name of a module.
        name: A short name of it.
        project: The folder whose modules count as the project's own.
        search: Folders in which imports look first.
        modules: What to import: names of modules, and files that imports would not find.
    """

    given: str
    name: str
    project: Path
    search: tuple[Path, ...]
    modules: tuple[str | Path, ...]


def locate(given: str) -> Target:
    """Find what a command line argument stands for; nothing is imported.

    Raises:
        ValueError: There is no such file, folder or module.
    """
    here = Path.cwd()
    path = Path(given)
    if given and path.is_dir():
        folder = path.resolve()
        files = [file for file in source_files(folder) if not _is_test(file, folder) and _defines_something(file)]
        if not files:
            raise ValueError(f"no file in {given!r} has a @workflow.defn or an @activity.defn")
        root = _import_root(folder)
        names: list[str | Path] = [_module_name(file, root) or file for file in files]
        return Target(given, folder.name or "dev", _project(root, here), (root,), tuple(names))
    if path.suffix == ".py" or "/" in given or "\\" in given:
        if not path.is_file():
            raise ValueError(f"there is no file {given!r}")
        file = path.resolve()
        root = _import_root(file.parent)
        search = tuple(dict.fromkeys((root, here)))
        name = file.parent.name if file.stem in ("__init__", "__main__") else file.stem
        return Target(given, name, _project(root, here), search, (_module_name(file, root) or file,))
    if module_source(given, here) is None:
        file_hint = f"; for the file give {given}.py" if Path(f"{given}.py").is_file() else ""
        raise ValueError(f"there is no file, folder or module {given!r}{file_hint}")
    return Target(given, given.rpartition(".")[2], here, (here,), (given,))


def load(target: Target) -> list[ModuleType]:
    """Import what a target names, as ``import`` does: nothing under ``if __name__ == "__main__"`` runs.

    Raises:
        CannotLoadError: An import fails; the message has the file and the line.
    """
    for folder in reversed(target.search):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    return [_load(each) for each in target.modules]


def project_modules(target: Target, loaded: Sequence[ModuleType]) -> list[ModuleType]:
    """The modules that were imported of the project, those that were asked for first."""
    others = [each for each in list(sys.modules.values()) if _is_of_project(each, target.project)]
    return list({id(each): each for each in [*loaded, *others]}.values())


def _load(what: str | Path) -> ModuleType:
    try:
        if isinstance(what, Path):
            return _load_file(what)
        module = importlib.import_module(what)
    except SystemExit as error:
        raise CannotLoadError(f"{_place_in(error)}sys.exit({error.code!r}) was called by the import") from None
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        raise CannotLoadError(told(error)) from None
    return module


def _load_file(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    shadowed = sys.modules.get(spec.name)
    if shadowed is None:
        sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def told(error: BaseException) -> str:
    """An error of an import: its place and its words, then the line itself, and which imports led there."""
    if isinstance(error, SyntaxError) and error.filename:
        headline = f"{shown_path(error.filename)}:{error.lineno}: {type(error).__name__}: {error.msg}"
        # Without the place and the words, which stand in the first line.
        shown = traceback.format_exception_only(type(error), error)
        return "\n".join([headline, *(line.rstrip() for line in shown[1:-1])])
    frames = _user_frames(error)
    if not frames:
        return words(error)
    lines = [f"{_place_in(error)}{words(error)}"]
    for frame in reversed(frames):
        where = f"{shown_path(frame.filename)}:{frame.lineno}, in {frame.name}"
        lines += [f"  {where}", f"    {frame.line}"]
    return "\n".join(lines)


def _place_in(error: BaseException) -> str:
    frames = _user_frames(error)
    return f"{shown_path(frames[-1].filename)}:{frames[-1].lineno}: " if frames else ""


def _user_frames(error: BaseException) -> list[traceback.FrameSummary]:
    import invincible

    ours = (*(f"{path}/" for path in invincible.__path__), "<frozen ", importlib.__file__)
    return [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(ours)]


def _is_of_project(module: Any, project: Path) -> bool:
    file = getattr(module, "__file__", None)
    name = str(getattr(module, "__name__", ""))
    if not isinstance(file, str) or name.partition(".")[0] in ("invincible", "__main__", "__mp_main__"):
        return False
    path = Path(file)
    if not path.is_relative_to(project) or path.suffix != ".py":
        return False
    folders = path.relative_to(project).parts[:-1]
    if any(each.startswith(".") or each in SKIPPED_FOLDERS for each in folders):
        return False
    return not any((parent / "pyvenv.cfg").exists() for parent in path.parents if parent.is_relative_to(project))


def _project(root: Path, here: Path) -> Path:
    """The current folder, if it is around the file and has been made for a project."""
    return here if root.is_relative_to(here) and here not in (Path.home(), Path(here.anchor)) else root


def _import_root(folder: Path) -> Path:
    """The folder that the imports of a folder's files start from: the first one that is no package."""
    while (folder / "__init__.py").exists():
        folder = folder.parent
    return folder


def _module_name(file: Path, root: Path) -> str | None:
    """What an import calls a file; ``None`` if it cannot be imported by a name, or another module has that name."""
    parts = list(file.relative_to(root).with_suffix("").parts)
    if parts[-1] == "__init__":
        parts.pop()
    if not parts or not all(part.isidentifier() for part in parts):
        return None
    name = ".".join(parts)
    top = sys.modules.get(parts[0])
    taken = parts[0] in sys.stdlib_module_names or (top is not None and not _is_below(top, root))
    return None if taken else name


def _is_below(module: ModuleType, root: Path) -> bool:
    file = getattr(module, "__file__", None)
    return file is None or Path(file).resolve().is_relative_to(root)


def _defines_something(file: Path) -> bool:
    """Whether a source file decorates something that a worker runs; files that cannot be parsed count, to be told."""
    try:
        with tokenize.open(file) as source:
            text = source.read()
        if not any(name in text for name in _DECORATORS):
            return False
        tree = ast.parse(text)
    except (OSError, SyntaxError, ValueError):
        return True
    decorated = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return any(
        _decorator_name(decorator) in _DECORATORS
        for node in ast.walk(tree)
        if isinstance(node, decorated)
        for decorator in node.decorator_list
    )


def _is_test(file: Path, folder: Path) -> bool:
    """Whether a file is of the project's tests, whose definitions are stand-ins for those that count."""
    of_tests = {"test", "tests"} & set(file.relative_to(folder).parts[:-1])
    return bool(of_tests) or file.name == "conftest.py" or file.stem.startswith("test_") or file.stem.endswith("_test")


def _decorator_name(node: ast.expr) -> str:
    node = node.func if isinstance(node, ast.Call) else node
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
