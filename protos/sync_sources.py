"""Reads the sources of the async client: which classes there are, what they hand out and what they take.

Nothing is imported: the package may not be built yet. The rules by which classes get a blocking one are those of
``client/_sync/rules.py``, as in the code that makes the classes.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

SOURCES = Path(__file__).resolve().parent.parent / "python"
PACKAGE = SOURCES / "invincible"
SYNC = PACKAGE / "client" / "_sync"
EXPORTERS = ("invincible.client", "invincible.service")

Function = (ast.FunctionDef, ast.AsyncFunctionDef)
if TYPE_CHECKING:
    FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


def _load_rules() -> Any:
    spec = importlib.util.spec_from_file_location("_sync_rules", SYNC / "rules.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


rules = _load_rules()


@dataclass
class Module:
    """A module as read.

    Attributes:
        name: Its name.
        names: Where its global names come from: module and name there.
        aliases: Its type aliases, and what else is made of types or values by brackets and operators.
        classes: Its classes.
    """

    name: str
    names: dict[str, tuple[str, str]] = field(default_factory=dict)
    aliases: dict[str, ast.expr] = field(default_factory=dict)
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)


@dataclass
class Class:
    """A class that may get a blocking one."""

    module: Module
    node: ast.ClassDef

    def functions(self) -> Iterator[FunctionNode]:
        """Its public methods and properties, overloads included, and what is special."""
        for node in self.node.body:
            if isinstance(node, Function) and (not node.name.startswith("_") or node.name in rules.SPECIAL):
                yield node

    def fields(self) -> Iterator[tuple[str, ast.expr]]:
        """Its public fields with their annotations."""
        for node in self.node.body:
            if (
                isinstance(node, ast.AnnAssign)
                and isinstance(node.target, ast.Name)
                and not node.target.id.startswith("_")
                and "ClassVar" not in rules.identifiers(ast.unparse(node.annotation))
            ):
                yield node.target.id, node.annotation

    def mentioned(self, annotation: ast.expr | None) -> frozenset[str]:
        """The names in an annotation, and in the aliases it uses."""
        if annotation is None:
            return frozenset()
        found: frozenset[str] = rules.identifiers(ast.unparse(annotation))
        aliases = [self.module.aliases[name] for name in found if name in self.module.aliases]
        return found.union(*(rules.identifiers(ast.unparse(alias)) for alias in aliases))

    def facts(self) -> Any:
        given: set[str] = set()
        taken: set[str] = set()
        waits = False
        for base in self.node.bases:
            if isinstance(base, ast.Subscript):
                given |= rules.identifiers(ast.unparse(base))
        for _, annotation in self.fields():
            given |= self.mentioned(annotation)
        for function in self.functions():
            if "overload" in decorators(function):
                continue
            given |= self.mentioned(function.returns)
            if "classmethod" not in decorators(function):
                for argument in arguments(function):
                    taken |= self.mentioned(argument.annotation)
            waits = waits or isinstance(function, ast.AsyncFunctionDef) or function.name in rules.SPECIAL
        return rules.Facts([name_of(base) for base in self.node.bases], waits, given, taken)


def read_classes() -> dict[str, Class]:
    """All classes in scope, by name, and those that get a blocking class at its first use."""
    files = [path for path in sorted(PACKAGE.rglob("*.py")) if "_sync" not in path.parts]
    names = {path: module_name(path) for path in files}
    modules = [
        read_module(name, path.name == "__init__.py", path)
        for path, name in names.items()
        if rules.in_scope(name) or rules.is_late(name)
    ]
    aliases = {module.name: dict(module.aliases) for module in modules}
    for module in modules:
        for name, (origin, there) in module.names.items():
            if there in aliases.get(origin, {}):
                module.aliases[name] = aliases[origin][there]
    classes = {name: Class(module, node) for module in modules for name, node in module.classes.items()}
    return classes


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCES).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def read_module(name: str, is_package: bool, path: Path) -> Module:
    module = Module(name)
    package = name.split(".") if is_package else name.split(".")[:-1]
    for node in statements(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            module.names.update({alias.asname or alias.name: (origin, alias.name) for alias in node.names})
        elif isinstance(node, ast.ClassDef):
            module.names[node.name] = (name, node.name)
            module.classes[node.name] = node
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    module.names[target.id] = (name, target.id)
                    if isinstance(node.value, (ast.Subscript, ast.BinOp)):
                        module.aliases[target.id] = node.value
    return module


def statements(tree: ast.Module) -> Iterator[ast.stmt]:
    """The statements of a module, with those under ``if TYPE_CHECKING``."""
    for node in tree.body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from node.body
        else:
            yield node


def is_typed_dict(node: ast.ClassDef, classes: dict[str, Class]) -> bool:
    bases = [name_of(base) for base in node.bases]
    return "TypedDict" in bases or any(is_typed_dict(classes[base].node, classes) for base in bases if base in classes)


def name_of(node: ast.expr) -> str:
    """The last part of a name, whatever is in brackets behind it."""
    if isinstance(node, ast.Subscript):
        return name_of(node.value)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def decorators(function: FunctionNode) -> set[str]:
    return {name_of(node.func if isinstance(node, ast.Call) else node) for node in function.decorator_list}


def arguments(function: FunctionNode) -> list[ast.arg]:
    given = function.args
    return [
        *given.posonlyargs,
        *given.args,
        *([given.vararg] if given.vararg else []),
        *given.kwonlyargs,
        *([given.kwarg] if given.kwarg else []),
    ]


def exported() -> set[str]:
    """The public names of the packages that export async classes."""
    found: set[str] = set()
    for package in EXPORTERS:
        tree = ast.parse(SOURCES.joinpath(*package.split("."), "__init__.py").read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.Assign) and name_of(node.targets[0]) == "__all__":
                found |= set(ast.literal_eval(node.value))
    return found


def written_base(module: str, name: str) -> ast.ClassDef:
    """A base of a blocking class that is written by hand."""
    source = SOURCES.joinpath(*module.split(".")).with_suffix(".py").read_text(encoding="utf-8")
    return next(node for node in ast.parse(source).body if isinstance(node, ast.ClassDef) and node.name == name)
