"""What names in a source file stand for, from its text alone: imports, definitions, locals."""

from __future__ import annotations

import ast
import builtins
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import ModuleType
from typing import Any, TypeAlias

from .objects import known_objects
from .swaps import original_of

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_SCOPES = (*FUNCTIONS, ast.Lambda, ast.ClassDef)


@dataclass
class Binding:
    """What is known of a name: where it was imported from, what defines it, the values and annotation it was given."""

    imported: str | None = None
    definition: FunctionNode | ast.ClassDef | None = None
    values: list[ast.expr | None] = field(default_factory=list)
    annotation: ast.expr | None = None

    @property
    def value(self) -> ast.expr | None:
        """The value, if the name is given one in a single place."""
        return self.values[0] if len(self.values) == 1 else None


class Scope:
    """The names of a module, class, function or lambda, and those around it."""

    def __init__(
        self, node: ast.AST, parent: Scope | None = None, namespace: Mapping[str, Any] | None = None, package: str = ""
    ) -> None:
        self.node = node
        self.parent = parent
        self._namespace = namespace
        self._known = known_objects() if namespace is not None else {}
        self._package: str = package if parent is None else parent._package

    @cached_property
    def _names(self) -> dict[str, Binding]:
        """What is bound here; collected when a name is first looked up, because most scopes are only passed through."""
        names: dict[str, Binding] = {}
        for node in _contents(self.node):
            self._collect(node, names)
        return names

    @cached_property
    def globals(self) -> set[str]:
        """Names that a ``global`` statement says belong to the module."""
        return {name for node in _contents(self.node) if isinstance(node, ast.Global) for name in node.names}

    @property
    def module(self) -> Scope:
        return self if self.parent is None else self.parent.module

    def find(self, name: str) -> tuple[Scope, Binding] | None:
        """The binding of a name, and the scope that it is in."""
        if name in self.globals:
            return self.module.find(name)
        binding = self._names.get(name)
        if binding is not None:
            return self, binding
        outer = self.parent
        # The body of a class is no scope for the functions inside it.
        while outer is not None and isinstance(outer.node, ast.ClassDef):
            outer = outer.parent
        return outer.find(name) if outer is not None else None

    def path(self, node: ast.expr) -> str | None:
        """The full name of what an expression like ``dt.datetime.now`` stands for, if it can be told."""
        if isinstance(node, ast.Attribute):
            base = self.path(node.value)
            return f"{base}.{node.attr}" if base else None
        if isinstance(node, ast.Call):
            # The methods of an object just made have the names of its class: Path("x").read_text().
            return self.path(node.func)
        return self._name_path(node.id, set()) if isinstance(node, ast.Name) else None

    def _name_path(self, name: str, visited: set[str]) -> str | None:
        found = self.find(name)
        if found is None:
            return self.module._real_path(name) or (f"builtins.{name}" if hasattr(builtins, name) else None)
        scope, binding = found
        if scope.parent is None:
            real = scope._real_path(name)
            if real is not None:
                return real
        if binding.imported is not None:
            return binding.imported
        if isinstance(binding.value, (ast.Name, ast.Attribute)) and name not in visited:
            return scope._alias_path(binding.value, visited | {name})
        return None

    def _alias_path(self, node: ast.expr, visited: set[str]) -> str | None:
        if isinstance(node, ast.Attribute):
            base = self._alias_path(node.value, visited)
            return f"{base}.{node.attr}" if base else None
        return self._name_path(node.id, visited) if isinstance(node, ast.Name) else None

    def _real_path(self, name: str) -> str | None:
        """The full name of the object that a global of a module which is imported stands for."""
        if self._namespace is None or name not in self._namespace:
            return None
        return _path_of_object(original_of(self._namespace[name]), self._known)

    def _collect(self, node: ast.AST, names: dict[str, Binding]) -> None:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for name, path in _imports(node, self._package):
                _binding(names, name).imported = path
        elif isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            _binding(names, node.name).definition = node
        elif isinstance(node, ast.arg):
            binding = _binding(names, node.arg)
            binding.values.append(None)
            binding.annotation = node.annotation
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            binding = _binding(names, node.target.id)
            binding.values.append(node.value)
            binding.annotation = node.annotation
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                value = node.value if isinstance(target, ast.Name) else None
                for name in _stored_names(target):
                    _binding(names, name).values.append(value)
        elif isinstance(node, ast.NamedExpr):
            _binding(names, node.target.id).values.append(node.value)
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
            for name in _stored_names(node.target):
                _binding(names, name).values.append(None)
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            for name in _stored_names(node.optional_vars):
                _binding(names, name).values.append(None)
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            _binding(names, node.name).values.append(None)


def _binding(names: dict[str, Binding], name: str) -> Binding:
    return names.setdefault(name, Binding())


def _contents(node: ast.AST) -> Iterator[ast.AST]:
    """What binds names in a scope: parameters and body, without the insides of scopes within."""
    if isinstance(node, (*FUNCTIONS, ast.Lambda)):
        arguments = node.args
        yield from (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
        yield from (each for each in (arguments.vararg, arguments.kwarg) if each is not None)
    body: Any = getattr(node, "body", [])
    waiting = list(body) if isinstance(body, list) else [body]
    while waiting:
        each = waiting.pop(0)
        yield each
        if not isinstance(each, _SCOPES):
            waiting.extend(ast.iter_child_nodes(each))


def _imports(node: ast.Import | ast.ImportFrom, package: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.asname:
                yield alias.asname, alias.name
            else:
                top = alias.name.partition(".")[0]
                yield top, top
        return
    base = node.module or ""
    if node.level:
        parts = package.split(".") if package else []
        kept = parts[: len(parts) - node.level + 1]
        base = ".".join([*(kept or ["."]), *([node.module] if node.module else [])])
    for alias in node.names:
        yield alias.asname or alias.name, f"{base}.{alias.name}"


def _stored_names(target: ast.expr) -> Iterator[str]:
    for node in ast.walk(target):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _path_of_object(value: Any, known: Mapping[int, tuple[object, str]]) -> str | None:
    """The full name of a module, or of a function or class that there are rules for."""
    # By type(), because isinstance asks the object, and what lies in a module may be a proxy for anything.
    if issubclass(type(value), ModuleType):
        return "os.path" if value is os.path else str(value.__name__)
    found = known.get(id(value))
    return found[1] if found is not None else None
