"""Makes the stub of the blocking client's classes from the sources of the async ones, which it reads, not imports."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from sync_sources import (
    SYNC,
    Class,
    Function,
    arguments,
    decorators,
    exported,
    is_typed_dict,
    name_of,
    read_classes,
    rules,
    written_base,
)

if TYPE_CHECKING:
    from sync_sources import FunctionNode

OUTPUT = SYNC / "classes.pyi"

HEADER = '''# Made by protos/sync_client.py: changes here are lost.
"""The blocking classes: those of :mod:`invincible.client` and :mod:`invincible.service` without ``async``."""
'''

Node = TypeVar("Node", bound=ast.AST)


def generate(output: Path = OUTPUT) -> None:
    """Writes the stub, unless it is there already as it must be."""
    stub = Stub(read_classes()).text()
    if not output.exists() or output.read_text(encoding="utf-8") != stub:
        output.write_text(stub, encoding="utf-8")


class Stub:
    """The text of the stub."""

    def __init__(self, classes: dict[str, Class]) -> None:
        self.options = {name: cls for name, cls in classes.items() if is_typed_dict(cls.node, classes)}
        others = classes.keys() - self.options.keys() - rules.LATE.keys()
        chosen = rules.chosen({name: classes[name].facts() for name in others})
        self.classes = {name: classes[name] for name in [*chosen, *rules.LATE]}
        self.local: dict[tuple[str, str], str] = {}

    def text(self) -> str:
        bodies = [self.render(name, cls) for name, cls in self.classes.items()]
        public = exported() | set(rules.LATE)
        names = sorted(f'"{rules.sync_name(name)}"' for name in self.classes if name in public)
        return "\n".join([HEADER, *self.imports(), "", f"__all__ = [{', '.join(names)}]", "", *bodies])

    def imports(self) -> Iterator[str]:
        modules: dict[str, list[str]] = {}
        for (module, name), local in sorted(self.local.items()):
            modules.setdefault(module, []).append(name if local == name else f"{name} as {local}")
        for module, names in modules.items():
            yield f"from {module} import {', '.join(names)}"

    def render(self, name: str, cls: Class) -> str:
        own = rules.BASES.get(name, rules.COMMON_BASE)
        inherited = [base for base in cls.node.bases if name_of(base) in self.classes]
        generic = [base for base in cls.node.bases if name_of(base) == "Generic"]
        bases = [self.rewritten(base, cls) for base in inherited]
        if name in rules.BASES or not bases:
            bases.append(ast.Name(self.imported(*own)))
        bases += [self.rewritten(base, cls) for base in generic]
        body = docstring(written_base(*own), ()) if name in rules.BASES else docstring(cls.node, self.classes)
        body += self.constructor(cls)
        for field_name, annotation in cls.fields():
            body.append(self.property(field_name, annotation, cls))
        implementations = {function.name: function for function in cls.functions()}
        documented: set[str] = set()
        signatures: dict[str, dict[str, ast.FunctionDef]] = {}
        overloaded = {function.name for function in cls.functions() if "overload" in decorators(function)}
        docs = {function.name: docstring(function, self.classes) for function in cls.functions()}
        for function in cls.functions():
            if function.name in overloaded and "overload" not in decorators(function):
                continue
            made = self.function(function, cls)
            accept_none(made, implementations[function.name])
            made.body = [] if function.name in documented else docs[function.name]
            made.body = made.body or [ellipsis()]
            documented.add(function.name)
            text = ast.unparse(made.args) + (ast.unparse(made.returns) if made.returns else "")
            if function.name not in overloaded or text not in signatures.setdefault(function.name, {}):
                body.append(made)
            if function.name in overloaded:
                signatures[function.name].setdefault(text, made)
        for alternatives in signatures.values():
            if len(alternatives) == 1:  # async and other functions taken became the same
                [only] = alternatives.values()
                only.decorator_list.clear()
        made_class = make(ast.ClassDef, name=rules.sync_name(name), bases=bases, body=body or [ellipsis()])
        return ast.unparse(ast.fix_missing_locations(made_class)) + "\n"

    def constructor(self, cls: Class) -> list[ast.stmt]:
        """The constructors, and the attributes that they set."""
        found: list[ast.stmt] = []
        inits = [node for node in cls.node.body if isinstance(node, Function) and node.name == "__init__"]
        overloaded = any("overload" in decorators(init) for init in inits)
        for init in inits:
            if "overload" not in decorators(init):
                found[:0] = self.attributes(init, cls)
            if ("overload" in decorators(init)) is overloaded:
                made = self.function(init, cls, either=True)
                accept_none(made, inits[-1])
                made.body = [ellipsis()]
                found.append(made)
        return found

    def attributes(self, init: FunctionNode, cls: Class) -> Iterator[ast.stmt]:
        types = {argument.arg: argument.annotation for argument in arguments(init)}
        for node in init.body:
            if isinstance(node, ast.Assign):
                target, annotation = node.targets[0], types.get(name_of(node.value))
            elif isinstance(node, ast.AnnAssign):
                target, annotation = node.target, node.annotation
            else:
                continue
            if isinstance(target, ast.Attribute) and name_of(target.value) == "self" and target.attr[0] != "_":
                if annotation is None:
                    raise TypeError(f"{cls.module.name}: the attribute {target.attr} of {cls.node.name} needs a type")
                yield make(
                    ast.AnnAssign, target=ast.Name(target.attr), annotation=self.given(annotation, cls), simple=1
                )

    def property(self, name: str, annotation: ast.expr, cls: Class) -> ast.stmt:
        return function_def(
            name,
            ast.arguments([], [ast.arg("self")], None, [], [], None, []),
            [ellipsis()],
            [ast.Name("property")],
            self.given(annotation, cls),
        )

    def function(self, function: FunctionNode, cls: Class, *, either: bool = False) -> ast.FunctionDef:
        """A method as it is where it blocks.

        Args:
            function: The method.
            cls: Its class.
            either: Whether it takes async objects in the place of blocking ones as well.
        """
        marks = [self.decorator(node, cls) for node in function.decorator_list]
        args = deepcopy(function.args)
        options = self.unpacked(args.kwarg, cls) if args.kwarg else []
        made = function_def(rules.SPECIAL.get(function.name, function.name), args, [], marks, None)
        for argument in arguments(made):
            if argument.annotation is not None:
                argument.annotation = self.taken(argument.annotation, cls, either and argument.arg != "self")
        args.defaults = [plain(default) for default in args.defaults]
        args.kw_defaults = [default and plain(default) for default in args.kw_defaults]
        if options:
            args.kwarg = None
            args.kwonlyargs += [option for option, _ in options]
            args.kw_defaults += [None if required else ellipsis_value() for _, required in options]
        if function.returns is not None:
            made.returns = self.given(function.returns, cls)
        return made

    def unpacked(self, argument: ast.arg, cls: Class) -> list[tuple[ast.arg, bool]]:
        """The parameters that ``**options: Unpack[...]`` stands for, and whether they are required.

        Spelled out they are what the method has, and what editors show.
        """
        annotation = argument.annotation
        if not isinstance(annotation, ast.Subscript) or name_of(annotation) != "Unpack":
            return []
        return list(self.keys(self.options[name_of(annotation.slice)]))

    def keys(self, cls: Class) -> Iterator[tuple[ast.arg, bool]]:
        for base in cls.node.bases:
            if name_of(base) in self.options:
                yield from self.keys(self.options[name_of(base)])
        total = not any(keyword.arg == "total" for keyword in cls.node.keywords)
        for name, annotation in cls.fields():
            marked = isinstance(annotation, ast.Subscript) and name_of(annotation) in ("Required", "NotRequired")
            required = name_of(annotation) == "Required" if marked else total
            bare = annotation.slice if marked and isinstance(annotation, ast.Subscript) else annotation
            yield ast.arg(name, self.rewritten(bare, cls)), required

    def decorator(self, node: ast.expr, cls: Class) -> ast.expr:
        if name_of(node) == "cached_property":
            return ast.Name("property")
        if isinstance(node, ast.Attribute) and node.attr == "setter":
            return node
        return self.rewritten(node, cls)

    def given(self, annotation: ast.expr, cls: Class) -> ast.expr:
        """The type of what a member gives."""
        if name_of(annotation) in ("Awaitable", "Coroutine") and isinstance(annotation, ast.Subscript):
            parts = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
            annotation = parts[-1]
        return self.rewritten(annotation, cls)

    def taken(self, annotation: ast.expr, cls: Class, either: bool) -> ast.expr:
        """The type of what a method takes."""
        mentions = cls.mentioned(annotation) & self.classes.keys()
        if not mentions:
            return self.rewritten(annotation, cls)
        for name in rules.identifiers(ast.unparse(annotation)):
            if isinstance(annotation, ast.Name) and name in cls.module.aliases:
                annotation = cls.module.aliases[name]
        if "Callable" in rules.identifiers(ast.unparse(annotation)):
            annotation = WithoutAwaitable().visit(deepcopy(annotation))
        blocking = self.rewritten(annotation, cls)
        return ast.BinOp(blocking, ast.BitOr(), Imported(self, cls).visit(deepcopy(annotation))) if either else blocking

    def rewritten(self, node: ast.expr, cls: Class) -> ast.expr:
        """An expression with the names that it has in the stub."""
        rewritten: ast.expr = Rewritten(self, cls).visit(deepcopy(node))
        return rewritten

    def imported(self, module: str, name: str, wanted: str = "") -> str:
        """What a name of a module is called in the stub, which imports it."""
        found = self.local.get((module, name))
        if found is None:
            found = wanted or name
            taken = {*self.local.values(), *map(rules.sync_name, self.classes)}
            while found in taken:
                found = f"_{found}"
            self.local[module, name] = found
        return found


class Imported(ast.NodeTransformer):
    """Replaces names by those that the stub imports them under."""

    def __init__(self, stub: Stub, cls: Class) -> None:
        self.stub = stub
        self.cls = cls

    def visit_Name(self, node: ast.Name) -> ast.expr:
        origin = self.cls.module.names.get(node.id)
        if origin is not None:
            return ast.Name(self.stub.imported(*origin, node.id))
        if not hasattr(builtins, node.id):
            raise NameError(f"{self.cls.module.name}: nothing tells what {node.id} is in {self.cls.node.name}")
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        # A type in quotes.
        if not isinstance(node.value, str):
            return node
        made: ast.expr = self.visit(ast.parse(node.value, mode="eval").body)
        return made

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        if name_of(node) == "Literal":
            return ast.Subscript(self.visit(node.value), node.slice)
        self.generic_visit(node)
        return node


class Rewritten(Imported):
    """Replaces async classes by blocking ones, too."""

    BLOCKING: ClassVar = {"AsyncIterator": "Iterator", "AsyncIterable": "Iterable", "AsyncGenerator": "Iterator"}

    def visit_Name(self, node: ast.Name) -> ast.expr:
        origin = self.cls.module.names.get(node.id, ("", ""))
        # Messages may have the same names.
        is_message = origin[0].startswith("invincible.api.") and not rules.is_late(origin[0])
        if node.id in self.stub.classes and origin[1] == node.id and not is_message:
            return ast.Name(rules.sync_name(node.id))
        if origin == ("collections.abc", node.id) and node.id in self.BLOCKING:
            return ast.Name(self.stub.imported("collections.abc", self.BLOCKING[node.id]))
        return super().visit_Name(node)


class WithoutAwaitable(ast.NodeTransformer):
    """Replaces ``Awaitable[T]`` by ``T``, and ``T | T`` by ``T``."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        self.generic_visit(node)
        return node.slice if name_of(node) == "Awaitable" else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        parts = list(dict.fromkeys(ast.unparse(node).split(" | ")))
        return ast.parse(" | ".join(parts), mode="eval").body


