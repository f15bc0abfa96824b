"""The static checks of workflow code: one visitor over the functions that a workflow consists of."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .rules import rule_of, words
from .scopes import FUNCTIONS, FunctionNode, Scope

if TYPE_CHECKING:
    from collections.abc import Iterator

# Packages whose names are those of the workflow API: this one, and the official SDK's.
PACKAGES = ("invincible", "temporalio")
_LIFTED = {
    f"{package}.workflow.unsafe.{name}"
    for package in PACKAGES
    for name in ("sandbox_unrestricted", "imports_passed_through")
}

_MUTATORS = words(
    "add append appendleft clear discard extend extendleft insert pop popitem popleft remove reverse setdefault sort "
    "update"
)
_MUTABLE = words(
    "builtins.dict builtins.list builtins.set collections.Counter collections.OrderedDict collections.defaultdict "
    "collections.deque"
)
# Calls that leave no trace of the order in which they are made.
_PURE = words(
    "abs all any bool bytes callable chr dict divmod enumerate float format frozenset getattr hasattr hash hex int "
    "isinstance issubclass len list max min ord pow print range repr reversed round set sorted str sum tuple type "
    "zip"
)
_PURE_METHODS = words(
    "add casefold count debug difference discard endswith error exception format get info intersection isdisjoint "
    "issubset issuperset items keys lower lstrip removeprefix removesuffix replace rstrip split startswith strip title "
    "union upper values warning"
)
# What makes a result that does not depend on the order of what it is given.
_ORDERLESS = frozenset(f"builtins.{name}" for name in words("all any frozenset len max min set sorted sum"))
_TRANSPARENT = frozenset(f"builtins.{name}" for name in words("enumerate iter list reversed tuple"))
_STABLE_ELEMENTS = frozenset({"int", "float", "bool", "complex", "None"})
_TASKS = ("Task", "Future", "Handle")

Report = Callable[[ast.AST, str], None]


class Checks(ast.NodeVisitor):
    """Visits functions of workflow code in the scope that they are defined in.

    Args:
        report: Called for each finding with the node and the message.
        reach: Called with each function or class of the module that the code names.
    """

    def __init__(self, report: Report, reach: Callable[[Scope, ast.AST], None]) -> None:
        self._report = report
        self._reach = reach
        self._scope: Scope = None  # type: ignore[assignment]  # set by each entry
        self._loops = 0
        self._orderless: set[ast.AST] = set()

    def check(self, node: FunctionNode | ast.Lambda, scope: Scope) -> None:
        """Visit the body of a function that is defined in ``scope``."""
        outer, loops = getattr(self, "_scope", None), self._loops
        self._scope, self._loops = Scope(node, scope), 0
        body = node.body if isinstance(node.body, list) else [node.body]
        for statement in body:
            self.visit(statement)
        self._scope, self._loops = outer, loops  # type: ignore[assignment]

    # Definitions inside of functions

    def _visit_function(self, node: FunctionNode) -> None:
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default is not None:
                self.visit(default)
        if not decorated_as(node, self._scope, "activity.defn"):
            self.check(node, self._scope)

    visit_FunctionDef = _visit_function
    visit_AsyncFunctionDef = _visit_function

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.check(node, self._scope)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        inside = Scope(node, self._scope)
        for statement in node.body:
            if isinstance(statement, FUNCTIONS):
                self.check(statement, inside)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.target)
        if node.value is not None:
            self.visit(node.value)

    # Calls

    def visit_Call(self, node: ast.Call) -> None:
        path = self._scope.path(node.func)
        if path is not None:
            if path in _ORDERLESS:
                self._orderless.update(node.args)
            rule = rule_of(path)
            if rule is not None and rule.applies(_arguments(node)):
                self._report(node, rule.message(path.removeprefix("builtins.")))
        if isinstance(node.func, ast.Attribute) and node.func.attr in _MUTATORS:
            self._check_mutation(node, node.func.value)
        self.generic_visit(node)

    def visit_With(self, node: ast.With) -> None:
        contexts = [item.context_expr for item in node.items]
        if any(isinstance(each, ast.Call) and self._scope.path(each.func) in _LIFTED for each in contexts):
            return
        self.generic_visit(node)

    # Shared state

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            found = self._scope.find(node.id)
            if found is not None and found[1].definition is not None:
                self._reach(found[0], found[1].definition)
        elif node.id in self._scope.globals:
            self._report_shared(node, node.id)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._check_mutation(node, node.value)
        self.generic_visit(node)

    def _check_mutation(self, node: ast.AST, target: ast.expr) -> None:
        if not isinstance(target, ast.Name):
            return
        found = self._scope.find(target.id)
        if found is None or found[0].parent is not None or found[1].imported is not None:
            return
        value = found[1].value
        mutable = isinstance(value, (ast.Dict, ast.List, ast.Set, ast.DictComp, ast.ListComp, ast.SetComp))
        if isinstance(value, ast.Call):
            mutable = found[0].path(value.func) in _MUTABLE
        if mutable:
            self._report_shared(node, target.id)

    def _report_shared(self, node: ast.AST, name: str) -> None:
        self._report(
            node,
            f"workflow code changes the module global {name!r}, which all runs share and each replay changes again: "
            "keep state in the workflow instance or in local variables",
        )

    # Order

    def visit_For(self, node: ast.For) -> None:
        self._check_order(node.iter, node, node.body)
        with self._in_loop():
            self.generic_visit(node)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> None:
        with self._in_loop():
            self.generic_visit(node)

    def visit_While(self, node: ast.While) -> None:
        with self._in_loop():
            self.generic_visit(node)

    @contextmanager
    def _in_loop(self) -> Iterator[None]:
        self._loops += 1
        try:
            yield
        finally:
            self._loops -= 1

    def _visit_comprehension(self, node: ast.ListComp | ast.GeneratorExp | ast.SetComp) -> None:
        if node not in self._orderless or _waits([node.elt]):
            effects = [node.elt, *(test for generator in node.generators for test in generator.ifs)]
            self._check_order(node.generators[0].iter, node, effects)
        self.generic_visit(node)

    visit_ListComp = _visit_comprehension
    visit_GeneratorExp = _visit_comprehension

    def visit_SetComp(self, node: ast.SetComp) -> None:
        if _waits([node.elt]):
            self._check_order(node.generators[0].iter, node, [node.elt])
        self.generic_visit(node)

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._check_order(node.generators[0].iter, node, [node.key, node.value])
        self.generic_visit(node)

    def _check_order(self, iterated: ast.expr, node: ast.AST, effects: Iterable[ast.AST]) -> None:
        while isinstance(iterated, ast.Call) and self._scope.path(iterated.func) in _TRANSPARENT and iterated.args:
            iterated = iterated.args[0]
        if self._is_unordered(iterated) and (_waits(effects) or self._calls(effects)):
            self._report(
                iterated,
                "the order of a set is different in each process, and what is done for its elements depends on it: "
                "iterate over sorted(...), or use a list or a dict",
            )

    def _is_unordered(self, node: ast.expr, depth: int = 0) -> bool:
        """Whether this is a set whose order differs between processes, as that of strings does."""
        if depth > 5:
            return False
        if isinstance(node, ast.Set):
            return any(isinstance(each, ast.Constant) and isinstance(each.value, (str, bytes)) for each in node.elts)
        if isinstance(node, ast.SetComp):
            return not isinstance(node.elt, (ast.Call, ast.Constant))
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.BitOr, ast.BitAnd, ast.Sub, ast.BitXor)):
            return self._is_unordered(node.left, depth + 1)
        if isinstance(node, ast.Call):
            called = self._scope.path(node.func)
            return (
                called in ("builtins.set", "builtins.frozenset") and bool(node.args) and not _is_numeric(node.args[0])
            )
        if isinstance(node, ast.Name):
            found = self._scope.find(node.id)
            if found is None:
                return False
            scope, binding = found
            if binding.annotation is not None:
                return _is_set_annotation(binding.annotation, scope)
            return binding.value is not None and self._is_unordered(binding.value, depth + 1)
        return False

    def _calls(self, nodes: Iterable[ast.AST]) -> bool:
        """Whether anything is called that may do more than compute."""
        for node in nodes:
            for each in ast.walk(node):
                if not isinstance(each, ast.Call):
                    continue
                if isinstance(each.func, ast.Attribute) and each.func.attr in _PURE_METHODS:
                    continue
                path = self._scope.path(each.func) or ""
                if path.removeprefix("builtins.") not in _PURE:
                    return True
        return False

    # Cancellation

    def visit_Try(self, node: ast.Try) -> None:
        for handler in node.handlers:
            if self._loops and self._catches_all(handler) and _waits(node.body) and not _leaves(handler.body):
                self._report(
                    handler,
                    "this swallows cancellation, and the loop around it goes on: catch Exception, or raise again",
                )
        self.generic_visit(node)

    def _catches_all(self, handler: ast.ExceptHandler) -> bool:
        return handler.type is None or self._scope.path(handler.type) == "builtins.BaseException"


def decorated_as(node: FunctionNode | ast.ClassDef, scope: Scope, name: str) -> bool:
    """Whether a decorator is ``name`` of this package or of the official SDK, such as ``workflow.defn``."""
    names = {f"{package}.{name}" for package in PACKAGES}
    return any(scope.path(each.func if isinstance(each, ast.Call) else each) in names for each in node.decorator_list)


def _arguments(node: ast.Call) -> int:
    if any(isinstance(each, ast.Starred) for each in node.args) or any(each.arg is None for each in node.keywords):
        return 99  # nobody knows: no alarm
    return len(node.args) + len(node.keywords)


def _waits(nodes: Iterable[ast.AST]) -> bool:
    """Whether code awaits anything itself, functions defined in it aside."""
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.Await, ast.AsyncFor, ast.AsyncWith, ast.Yield, ast.YieldFrom)):
            return True
        if not isinstance(node, (*FUNCTIONS, ast.Lambda, ast.ClassDef)):
            waiting.extend(ast.iter_child_nodes(node))
    return False


def _leaves(nodes: Iterable[ast.AST]) -> bool:
    return any(isinstance(each, (ast.Raise, ast.Return, ast.Break)) for node in nodes for each in ast.walk(node))


def _is_numeric(node: ast.expr) -> bool:
    """Whether the elements are visibly numbers, whose sets have the same order in each process."""
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return all(isinstance(each, ast.Constant) and isinstance(each.value, (int, float)) for each in node.elts)
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range"


def _is_set_annotation(node: ast.expr, scope: Scope) -> bool:
    """Whether an annotation is a set of something whose order is not stable: tasks and numbers have a stable one."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            node = ast.parse(node.value, mode="eval").body
        except SyntaxError:
            return False
    if not isinstance(node, ast.Subscript):
        return False
    if scope.path(node.value) not in ("builtins.set", "builtins.frozenset", "typing.Set", "typing.AbstractSet"):
        return False
    element = ast.unparse(node.slice)
    return element not in _STABLE_ELEMENTS and not any(name in element for name in _TASKS)
