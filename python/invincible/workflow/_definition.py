"""Decorators that make a class, or one async function, a workflow."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar, cast, overload

from invincible._engine.definition import (
    HandlerUnfinishedPolicy,
    QueryDefinition,
    SignalDefinition,
    UpdateDefinition,
    WorkflowDefinition,
    require_versioning_behavior,
)
from invincible._engine.options import seconds
from invincible._engine.reference import QUERY, RUN, SIGNAL, UPDATE, WORKFLOW
from invincible.common import VersioningBehavior
from invincible.types import MultiParamSpec, ProtocolReturnType

from ._calls import add_calls

if TYPE_CHECKING:
    from invincible._engine.definition import DynamicWorkflowConfig, HandlerDefinition
    from invincible.types import ClassType

    from ._calls import FunctionWorkflow, RunDescriptor

F = TypeVar("F", bound=Callable[..., Any])
P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")
S_co = TypeVar("S_co", covariant=True)

# What these decorators leave on a function; only `defn` of its class reads it.
_INIT = "__invincible_init__"
_DYNAMIC_CONFIG = "__invincible_dynamic_config__"


class _Definer(Protocol):
    @overload
    def __call__(self, cls: ClassType) -> ClassType: ...
    @overload
    def __call__(self, cls: Callable[P, Coroutine[Any, Any, R]]) -> FunctionWorkflow[P, R]: ...


@overload
def defn(cls: ClassType) -> ClassType: ...
@overload
def defn(cls: Callable[P, Coroutine[Any, Any, R]]) -> FunctionWorkflow[P, R]: ...
@overload
def defn(
    *,
    name: str | None = None,
    sandboxed: bool = True,
    dynamic: bool = False,
    failure_exception_types: Sequence[type[BaseException]] = (),
    versioning_behavior: VersioningBehavior = VersioningBehavior.UNSPECIFIED,
    deadlock_timeout: timedelta | None = None,
) -> _Definer: ...
def defn(
    cls: Any = None,
    *,
    name: str | None = None,
    sandboxed: bool = True,
    dynamic: bool = False,
    failure_exception_types: Sequence[type[BaseException]] = (),
    versioning_behavior: VersioningBehavior = VersioningBehavior.UNSPECIFIED,
    deadlock_timeout: timedelta | None = None,
) -> Any:
    """Make a class, or an async function, a workflow.

    A function stays what it is: a unit test awaits it. It gains ``execute``, ``start`` and ``with_options``, by which
    other workflows call it as their child, with its own parameters and result; a class has them on its run method.

    Args:
        cls: A class with one method decorated by ``run``, or an ``async def`` function.
        name: The workflow type; the name of the class or function by default.
        sandboxed: Guard its code against calls that would not replay, ``time.time()`` say.
        dynamic: Run it for every workflow type that has no definition of its own.
        failure_exception_types: Exceptions that fail the workflow. ``FailureError`` always does; any other exception
            fails the workflow task, which the server tries again: a bug can be fixed while the run waits.
        versioning_behavior: With worker deployments, whether a run stays on the version it started on.
        deadlock_timeout: How long its code may run without waiting for anything; the worker's budget by default.

    Raises:
        ValueError: the class breaks a rule: no run method, two of them, a handler overridden without its decorator, ...
        TypeError: neither a class nor an async function, or an option of a wrong type.

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
        require_versioning_behavior(versioning_behavior)
        type_name = None if dynamic else (name or getattr(target, "__name__", ""))
        options: dict[str, Any] = {
            "failure_exception_types": tuple(failure_exception_types),
            "versioning_behavior": versioning_behavior,
            "sandboxed": sandboxed,
            "deadlock_timeout": seconds("deadlock_timeout", deadlock_timeout),
        }
        if inspect.isclass(target):
            definition = _define_class(target, type_name, options)
            setattr(definition.run, WORKFLOW, definition)
        elif inspect.iscoroutinefunction(target):
            definition = WorkflowDefinition(name=type_name, run=target, **options)
            add_calls(target)
        else:
            raise TypeError(f"@workflow.defn decorates classes and async functions, got {target!r}")
        setattr(target, WORKFLOW, definition)
        return target

    return decorate if cls is None else decorate(cls)