def docstring(node: ast.ClassDef | FunctionNode, names: Any) -> list[ast.stmt]:
    doc = ast.get_docstring(node, clean=False)
    return [ast.Expr(ast.Constant(rules.sync_doc(doc, names)))] if doc else []


def accept_none(overload: ast.FunctionDef, implementation: FunctionNode) -> None:
    """Adds the parameters that only other overloads have and that may be ``None``, as what is the same as leaving them
    out."""
    known = {argument.arg for argument in arguments(overload)}
    given = implementation.args
    for argument, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        if argument.arg not in known and isinstance(default, ast.Constant) and default.value is None:
            overload.args.kwonlyargs.append(ast.arg(argument.arg, ast.Constant(None)))
            overload.args.kw_defaults.append(default)


def plain(default: ast.expr) -> ast.expr:
    """A default in a stub: itself if it is simple."""
    return default if isinstance(default, ast.Constant) else ellipsis_value()


def ellipsis_value() -> ast.expr:
    return ast.Constant(...)


def ellipsis() -> ast.stmt:
    return ast.Expr(ellipsis_value())


def function_def(
    name: str, args: ast.arguments, body: list[ast.stmt], marks: list[ast.expr], returns: ast.expr | None
) -> ast.FunctionDef:
    return make(ast.FunctionDef, name=name, args=args, body=body, decorator_list=marks, returns=returns)


def make(kind: type[Node], **fields: Any) -> Node:
    """A node with empty lists for what is not given: which fields there are depends on the version of Python."""
    empty: dict[str, Any] = {name: [] for name in ("keywords", "decorator_list", "type_params") if name in kind._fields}
    return kind(**{**empty, **fields})


if __name__ == "__main__":
    generate()
