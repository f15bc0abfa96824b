"""``activity.defn`` and the typed calls that it adds to the function."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, cast, overload

from typing_extensions import Unpack

from invincible._engine.context import current_run
from invincible._engine.handles import ActivityHandle
from invincible._engine.options import ActivityConfig, ActivityOptions
from invincible.converter._signature import Signature

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
F = TypeVar("F")


@dataclass(frozen=True)
class ActivityDefinition:
    """What ``defn`` knows of an activity: name, ``None`` if dynamic, function, and the default options of its calls."""

    name: str | None
    function: Callable[..., Any]
    is_method: bool
    is_async: bool
    no_thread_cancel_exception: bool
    options: ActivityOptions

    @cached_property
    def signature(self) -> Signature:
        """Parameters and result, without ``self``; read when first needed, so that annotations may refer forward."""
        return Signature.of(self.function, f"activity {self.name!r}", skip_first=self.is_method)

    @staticmethod
    def of(activity: Any) -> ActivityDefinition | None:
        """The definition of a decorated function, method or callable object; ``None`` if there is none."""
        definition = getattr(activity, "__invincible_activity__", None)
        if definition is None:
            definition = getattr(
                type(activity).__call__ if callable(activity) else None, "__invincible_activity__", None
            )
        return cast("ActivityDefinition | None", definition)


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
        definition = self._definition
        if definition.name is None:
            raise TypeError("a dynamic activity is called by name: workflow.execute_activity('name', ...)")
        arguments = definition.signature.bind(args, kwargs)
        return current_run().schedule_activity(
            definition.name, arguments, self._options, definition.signature.return_hint
        )

    async def execute(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Schedule the activity and wait for its result.

        Raises:
            ActivityError: the activity failed; the reason is its ``cause``.
            TypeError: the arguments do not fit the function.
            ValueError: no ``start_to_close_timeout`` or ``schedule_to_close_timeout`` is set.
        """
        return await self.start(*args, **kwargs)

    def with_options(self, **options: Unpack[ActivityConfig]) -> ActivityCalls[P, R]:
        """The same activity, called with some of its options replaced."""
        return ActivityCalls(self._definition, self._options.replaced(options))


class _Activity(Protocol[P, R]):
    def start(self, *args: P.args, **kwargs: P.kwargs) -> ActivityHandle[R]: ...
    async def execute(self, *args: P.args, **kwargs: P.kwargs) -> R: ...
    def with_options(self, **options: Unpack[ActivityConfig]) -> ActivityCalls[P, R]: ...


class AsyncActivity(_Activity[P, R], Protocol[P, R]):
    """An ``async def`` function decorated by ``defn``: still the function, and callable from workflows."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]: ...
    @overload
    def __get__(self, instance: None, owner: Any) -> AsyncActivity[P, R]: ...
    @overload
    def __get__(self: AsyncActivity[Concatenate[Any, Q], R], instance: object, owner: Any) -> AsyncActivity[Q, R]: ...


class SyncActivity(_Activity[P, R], Protocol[P, R]):
    """A ``def`` function decorated by ``defn``: still the function, and callable from workflows."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...
    @overload
    def __get__(self, instance: None, owner: Any) -> SyncActivity[P, R]: ...
    @overload
    def __get__(self: SyncActivity[Concatenate[Any, Q], R], instance: object, owner: Any) -> SyncActivity[Q, R]: ...


class _Decorator(Protocol):
    @overload
    def __call__(self, fn: Callable[P, Coroutine[Any, Any, R]]) -> AsyncActivity[P, R]: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, fn: Callable[P, R]) -> SyncActivity[P, R]: ...


@overload
def defn(fn: Callable[P, Coroutine[Any, Any, R]]) -> AsyncActivity[P, R]: ...  # type: ignore[overload-overlap]
@overload
def defn(fn: Callable[P, R]) -> SyncActivity[P, R]: ...
@overload
def defn(
    *,
    name: str | None = None,
    no_thread_cancel_exception: bool = False,
    dynamic: bool = False,
    **options: Unpack[ActivityConfig],
) -> _Decorator: ...
def defn(
    fn: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    no_thread_cancel_exception: bool = False,
    dynamic: bool = False,
    **options: Unpack[ActivityConfig],
) -> Any:
    """Make a function an activity.

    The function stays what it is: a unit test calls or awaits it. It gains ``execute``, ``start`` and ``with_options``
    for workflow code, typed with its own parameters and result.

    Args:
        fn: The function, ``def`` or ``async def``; a method too.
        name: The activity type; the function's own name by default.
        no_thread_cancel_exception: Do not raise ``CancelledError`` inside the thread of a cancelled ``def`` activity.
        dynamic: Run it for every activity type that has no function of its own.
        options: Defaults for every call, as ``workflow.execute_activity`` takes them: timeouts, retry policy, ...

    Raises:
        TypeError: ``fn`` is not callable, or an option is unknown or of the wrong type.
        ValueError: both ``name`` and ``dynamic`` are given, or a timeout is negative.

    Example:
        @activity.defn(start_to_close_timeout=timedelta(seconds=10))
        async def greet(name: str) -> str:
            return f"Hello, {name}"
    """

    if dynamic and name:
        raise ValueError("an activity is either dynamic or has a name, not both")
    defaults = ActivityOptions().replaced(options)

    def decorate(fn: Any) -> Any:
        if not callable(fn):
            raise TypeError(f"@activity.defn decorates functions, got {type(fn).__name__}")
        definition = ActivityDefinition(
            name=None if dynamic else (name or fn.__name__),
            function=fn,
            is_method=_is_method(fn),
            is_async=inspect.iscoroutinefunction(fn),
            no_thread_cancel_exception=no_thread_cancel_exception,
            options=defaults,
        )
        calls: ActivityCalls[Any, Any] = ActivityCalls(definition, defaults)
        vars(fn).update(
            __invincible_activity__=definition,
            start=calls.start,
            execute=calls.execute,
            with_options=calls.with_options,
        )
        return fn

    return decorate if fn is None else decorate(fn)


def _is_method(fn: Callable[..., Any]) -> bool:
    """Whether the function is the body of a method: a class is not there yet when its methods are decorated."""
    scope = fn.__qualname__.rpartition(".")[0]
    parameters = list(inspect.signature(fn).parameters)
    return bool(scope) and not scope.endswith("<locals>") and parameters[:1] == ["self"]
