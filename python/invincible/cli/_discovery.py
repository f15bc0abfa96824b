"""What modules have for a worker: workflows, activities, Nexus service handlers."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from invincible._engine.reference import workflow_definition
from invincible.activity._definition import ActivityDefinition

from ._project import CannotLoadError, told
from ._sources import shown_path


@dataclass
class Found:
    """Definitions of a project, each once, in the order of the modules and of their text.

    Attributes:
        workflows: Classes and functions.
        activities: Functions, methods bound to the objects that the modules have, and callable objects.
        nexus_services: Nexus service handlers.
        notes: What could not be used, and why.
    """

    workflows: list[Any] = field(default_factory=list)
    activities: list[Any] = field(default_factory=list)
    nexus_services: list[Any] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.workflows or self.activities or self.nexus_services)


def definitions(modules: Iterable[ModuleType]) -> Found:
    """What modules define or import for a worker.

    Raises:
        CannotLoadError: Two definitions have one name.
    """
    modules = list(modules)
    found = Found()
    seen: set[object] = set()
    values = [(name, value) for module in modules for name, value in list(vars(module).items())]
    for name, value in values:
        if id(value) in seen or name.startswith("__"):
            continue
        seen.add(id(value))
        if is_workflow(value):
            found.workflows.append(value)
        elif inspect.isfunction(value):
            if _activity(value) is not None:
                found.activities.append(value)
        elif not inspect.isclass(value) and not inspect.ismodule(value):
            _add_object(found, value)
    own = {module.__name__ for module in modules}
    classes = [value for _, value in values if inspect.isclass(value) and value.__module__ in own]
    # What has an object, here or of a class derived from it, needs no other.
    bases = {base for kind in [*classes, *(type(value) for _, value in values)] for base in kind.__mro__[1:]}
    having = bases | {type(value) for _, value in values}
    for kind in dict.fromkeys(classes):
        if kind not in having:
            _add_class(found, kind)
    _refuse_clashes(found)
    return found


def is_workflow(value: Any) -> bool:
    """Whether it is a workflow itself, and not the run method of one."""
    try:
        definition = workflow_definition(value)
    except TypeError:
        return False
    return value is (definition.workflow_class or definition.run)


def place_of(value: Any) -> str:
    """``file:line`` of what a function or class is defined by; the name of its module if that is not known."""
    code = getattr(inspect.unwrap(value) if callable(value) else value, "__code__", None)
    if code is not None:
        return f"{shown_path(code.co_filename)}:{code.co_firstlineno}"
    try:
        file, line = inspect.getsourcefile(value), inspect.getsourcelines(value)[1]
    except (OSError, TypeError):
        return str(getattr(value, "__module__", value))
    return f"{shown_path(file or '')}:{line}"


def _activity(value: Any) -> ActivityDefinition | None:
    """The definition that a function or method carries; objects that answer to everything have none."""
    definition = ActivityDefinition.of(value) if inspect.isroutine(value) else None
    return definition if isinstance(definition, ActivityDefinition) else None


def _methods(kind: type) -> list[str]:
    """Names of a class's activities."""
    names = dict.fromkeys(name for each in reversed(kind.__mro__) for name in vars(each))
    return [name for name in names if _activity(inspect.getattr_static(kind, name)) is not None]


def _is_nexus_handler(kind: type) -> bool:
    if "nexusrpc" not in sys.modules:
        return False
    import nexusrpc

    service = nexusrpc.get_service_definition(kind)
    # The declaration of a service has one as well, and operations that are no functions.
    return service is not None and all(
        inspect.isfunction(getattr(kind, each.method_name or "", None))
        for each in service.operation_definitions.values()
    )


def _add_object(found: Found, value: Any) -> None:
    kind = type(value)
    for name in _methods(kind):
        found.activities.append(value if name == "__call__" else getattr(value, name))
    if _is_nexus_handler(kind):
        found.nexus_services.append(value)


def _add_class(found: Found, kind: type) -> None:
    """What needs an object of a class: made here if it takes nothing to make it."""
    methods, is_handler = _methods(kind), _is_nexus_handler(kind)
    if (not methods and not is_handler) or inspect.isabstract(kind):
        return
    needed = _required(kind)
    if not needed:
        try:
            made = kind()
        except Exception as error:  # it is the user's code
            raise CannotLoadError(told(error)) from None
        _add_object(found, made)
        return
    has = "is a Nexus service handler" if is_handler else f"has the activities {', '.join(methods)}"
    found.notes.append(
        f"{place_of(kind)}: {kind.__qualname__} {has}, which need an object, and takes {', '.join(needed)}: have one "
        f"in the module ({kind.__name__.lower()} = {kind.__name__}(...)), or a function worker(client) that makes the "
        "Worker"
    )


def _required(kind: type) -> list[str]:
    if "__init__" not in {name for each in kind.__mro__[:-1] for name in vars(each)}:
        return []
    parameters = inspect.signature(kind).parameters.values()
    optional = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [each.name for each in parameters if each.default is each.empty and each.kind not in optional]


def _refuse_clashes(found: Found) -> None:
    workflows = ((workflow_definition(each).name, each) for each in found.workflows)
    _refuse_clash("workflows", "@workflow.defn", workflows)
    definitions_of = ((ActivityDefinition.of(each), each) for each in found.activities)
    activities = ((definition.name, each) for definition, each in definitions_of if definition is not None)
    _refuse_clash("activities", "@activity.defn", activities)


def _refuse_clash(what: str, decorator: str, named: Iterable[tuple[str | None, Any]]) -> None:
    """Raises a ``CannotLoadError`` if two have one name; those without are dynamic."""
    first: dict[str | None, Any] = {}
    for name, each in named:
        if name in first:
            here, there = place_of(_code_of(each)), place_of(_code_of(first[name]))
            how = "dynamic" if name is None else f"named {name!r}"
            remedy = (
                "a worker can have one" if name is None else f"give one of them another name: {decorator}(name=...)"
            )
            raise CannotLoadError(f"{here}: two {what} are {how}: this one and that of {there}\n  {remedy}")
        first[name] = each


def _code_of(value: Any) -> Any:
    if inspect.isclass(value):
        return value
    return getattr(value, "__func__", value) if inspect.isroutine(value) else type(value)
