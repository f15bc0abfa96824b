"""Decorators that make a class, or one async function, a workflow; and what others may ask about the result."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, overload

from invincible._engine.definition import HandlerUnfinishedPolicy, QueryDefinition, SignalDefinition, WorkflowDefinition
from invincible.converter._signature import Signature

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

# What a decorator leaves on the function or class that it decorates.
_WORKFLOW = "__invincible_workflow__"
_RUN = "__invincible_run__"
_INIT = "__invincible_init__"
_SIGNAL = "__invincible_signal__"
_QUERY = "__invincible_query__"


@overload
def defn(cls: T) -> T: ...
@overload
def defn(
    *,
    name: str | None = None,
    dynamic: bool = False,
    failure_exception_types: Sequence[type[BaseException]] = (),
) -> Callable[[T], T]: ...
def defn(
    cls: Any = None,
    *,
    name: str | None = None,
    dynamic: bool = False,
    failure_exception_types: Sequence[type[BaseException]] = (),
) -> Any:
    """Make a class, or an async function, a workflow.

    Args:
        cls: A class with one method decorated by ``run``, or an ``async def`` function.
        name: The workflow type; the name of the class or function by default.
        dynamic: Run it for every workflow type that has no definition of its own.
        failure_exception_types: Exceptions that fail the workflow. ``FailureError`` always does; any other exception
            fails the workflow task, which the server tries again: a bug can be fixed while the run waits.

    Raises:
        ValueError: the class breaks a rule: no run method, two of them, a handler overridden without its decorator, ...
        TypeError: neither a class nor an async function.

    Example:
        @workflow.defn
        class Greeting:
            @workflow.run
            async def run(self, name: str) -> str:
                return await greet.execute(name)

        @workflow.defn
        async def greeting(name: str) -> str:
            return await greet.execute(name)
    """

    def decorate(target: Any) -> Any:
        if dynamic and name:
            raise ValueError("a workflow is either dynamic or has a name, not both")
        type_name = None if dynamic else (name or target.__name__)
        failures = tuple(failure_exception_types)
        if inspect.isclass(target):
            definition = _define_class(target, type_name, failures)
            setattr(definition.run, _WORKFLOW, definition)
        elif inspect.iscoroutinefunction(target):
            definition = WorkflowDefinition(name=type_name, run=target, failure_exception_types=failures)
        else:
            raise TypeError(f"@workflow.defn decorates classes and async functions, got {target!r}")
        setattr(target, _WORKFLOW, definition)
        return target

    return decorate if cls is None else decorate(cls)


def _define_class(cls: type, name: str | None, failures: Sequence[type[BaseException]]) -> WorkflowDefinition:
    members = {attribute: getattr(cls, attribute) for attribute in dir(cls) if not attribute.startswith("__")}
    constructor: Any = vars(cls).get("__init__") or getattr(cls, "__init__")  # noqa: B009  # typed as unsound
    problems = _undecorated_overrides(cls)

    runs = {member for member in members.values() if getattr(member, _RUN, False)}
    if not runs:
        problems.append("no method is decorated with @workflow.run")
    if len(runs) > 1:
        names = ", ".join(sorted(run.__qualname__ for run in runs))
        problems.append(f"more than one method is decorated with @workflow.run: {names}")

    signals: dict[str | None, SignalDefinition] = {}
    queries: dict[str | None, QueryDefinition] = {}
    for member in members.values():
        kinds: Any = (("signal", signals, _SIGNAL), ("query", queries, _QUERY))
        for kind, handlers, attribute in kinds:
            handler = getattr(member, attribute, None)
            if handler is None:
                continue
            if handler.name in handlers and handlers[handler.name].function is not handler.function:
                problems.append(f"two {kind} handlers are named {handler.name!r}")
            handlers[handler.name] = handler

    run = next(iter(runs), None)
    init_takes_arguments = bool(getattr(constructor, _INIT, False))
    if run is not None and init_takes_arguments and _parameters(constructor) != _parameters(run):
        problems.append("the parameters of the @workflow.init method and of the @workflow.run method differ")
    if problems:
        raise ValueError(f"{cls.__qualname__} is no valid workflow class: " + "; ".join(problems))
    assert run is not None
    return WorkflowDefinition(
        name=name,
        run=run,
        workflow_class=cls,
        init_takes_arguments=init_takes_arguments,
        signals=signals,
        queries=queries,
        failure_exception_types=failures,
    )


def _undecorated_overrides(cls: type) -> list[str]:
    """Methods that override a decorated one without the decorator: they would silently not be handlers any more."""
    problems = []
    for attribute in vars(cls):
        for mark, decorator in ((_RUN, "run"), (_SIGNAL, "signal"), (_QUERY, "query")):
            own = vars(cls)[attribute]
            inherited = next((vars(base)[attribute] for base in cls.__mro__[1:] if attribute in vars(base)), None)
            if getattr(inherited, mark, None) and not getattr(own, mark, None):
                problems.append(f"{attribute} overrides a method decorated with @workflow.{decorator}: decorate it too")
    return problems


def run(fn: F) -> F:
    """Mark the method that is the workflow.

    Raises:
        TypeError: the method is not ``async def``, or has no ``self``.
    """
    if not inspect.iscoroutinefunction(fn):
        raise TypeError(f"@workflow.run needs an async method, and {fn.__qualname__} is not one")
    if "<locals>" in fn.__qualname__.rpartition(".")[0].rpartition(".")[2]:
        raise TypeError(f"@workflow.run decorates methods of a class, and {fn.__qualname__} is a function")
    setattr(fn, _RUN, True)
    return fn


def init(init_fn: F) -> F:
    """Mark an ``__init__`` that takes the workflow's arguments: the same parameters as the run method."""
    if init_fn.__name__ != "__init__":
        raise TypeError(f"@workflow.init decorates __init__, not {init_fn.__qualname__}")
    setattr(init_fn, _INIT, True)
    return init_fn