def _define_class(cls: type, name: str | None, options: Mapping[str, Any]) -> WorkflowDefinition:
    members = {attribute: getattr(cls, attribute) for attribute in dir(cls) if not attribute.startswith("__")}
    constructor: Any = vars(cls).get("__init__") or getattr(cls, "__init__")  # noqa: B009  # typed as unsound
    problems = _undecorated_overrides(cls)

    runs = {member for member in members.values() if getattr(member, RUN, False)}
    if not runs:
        problems.append("no method is decorated with @workflow.run")
    if len(runs) > 1:
        names = ", ".join(sorted(run.__qualname__ for run in runs))
        problems.append(f"more than one method is decorated with @workflow.run: {names}")

    for inherited in runs - set(vars(cls).values()):
        # A run method names the workflow to clients, and an inherited one names the base class's.
        problems.append(
            f"its run method is inherited: define one, as {inherited.__name__} with `return await super()."
            f"{inherited.__name__}(...)`, and decorate it with @workflow.run"
        )
    handlers: dict[str, dict[str | None, Any]] = {SIGNAL: {}, QUERY: {}, UPDATE: {}}
    for member in members.values():
        for attribute, found in handlers.items():
            handler: HandlerDefinition | None = getattr(member, attribute, None)
            if handler is None:
                continue
            if handler.name in found and found[handler.name].function is not handler.function:
                problems.append(f"two {handler.kind} handlers are named {handler.name!r}")
            found[handler.name] = handler

    run = next(iter(runs), None)
    init_takes_arguments = bool(getattr(constructor, _INIT, False))
    if run is not None and init_takes_arguments and _parameters(constructor) != _parameters(run):
        problems.append("the parameters of the @workflow.init method and of the @workflow.run method differ")
    configs = [member for member in members.values() if getattr(member, _DYNAMIC_CONFIG, False)]
    if configs and name is not None:
        problems.append("@workflow.dynamic_config is for dynamic workflows: decorate with @workflow.defn(dynamic=True)")
    if len(configs) > 1:
        problems.append("more than one method is decorated with @workflow.dynamic_config")
    if problems:
        raise ValueError(f"{cls.__qualname__} is no valid workflow class: " + "; ".join(problems))
    assert run is not None
    return WorkflowDefinition(
        name=name,
        run=run,
        workflow_class=cls,
        init_takes_arguments=init_takes_arguments,
        signals=handlers[SIGNAL],
        queries=handlers[QUERY],
        updates=handlers[UPDATE],
        dynamic_config=configs[0] if configs else None,
        **options,
    )


def _undecorated_overrides(cls: type) -> list[str]:
    """Methods that override a decorated one without the decorator: they would silently not be handlers any more."""
    problems = []
    for attribute in vars(cls):
        for mark, decorator in ((RUN, "run"), (SIGNAL, "signal"), (QUERY, "query"), (UPDATE, "update")):
            own = vars(cls)[attribute]
            inherited = next((vars(base)[attribute] for base in cls.__mro__[1:] if attribute in vars(base)), None)
            if getattr(inherited, mark, None) and not getattr(own, mark, None):
                problems.append(f"{attribute} overrides a method decorated with @workflow.{decorator}: decorate it too")
    return problems


def run(fn: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]) -> RunDescriptor[P, R]:
    """Mark the method that is the workflow.

    It gains ``execute``, ``start`` and ``with_options``, by which other workflows call this one as their child:
    ``await Greeting.run.execute("Ada")``.

    Raises:
        TypeError: the method is not ``async def``, or has no ``self``.
    """
    if not inspect.iscoroutinefunction(fn):
        raise TypeError(f"@workflow.run needs an async method, and {fn.__qualname__} is not one")
    if "<locals>" in fn.__qualname__.rpartition(".")[0].rpartition(".")[2]:
        raise TypeError(f"@workflow.run decorates methods of a class, and {fn.__qualname__} is a function")
    setattr(fn, RUN, True)
    add_calls(fn)
    return cast("RunDescriptor[P, R]", fn)


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
        setattr(fn, SIGNAL, handler)
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
        handler = QueryDefinition(
            name=_handler_name(fn, name, dynamic),
            function=fn,
            description=description,
        )
        setattr(fn, QUERY, handler)
        return fn

    return decorate if fn is None else decorate(fn)


class UpdateMethodMultiParam(Protocol[MultiParamSpec, ProtocolReturnType]):
    """A method decorated by ``update`` as its class has it. One type stands for ``def`` and ``async def``, so that a
    client's call infers the result of both."""

    def __call__(
        self, *args: MultiParamSpec.args, **kwargs: MultiParamSpec.kwargs
    ) -> ProtocolReturnType | Awaitable[ProtocolReturnType]: ...


