"""The public surface of an SDK as plain data. A program too: `python -m tests.parity.surface temporalio`."""

from __future__ import annotations

import ast
import dataclasses
import enum
import importlib
import inspect
import json
import re
import sys
import warnings
from functools import cache
from types import ModuleType
from typing import Any, get_args, get_origin

from typing_extensions import is_typeddict

MODULES = (
    "activity",
    "client",
    "common",
    "converter",
    "envconfig",
    "exceptions",
    "nexus",
    "plugin",
    "runtime",
    "service",
    "testing",
    "types",
    "worker",
    "worker.workflow_sandbox",
    "workflow",
    "contrib.pydantic",
    "contrib.opentelemetry",
)
# A default that is not known: the parameter comes from a typed dict, or a function makes it.
ANY_DEFAULT = "..."

Surface = dict[str, Any]


def surface_of(root: str, *, with_imported: bool) -> dict[str, Surface | None]:
    """Public names of each module with what they are; `None` for modules that do not exist.

    Args:
        root: Name of the package.
        with_imported: Whether names that are defined in other public modules count.
    """
    return {module: _module(root, module, with_imported) for module in MODULES}


def _module(root: str, name: str, with_imported: bool) -> Surface | None:
    full_name = f"{root}.{name}"
    try:
        module = importlib.import_module(full_name)
    except ModuleNotFoundError as error:
        if error.name and full_name.startswith(error.name):
            return None
        raise
    # Some are loaded only when they are asked for.
    names = sorted({*vars(module), *getattr(module, "__all__", ())})
    return {
        name: _described(root, value)
        for name, value in ((name, getattr(module, name)) for name in names)
        if not name.startswith("_")
        and not inspect.ismodule(value)
        and name != "TYPE_CHECKING"
        and (with_imported or _is_defined_in(full_name, value))
    }


def _is_defined_in(module: str, value: Any) -> bool:
    """Whether a module's name is its own: not what it imports, but what its private modules define."""
    # Values without a module of their own, numbers say, count by the type's.
    home = getattr(value, "__module__", None) or type(value).__module__
    return home == "builtins" or home == module or home.startswith(f"{module}._")


def _described(root: str, value: Any) -> Surface:
    if inspect.isclass(value):
        return _class(root, value)
    if inspect.isfunction(value):
        return _function(root, value)
    return {"kind": "value"}


def _class(root: str, value: type[Any]) -> Surface:
    described: Surface = {"kind": "class", "parameters": _parameters(root, value), "members": _members(root, value)}
    if issubclass(value, enum.Enum):
        described |= {"kind": "enum", "values": {each.name: repr(each.value) for each in value}, "parameters": None}
    elif is_typeddict(value):
        described |= {"kind": "typed dict", "keys": sorted(value.__annotations__), "parameters": None, "members": {}}
    elif dataclasses.is_dataclass(value):
        described["fields"] = [each.name for each in dataclasses.fields(value) if not each.name.startswith("_")]
    return described


def _members(root: str, value: type[Any]) -> Surface:
    bases = [base for base in value.__mro__ if base.__module__.startswith(root)]
    names = {name for base in bases for name in (*vars(base), *vars(base).get("__annotations__", {}))}
    return {name: _member(root, value, name) for name in sorted(names) if not name.startswith("_")}


def _member(root: str, owner: type[Any], name: str) -> Surface:
    member = inspect.getattr_static(owner, name, None)
    if isinstance(member, (classmethod, staticmethod)):
        # Bound, so that `cls` does not count.
        return _function(root, getattr(owner, name))
    return _function(root, member) if inspect.isfunction(member) else {"kind": "value"}


def _function(root: str, function: Any) -> Surface:
    return {
        "kind": "function",
        "asynchronous": inspect.iscoroutinefunction(function),
        "parameters": _parameters(root, function),
    }


def _parameters(root: str, function: Any) -> list[tuple[str, str, str | None]] | None:
    try:
        declared = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    found: list[tuple[str, str, str | None]] = []
    for each in declared:
        unpacked = _unpacked(function, each)
        if unpacked is not None:
            found += [(name, "KEYWORD_ONLY", ANY_DEFAULT) for name in unpacked.__annotations__]
        else:
            found.append((each.name, each.kind.name, _default(root, each.default)))
    return found


def _unpacked(function: Any, parameter: inspect.Parameter) -> type[Any] | None:
    """The typed dict of `**options: Unpack[Options]`."""
    if parameter.kind is not parameter.VAR_KEYWORD:
        return None
    hint = parameter.annotation
    if isinstance(hint, str):
        if "Unpack[" not in hint:
            return None
        module = sys.modules[function.__module__]
        hint = eval(hint, vars(module) | _imported_for_types(module))
    return get_args(hint)[0] if getattr(get_origin(hint), "__name__", None) == "Unpack" else None


@cache
def _imported_for_types(module: ModuleType) -> dict[str, Any]:
    """What a module imports for type checkers alone."""
    names: dict[str, Any] = {}
    for statement in ast.parse(inspect.getsource(module)).body:
        if isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING":
            exec(compile(ast.Module(statement.body, []), module.__name__, "exec"), vars(module), names)
    return names


def _default(root: str, default: Any) -> str | None:
    """A parameter's default; `None` if it has none."""
    if default is inspect.Parameter.empty:
        return None
    if repr(default) == "<factory>":
        return ANY_DEFAULT
    if inspect.isclass(default):
        return default.__name__
    if type(default).__module__.startswith(root) and not isinstance(default, enum.Enum):
        # The same value is written in another way, or belongs to the SDK: its type must do.
        return f"<{type(default).__name__.lstrip('_')}>"
    return re.sub(r" at 0x[0-9a-f]+", "", repr(default))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    json.dump(surface_of(sys.argv[1], with_imported="--with-imported" in sys.argv), sys.stdout)
