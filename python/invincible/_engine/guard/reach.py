"""Which functions of the user's own modules a workflow can reach, as far as names tell."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from functools import partial
from types import CodeType, FunctionType, ModuleType
from typing import Any

from invincible._engine.definition import WorkflowDefinition

from .stack import is_own, top_package

_ACTIVITY = "__invincible_activity__"


def functions_reached(definition: WorkflowDefinition) -> list[FunctionType]:
    """The functions and methods of a workflow, and what they name of the user's own modules, activities left out."""
    classes = definition.workflow_class.__mro__ if definition.workflow_class is not None else ()
    return reached_from([*classes, definition.run])


def reached_from(roots: Iterable[Any]) -> list[FunctionType]:
    """The functions and methods of the user's own modules that these functions and classes are, have or name."""
    found: dict[int, FunctionType] = {}
    seen: set[int] = set()
    waiting = list(roots)
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        # By type(), because isinstance asks the object, and what lies in a module may be a proxy for anything.
        kind = type(value)
        if kind is FunctionType:
            if is_own(top_package(value.__module__), value.__code__.co_filename) and not hasattr(value, _ACTIVITY):
                found[id(value)] = value
                waiting.extend((getattr(value, "__wrapped__", None), *_cells(value), *_named_values(value)))
        elif issubclass(kind, type):
            if is_own(
                top_package(value.__module__), getattr(sys.modules.get(value.__module__), "__file__", None) or ""
            ):
                waiting.extend(vars(value).values())
        elif kind in (staticmethod, classmethod):
            waiting.append(value.__func__)
        elif kind is property:
            waiting.extend((value.fget, value.fset, value.fdel))
        elif kind is partial:
            waiting.append(value.func)
    return list(found.values())


def nested_codes(code: CodeType) -> Iterator[CodeType]:
    """A function's code and that of the functions, lambdas and comprehensions inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from nested_codes(constant)


def _cells(function: FunctionType) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not assigned yet
            continue


def _named_values(function: FunctionType) -> Iterator[Any]:
    """What the names in a function's code stand for: globals, and attributes of modules among them."""
    names = {name for code in nested_codes(function.__code__) for name in code.co_names}
    for name in names:
        value = function.__globals__.get(name)
        if type(value) is ModuleType and is_own(top_package(value.__name__), getattr(value, "__file__", None) or ""):
            yield from (vars(value)[each] for each in names if each in vars(value))
        else:
            yield value