class _Update(Protocol[P]):
    def validator(self, vfunc: Callable[Concatenate[S, P], None]) -> Callable[Concatenate[S, P], None]: ...


# The class is covariant, which is not quite sound: otherwise no subclass could override an update.
class AsyncUpdate(_Update[P], Protocol[S_co, P, ProtocolReturnType]):
    """What ``update`` puts into the class for an ``async def`` method."""

    @overload
    def __get__(
        self, instance: None, owner: Any
    ) -> UpdateMethodMultiParam[Concatenate[S_co, P], ProtocolReturnType]: ...
    @overload
    def __get__(self, instance: object, owner: Any) -> Callable[P, Coroutine[Any, Any, ProtocolReturnType]]: ...


class SyncUpdate(_Update[P], Protocol[S_co, P, ProtocolReturnType]):
    """What ``update`` puts into the class for a ``def`` method."""

    @overload
    def __get__(
        self, instance: None, owner: Any
    ) -> UpdateMethodMultiParam[Concatenate[S_co, P], ProtocolReturnType]: ...
    @overload
    def __get__(self, instance: object, owner: Any) -> Callable[P, ProtocolReturnType]: ...


class _Updater(Protocol):
    @overload
    def __call__(self, fn: Callable[Concatenate[S, P], Coroutine[Any, Any, R]]) -> AsyncUpdate[S, P, R]: ...
    @overload
    def __call__(self, fn: Callable[Concatenate[S, P], R]) -> SyncUpdate[S, P, R]: ...


@overload
def update(fn: Callable[Concatenate[S, P], Coroutine[Any, Any, R]]) -> AsyncUpdate[S, P, R]: ...
@overload
def update(fn: Callable[Concatenate[S, P], R]) -> SyncUpdate[S, P, R]: ...
@overload
def update(
    *,
    name: str | None = None,
    dynamic: bool | None = False,
    unfinished_policy: HandlerUnfinishedPolicy = HandlerUnfinishedPolicy.WARN_AND_ABANDON,
    description: str | None = None,
) -> _Updater: ...
def update(
    fn: Any = None,
    *,
    name: str | None = None,
    dynamic: bool | None = False,
    unfinished_policy: HandlerUnfinishedPolicy = HandlerUnfinishedPolicy.WARN_AND_ABANDON,
    description: str | None = None,
) -> Any:
    """Make a method the handler of an update: it may change the workflow, wait, and return a result to the caller.

    The decorated method has a decorator ``validator``, for a method of the same parameters that refuses an update by
    raising, before anything of it is in history.

    Args:
        fn: The method, ``def`` or ``async def``.
        name: The update's name; the method's own name by default.
        dynamic: Handle every update without a handler of its own; the first argument is the update's name.
        unfinished_policy: What happens when the workflow ends while the handler still runs.
        description: One line for the Web UI.

    Example:
        @workflow.update
        async def deposit(self, amount: int) -> int:
            self.balance += amount
            return self.balance

        @deposit.validator
        def check_deposit(self, amount: int) -> None:
            if amount <= 0:
                raise ValueError("the amount must be positive")
    """

    def decorate(fn: Any) -> Any:
        handler = UpdateDefinition(
            name=_handler_name(fn, name, dynamic),
            function=fn,
            unfinished_policy=unfinished_policy,
            description=description,
        )

        def validator(validate: Any) -> Any:
            setattr(fn, UPDATE, replace(handler, validator=validate))
            return validate

        setattr(fn, UPDATE, handler)
        fn.validator = validator
        return fn

    return decorate if fn is None else decorate(fn)


def dynamic_config(fn: Callable[[Any], DynamicWorkflowConfig]) -> Callable[[Any], DynamicWorkflowConfig]:
    """Mark the method of a dynamic workflow that says, for each run, what fails it and how it is versioned.

    It is called once, after ``__init__``, and returns a ``DynamicWorkflowConfig``.
    """
    if inspect.iscoroutinefunction(fn):
        raise TypeError(f"@workflow.dynamic_config needs a method that is not async, and {fn.__qualname__} is")
    setattr(fn, _DYNAMIC_CONFIG, True)
    return fn


def _handler_name(fn: Any, name: str | None, dynamic: bool | None) -> str | None:
    if dynamic and name:
        raise ValueError("a handler is either dynamic or has a name, not both")
    return None if dynamic else (name or fn.__name__)


def _parameters(fn: Any) -> list[tuple[str, Any, Any]]:
    return [(each.name, each.kind, each.annotation) for each in inspect.signature(fn).parameters.values()]
