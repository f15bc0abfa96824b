"""``activity.defn`` and the typed calls that it adds to the function."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, cast, overload

from typing_extensions import Self, Unpack

from invincible._engine.context import current_run
from invincible._engine.options import ActivityOptions
from invincible._engine.reference import Reference
from invincible.converter._signature import Signature
from invincible.types import ProtocolParamType, ProtocolReturnType

if TYPE_CHECKING:
    from invincible._engine.activities import ActivityHandle
    from invincible._engine.configs import ActivityConfig
    from invincible.types import ClassType

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
S = TypeVar("S")
S_contra = TypeVar("S_contra", contravariant=True)

# What `defn` leaves on a function or class.
_ACTIVITY = "__invincible_activity__"


@dataclass(frozen=True)
class ActivityDefinition:
    """What ``defn`` knows of an activity: name, ``None`` if dynamic, function, and the default options of its calls."""

    name: str | None
    function: Callable[..., Any]
    is_method: bool
    is_async: bool
    no_thread_cancel_exception: bool
    auto_heartbeat: bool
    options: ActivityOptions

    @cached_property
    def signature(self) -> Signature:
        """Parameters and result, without ``self``; read when first needed, so that annotations may refer forward."""
        return Signature.of(self.function, f"activity {self.name!r}", skip_first=self.is_method)

    @staticmethod
    def of(activity: Any) -> ActivityDefinition | None:
        """The definition of a decorated function, method or callable object, or of a class of such objects; ``None``
        if there is none."""
        definition = getattr(activity, _ACTIVITY, None)
        if definition is None and callable(activity):
            call = activity.__call__ if inspect.isclass(activity) else type(activity).__call__
            definition = getattr(call, _ACTIVITY, None)
        return cast("ActivityDefinition | None", definition)

    @cached_property
    def reference(self) -> Reference:
        """How a call names it.

        Raises:
            TypeError: it is dynamic, and has no name.
        """
        if self.name is None:
            raise TypeError("a dynamic activity is called by name: give the name instead")
        return Reference(self.name, self.signature)


def activity_reference(activity: Any) -> tuple[Reference, ActivityOptions]:
    """The activity named by a string or by what is decorated with ``defn``, and the default options of its calls.

    Raises:
        TypeError: it is neither, or dynamic.
    """
    if isinstance(activity, str):
        return Reference(activity, None), ActivityOptions()
    definition = ActivityDefinition.of(activity)
    if definition is None:
        name = getattr(activity, "__qualname__", repr(activity))
        raise TypeError(f"{name} is not an activity: decorate it with @activity.defn, or pass the activity's name")
    return definition.reference, definition.options


class ActivityCalls(Generic[P, R]):
    """Calls of one activity from workflow code, with the function's own parameters and result."""

    def __init__(self, definition: ActivityDefinition, options: ActivityOptions) -> None:
        self._definition = definition
        self._options = options

    def start(self, *args: P.args, **kwargs: P.kwargs) -> ActivityHandle[R]:
        """Schedule the activity; the handle resolves with its result.

        Raises:
            TypeError: the arguments do not fit the function.
            ValueError: no ``start_to_close_timeout`` or ``schedule_to_close_timeout`` is set.
        """
        reference = self._definition.reference
        arguments = self._definition.signature.bind(args, kwargs)
        return current_run().activities.schedule(reference, arguments, self._options, reference.return_hint)

    async def execute(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Schedule the activity and wait for its result.

        Raises:
            ActivityError: the activity failed; the reason is its ``cause``.
            TypeError: the arguments do not fit the function.
            ValueError: no ``start_to_close_timeout`` or ``schedule_to_close_timeout`` is set.
        """
        return await self.start(*args, **kwargs)

    def start_local(self, *args: P.args, **kwargs: P.kwargs) -> ActivityHandle[R]:
        """Run the activity on the workflow's own worker, without a task of its own; see
        ``workflow.start_local_activity``.

        Raises:
            TypeError: the arguments do not fit the function.
            ValueError: no ``start_to_close_timeout`` or ``schedule_to_close_timeout`` is set.
        """
        reference = self._definition.reference
        arguments = self._definition.signature.bind(args, kwargs)
        options = self._options.for_local()
        return current_run().activities.schedule_local(reference, arguments, options, reference.return_hint)

    async def execute_local(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the activity on the workflow's own worker and wait for its result.

        Raises:
            ApplicationError: the activity failed. Other than with ``execute``, no ``ActivityError`` is around it.
            TimeoutError: it took too long.
            ActivityError: it was cancelled.
            TypeError: the arguments do not fit the function.
            ValueError: no ``start_to_close_timeout`` or ``schedule_to_close_timeout`` is set.
        """
        return await self.start_local(*args, **kwargs)

    def with_options(self, **options: Unpack[ActivityConfig]) -> ActivityCalls[P, R]:
        """The same activity, called with some of its options replaced."""
        return ActivityCalls(self._definition, self._options.replaced(options))


class _Activity(Protocol[P, R]):
    def start(self, *args: P.args, **kwargs: P.kwargs) -> ActivityHandle[R]: ...
    async def execute(self, *args: P.args, **kwargs: P.kwargs) -> R: ...
    def start_local(self, *args: P.args, **kwargs: P.kwargs) -> ActivityHandle[R]: ...
    async def execute_local(self, *args: P.args, **kwargs: P.kwargs) -> R: ...
    def with_options(self, **options: Unpack[ActivityConfig]) -> ActivityCalls[P, R]: ...


class AsyncActivity(_Activity[P, R], Protocol[P, R]):
    """An ``async def`` function decorated by ``defn``: still the function, and callable from workflows."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]: ...
    @overload
    def __get__(
        self: AsyncActivity[Concatenate[Any, Q], R], instance: None, owner: type[S]
    ) -> AsyncActivityMethod[S, Q, R]: ...
    @overload
    def __get__(self: AsyncActivity[Concatenate[Any, Q], R], instance: object, owner: Any) -> AsyncActivity[Q, R]: ...


class AsyncActivityMethod(_Activity[P, R], Protocol[S_contra, P, R]):
    """An ``async def`` method decorated by ``defn`` as its class has it: calls from workflows need no object."""

    def __call__(self, instance: S_contra, /, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]: ...


class SyncActivity(_Activity[P, R], Protocol[P, R]):
    """A ``def`` function decorated by ``defn``: still the function, and callable from workflows."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...
    @overload
    def __get__(
        self: SyncActivity[Concatenate[Any, Q], R], instance: None, owner: type[S]
    ) -> SyncActivityMethod[S, Q, R]: ...
    @overload
    def __get__(self: SyncActivity[Concatenate[Any, Q], R], instance: object, owner: Any) -> SyncActivity[Q, R]: ...


class SyncActivityMethod(_Activity[P, R], Protocol[S_contra, P, R]):
    """A ``def`` method decorated by ``defn`` as its class has it: calls from workflows need no object."""

    def __call__(self, instance: S_contra, /, *args: P.args, **kwargs: P.kwargs) -> R: ...


class AsyncCallable(Protocol[ProtocolReturnType]):
    """An object with an async ``__call__`` of any parameters."""

    def __call__(self, *args: Any, **kwargs: Any) -> Awaitable[ProtocolReturnType]: ...


class SyncCallable(Protocol[ProtocolReturnType]):
    """An object with a ``__call__`` of any parameters."""

    def __call__(self, *args: Any, **kwargs: Any) -> ProtocolReturnType: ...


class ActivityObjectNoParam(Protocol[R]):
    """An object whose ``__call__`` is decorated by ``defn`` and has no parameters, for type checkers that match the
    attribute as the class has it, pyright for one; others see a function there."""

    @property
    def __call__(self) -> _Activity[[Self], R]: ...


class ActivityObjectSingleParam(Protocol[ProtocolParamType, R]):  # pyright: ignore[reportInvalidTypeVarUse]
    """The same with one parameter."""

    @property
    def __call__(self) -> _Activity[[Self, ProtocolParamType], R]: ...


class ActivityObject(Protocol[R]):
    """The same with any parameters."""

    @property
    def __call__(self) -> _Activity[Concatenate[Self, ...], R]: ...


class _Decorator(Protocol):
    @overload
    def __call__(self, fn: ClassType) -> ClassType: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, fn: Callable[P, Coroutine[Any, Any, R]]) -> AsyncActivity[P, R]: ...  # pyright: ignore[reportOverlappingOverload]
    @overload
    def __call__(self, fn: Callable[P, R]) -> SyncActivity[P, R]: ...