@overload
def signal(fn: F) -> F: ...
@overload
def signal(
    *,
    name: str | None = None,
    dynamic: bool | None = False,
    unfinished_policy: HandlerUnfinishedPolicy = HandlerUnfinishedPolicy.WARN_AND_ABANDON,
    description: str | None = None,
) -> Callable[[F], F]: ...
def signal(
    fn: Any = None,
    *,
    name: str | None = None,
    dynamic: bool | None = False,
    unfinished_policy: HandlerUnfinishedPolicy = HandlerUnfinishedPolicy.WARN_AND_ABANDON,
    description: str | None = None,
) -> Any:
    """Make a method the handler of a signal.

    Args:
        fn: The method, ``def`` or ``async def``.
        name: The signal's name; the method's own name by default.
        dynamic: Handle every signal without a handler of its own; the first argument is the signal's name.
        unfinished_policy: What happens when the workflow ends while the handler still runs.
        description: One line for the Web UI.
    """

    def decorate(fn: Any) -> Any:
        handler = SignalDefinition(
            name=_handler_name(fn, name, dynamic),
            function=fn,
            unfinished_policy=unfinished_policy,
            description=description,
        )
        setattr(fn, _SIGNAL, handler)
        return fn

    return decorate if fn is None else decorate(fn)


@overload
def query(fn: F) -> F: ...
@overload
def query(
    *, name: str | None = None, dynamic: bool | None = False, description: str | None = None
) -> Callable[[F], F]: ...
def query(
    fn: Any = None, *, name: str | None = None, dynamic: bool | None = False, description: str | None = None
) -> Any:
    """Make a method the handler of a query: it reads the workflow's state and changes nothing.

    Args:
        fn: The method; not async, because a query may not wait.
        name: The query's name; the method's own name by default.
        dynamic: Handle every query without a handler of its own; the first argument is the query's name.
        description: One line for the Web UI.
    """

    def decorate(fn: Any) -> Any:
        if inspect.iscoroutinefunction(fn):
            raise TypeError(f"a query handler cannot be async, because a query may not wait: {fn.__qualname__}")
        handler = QueryDefinition(
            name=_handler_name(fn, name, dynamic),
            function=fn,
            description=description,
        )
        setattr(fn, _QUERY, handler)
        return fn

    return decorate if fn is None else decorate(fn)


def _handler_name(fn: Any, name: str | None, dynamic: bool | None) -> str | None:
    if dynamic and name:
        raise ValueError("a handler is either dynamic or has a name, not both")
    return None if dynamic else (name or fn.__name__)


def _parameters(fn: Any) -> list[tuple[str, Any, Any]]:
    return [(each.name, each.kind, each.annotation) for each in inspect.signature(fn).parameters.values()]


# What clients and workers ask


@dataclass(frozen=True)
class HandlerReference:
    """A signal or query as a caller named it."""

    name: str
    signature: Signature | None


def workflow_definition(reference: Any) -> WorkflowDefinition:
    """The definition of a workflow class, its run method, or a function workflow.

    Raises:
        TypeError: it is none of these.
    """
    holder = vars(reference) if inspect.isclass(reference) else getattr(reference, "__dict__", {})
    definition = holder.get(_WORKFLOW)
    if isinstance(definition, WorkflowDefinition):
        return definition
    name = getattr(reference, "__qualname__", repr(reference))
    raise TypeError(
        f"{name} is not a workflow: give a class or function decorated with @workflow.defn, its @workflow.run method, "
        "or the workflow's name"
    )


def signal_reference(reference: Any) -> HandlerReference:
    """The signal named by a string or by a method decorated with ``signal``."""
    return _handler_reference(reference, _SIGNAL, "signal")


def query_reference(reference: Any) -> HandlerReference:
    """The query named by a string or by a method decorated with ``query``."""
    return _handler_reference(reference, _QUERY, "query")


def _handler_reference(reference: Any, attribute: str, kind: str) -> HandlerReference:
    if isinstance(reference, str):
        return HandlerReference(reference, None)
    handler = getattr(reference, attribute, None)
    if handler is None:
        name = getattr(reference, "__qualname__", repr(reference))
        raise TypeError(f"{name} is not a {kind}: give a method decorated with @workflow.{kind}, or the {kind}'s name")
    if handler.name is None:
        raise TypeError(f"{reference.__qualname__} is the dynamic {kind} handler: give the {kind}'s name instead")
    return HandlerReference(handler.name, handler.signature)
