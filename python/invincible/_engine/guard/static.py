"""The static pass: finds in source text what the run-time guard may not see, or sees too late.

It reads the text alone and runs nothing of it. At registration it looks at one workflow, and resolves the module's
names by what they stand for; ``invincible check`` looks at all workflows of a file.
"""

from __future__ import annotations

import ast
import inspect
import linecache
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from invincible._engine.definition import WorkflowDefinition

from .checks import Checks, decorated_as
from .scopes import FUNCTIONS, FunctionNode, Scope
from .stack import readable_path

# CPython 3.11 may refuse sound code with SystemError when another thread parses, too (python/cpython#106905).
_REPEATS = 3

_ALLOWED = re.compile(r"#\s*invincible:\s*allow\b")


@dataclass(frozen=True, order=True)
class Finding:
    """A place in workflow code that a replay may not repeat."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


@dataclass(frozen=True)
class Report:
    """What was found in a file, and how many workflows it defines."""

    findings: Sequence[Finding]
    workflows: int


def check_definition(definition: WorkflowDefinition) -> list[Finding]:
    """The findings in the source of a workflow and of the functions of its module that it uses.

    Returns an empty list where the source is not to be had.
    """
    target = definition.workflow_class or definition.run
    try:
        path = inspect.getsourcefile(target)
    except TypeError:
        return []
    text = "".join(linecache.getlines(path, getattr(definition.run, "__globals__", None))) if path else ""
    try:
        module = _registered(text, readable_path(path or ""), target.__module__)
    except (SyntaxError, ValueError):
        return []
    candidates = [(scope, node) for scope, node, name in module.definitions if name == target.__qualname__]
    if not candidates:
        return []
    line = definition.run.__code__.co_firstlineno
    around = [each for each in candidates if _first_line(each[1]) <= line <= (each[1].end_lineno or 0)]
    return _Pass(module).run([(around or candidates)[-1]])


def check_source(text: str, path: str) -> Report:
    """The findings in all workflows that a source file defines; a syntax error is a finding too."""
    try:
        module = _Module(text, path)
    except SyntaxError as error:
        return Report([Finding(path, error.lineno or 1, f"syntax error: {error.msg}")], 0)
    except ValueError as error:
        return Report([Finding(path, 1, f"cannot be parsed: {error}")], 0)
    workflows = [(scope, node) for scope, node, _ in module.definitions if decorated_as(node, scope, "workflow.defn")]
    return Report(_Pass(module).run(workflows), len(workflows))


class _Module:
    """A source file.

    Attributes:
        lines: Its text.
        path: Its name in findings.
        definitions: All functions and classes, with the scopes they are in and their qualified names.
    """

    def __init__(self, text: str, path: str, namespace: Mapping[str, Any] | None = None) -> None:
        self.lines = text.splitlines()
        self.path = path
        self.definitions: list[tuple[Scope, FunctionNode | ast.ClassDef, str]] = []
        tree = _parsed(text)
        self._search(tree, Scope(tree, namespace=namespace, package=(namespace or {}).get("__package__") or ""), "")

    def _search(self, node: ast.AST, scope: Scope, prefix: str) -> None:
        for each in ast.iter_child_nodes(node):
            if isinstance(each, (*FUNCTIONS, ast.ClassDef)):
                self.definitions.append((scope, each, prefix + each.name))
                inside = f"{prefix}{each.name}." + ("" if isinstance(each, ast.ClassDef) else "<locals>.")
                self._search(each, Scope(each, scope), inside)
            elif isinstance(each, (ast.stmt, ast.ExceptHandler, ast.match_case)):
                self._search(each, scope, prefix)


def _parsed(text: str) -> ast.Module:
    for _ in range(_REPEATS):
        with suppress(SystemError):
            return ast.parse(text)
    return ast.parse(text)


@lru_cache(maxsize=4)
def _registered(text: str, path: str, name: str) -> _Module:
    """The source of a module that is imported; its workflows are registered one after another."""
    module = sys.modules.get(name)
    return _Module(text, path, vars(module) if module is not None else None)


class _Pass:
    """One pass over a module: from workflows to whatever of the module they use."""

    def __init__(self, module: _Module) -> None:
        self._module = module
        self._findings: set[Finding] = set()
        self._seen: set[ast.AST] = set()
        self._waiting: list[tuple[Scope, ast.AST]] = []
        self._checks = Checks(self._report, self._reach)

    def run(self, workflows: Sequence[tuple[Scope, FunctionNode | ast.ClassDef]]) -> list[Finding]:
        for scope, node in workflows:
            self._check(scope, node, whole_class=True)
        while self._waiting:
            scope, reached = self._waiting.pop()
            if isinstance(reached, (*FUNCTIONS, ast.ClassDef)):
                self._check(scope, reached, whole_class=False)
        return sorted(self._findings)

    def _check(self, scope: Scope, node: FunctionNode | ast.ClassDef, *, whole_class: bool) -> None:
        if node in self._seen:
            return
        self._seen.add(node)
        if isinstance(node, FUNCTIONS):
            if not decorated_as(node, scope, "activity.defn"):
                self._checks.check(node, scope)
            return
        inside = Scope(node, scope)
        for statement in node.body:
            # Of a class that is not the workflow, only making an instance is known to happen.
            known = whole_class or (
                isinstance(statement, FUNCTIONS) and statement.name in ("__init__", "__post_init__")
            )
            if known and isinstance(statement, FUNCTIONS) and not decorated_as(statement, inside, "activity.defn"):
                self._checks.check(statement, inside)
        for base in node.bases if whole_class else ():
            found = scope.find(base.id) if isinstance(base, ast.Name) else None
            if found is not None and isinstance(found[1].definition, ast.ClassDef):
                self._check(found[0], found[1].definition, whole_class=True)

    def _reach(self, scope: Scope, node: ast.AST) -> None:
        other_workflow = isinstance(node, (*FUNCTIONS, ast.ClassDef)) and decorated_as(node, scope, "workflow.defn")
        if node not in self._seen and not other_workflow:
            self._waiting.append((scope, node))

    def _report(self, node: ast.AST, message: str) -> None:
        first: int = getattr(node, "lineno", 1)
        last: int = getattr(node, "end_lineno", None) or first
        if isinstance(node, ast.ExceptHandler):
            last = first
        if not any(_ALLOWED.search(line) for line in self._module.lines[first - 1 : last]):
            self._findings.add(Finding(self._module.path, first, message))


def _first_line(node: FunctionNode | ast.ClassDef) -> int:
    return min([node.lineno, *(each.lineno for each in node.decorator_list)])