@overload
def defn(fn: ClassType) -> ClassType: ...  # type: ignore[overload-overlap]
@overload
def defn(fn: Callable[P, Coroutine[Any, Any, R]]) -> AsyncActivity[P, R]: ...  # pyright: ignore[reportOverlappingOverload]
@overload
def defn(fn: Callable[P, R]) -> SyncActivity[P, R]: ...
@overload
def defn(
    *,
    name: str | None = None,
    no_thread_cancel_exception: bool = False,
    dynamic: bool = False,
    auto_heartbeat: bool = False,
    **options: Unpack[ActivityConfig],
) -> _Decorator: ...
def defn(
    fn: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    no_thread_cancel_exception: bool = False,
    dynamic: bool = False,
    auto_heartbeat: bool = False,
    **options: Unpack[ActivityConfig],
) -> Any:
    """Make a function an activity.

    The function stays what it is: a unit test calls or awaits it. It gains ``execute``, ``start``, ``execute_local``,
    ``start_local`` and ``with_options`` for workflow code, typed with its own parameters and result.

    Args:
        fn: The function, ``def`` or ``async def``; a method, or a class whose objects are called, too.
        name: The activity type; the function's own name by default.
        no_thread_cancel_exception: Do not raise ``CancelledError`` inside the thread of a cancelled ``def`` activity.
        auto_heartbeat: Heartbeat for the activity while it runs, so that a worker that dies is noticed within the
            heartbeat timeout, and cancellations arrive. It says that the process lives, not that the activity gets on.
        dynamic: Run it for every activity type that has no function of its own.
        options: Defaults for every call, as ``workflow.execute_activity`` takes them: timeouts, retry policy, ...

    Raises:
        TypeError: ``fn`` is not callable or an async generator, a dynamic one does not take one argument, or an option
            is unknown or of the wrong type.
        ValueError: both ``name`` and ``dynamic`` are given, or a timeout is negative.

    Example:
        @activity.defn(start_to_close_timeout=timedelta(seconds=10))
        async def greet(name: str) -> str:
            return f"Hello, {name}"
    """

    if name is not None and not isinstance(name, str):
        raise TypeError(f"the name of an activity must be a str, got {type(name).__name__}")
    if dynamic and name:
        raise ValueError("an activity is either dynamic or has a name, not both")
    defaults = ActivityOptions().replaced(options)

    def decorate(fn: Any) -> Any:
        if isinstance(fn, (staticmethod, classmethod)):
            raise TypeError(f"put @{type(fn).__name__} above @activity.defn, which decorates functions")
        if not callable(fn):
            raise TypeError(f"@activity.defn decorates functions, got {type(fn).__name__}")
        if inspect.ismethod(fn) or inspect.isbuiltin(fn):
            raise TypeError(
                f"{fn.__qualname__} cannot be decorated: decorate the function in its class, or a new function"
            )
        # A class whose objects are called stands for its `__call__`.
        function = fn.__call__ if inspect.isclass(fn) else fn
        definition = ActivityDefinition(
            name=None if dynamic else (name or fn.__name__),
            function=function,
            is_method=inspect.isclass(fn) or _is_method(fn),
            is_async=inspect.iscoroutinefunction(function),
            no_thread_cancel_exception=no_thread_cancel_exception,
            auto_heartbeat=auto_heartbeat,
            options=defaults,
        )
        if inspect.isasyncgenfunction(function):
            raise TypeError(
                f"activity {fn.__name__!r} is an async generator, which has no result: return a list instead"
            )
        if dynamic:
            _check_dynamic(definition)
        calls: ActivityCalls[Any, Any] = ActivityCalls(definition, defaults)
        setattr(fn, _ACTIVITY, definition)
        for method in ("start", "execute", "start_local", "execute_local", "with_options"):
            setattr(fn, method, getattr(calls, method))
        return fn

    return decorate if fn is None else decorate(fn)


def _check_dynamic(definition: ActivityDefinition) -> None:
    """A dynamic activity is called with one argument, the list of its raw values."""
    function = definition.function
    arguments = [None] * (2 if definition.is_method else 1)
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError:
        raise TypeError(
            f"dynamic activity {function.__qualname__!r} must take one argument, a Sequence[RawValue], and no others"
        ) from None


def _is_method(fn: Callable[..., Any]) -> bool:
    """Whether the function is the body of a method: a class is not there yet when its methods are decorated."""
    scope = fn.__qualname__.rpartition(".")[0]
    parameters = list(inspect.signature(fn).parameters)
    return bool(scope) and not scope.endswith("<locals>") and parameters[:1] == ["self"]
