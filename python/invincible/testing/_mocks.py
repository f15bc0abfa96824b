"""Mocks of activities: registered on a worker in place of the real ones, they answer as told and record their calls."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import NoneType, UnionType
from typing import Annotated, Any, Generic, NoReturn, ParamSpec, TypeVar, cast, get_origin, overload
from unittest.mock import Mock

from invincible import activity as activities
from invincible.activity._definition import _ACTIVITY, ActivityDefinition, _Activity, activity_reference
from invincible.converter import DataConverter
from invincible.converter._hints import type_name
from invincible.converter._signature import decode_result
from invincible.exceptions import ApplicationError

P = ParamSpec("P")
R = TypeVar("R")

_NOT_GIVEN: Any = object()


@dataclass(frozen=True)
class ActivityMockCall:
    """One attempt of a mocked activity.

    Args:
        args: Its arguments, converted to the types of the activity's parameters where these are known.
        kwargs: Those of keyword-only parameters.
        info: What ``activity.info()`` says in the attempt; ``None`` if the test has called the mock itself.
    """

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    info: activities.Info | None

    @property
    def attempt(self) -> int:
        """Which attempt it was, counted from 1."""
        return 1 if self.info is None else self.info.attempt


class ActivityMock(Generic[P, R]):
    """Stands in for an activity on a worker; ``mock_activity`` makes it.

    Attempts count as calls: an activity that fails once and is tried again was called twice. Assertions raise
    ``AssertionError``, and compare arguments whether they were given by position or by name.

    Attributes:
        calls: The calls so far, the first one first.
        mock: The ``unittest.mock.Mock`` that decides what happens and counts the calls, for all else that it offers;
            ``mock.return_value`` and ``mock.side_effect`` can be set for the calls to come.
    """

    def __init__(self, definition: ActivityDefinition, mock: Mock) -> None:
        self.calls: list[ActivityMockCall] = []
        self.mock = mock
        self._definition = definition
        setattr(self, _ACTIVITY, definition)

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """What the activity does. A test may call it, too."""
        info = activities.info() if activities.in_activity() else None
        self.calls.append(ActivityMockCall(args, kwargs, info))
        try:
            outcome = self.mock(*args, **kwargs)
        except StopIteration:
            self._refuse(f"has no outcome for call {self.call_count}: side_effect has {self.call_count - 1}")
        result = await outcome if inspect.isawaitable(outcome) else outcome
        self._check(result)
        return cast("R", result)

    @property
    def called(self) -> bool:
        """Whether it was called."""
        return self.call_count > 0

    @property
    def call_count(self) -> int:
        """How often it was called."""
        return self.mock.call_count

    def assert_called(self) -> None:
        """It was called at least once."""
        __tracebackhide__ = True
        self._assert("assert_called")

    def assert_called_once(self) -> None:
        """It was called once."""
        __tracebackhide__ = True
        self._assert("assert_called_once")

    def assert_not_called(self) -> None:
        """It was not called."""
        __tracebackhide__ = True
        self._assert("assert_not_called")

    def assert_called_with(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """The last call had these arguments."""
        __tracebackhide__ = True
        self._assert("assert_called_with", *args, **kwargs)

    def assert_called_once_with(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """It was called once, with these arguments."""
        __tracebackhide__ = True
        self._assert("assert_called_once_with", *args, **kwargs)

    def assert_any_call(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """One of the calls had these arguments."""
        __tracebackhide__ = True
        self._assert("assert_any_call", *args, **kwargs)

    def reset_mock(self) -> None:
        """Forget the calls; what calls do stays."""
        self.calls.clear()
        self.mock.reset_mock()

    def _assert(self, assertion: str, /, *args: Any, **kwargs: Any) -> None:
        __tracebackhide__ = True  # pytest shows the line of the test
        try:
            getattr(self.mock, assertion)(*args, **kwargs)
        except AssertionError as error:
            raise error.with_traceback(None) from None

    def __repr__(self) -> str:
        return f"<mock of activity {self._definition.name!r}, called {self.call_count} times>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{self!r} records its calls in the process of the test: give it to a worker without processes")

    def _check(self, result: Any) -> None:
        """A result that the workflow could not read is a mistake in the test, told here, where it is made."""
        hint = self._definition.signature.return_hint
        if hint is None:
            return
        if result is None and _excludes_none(hint):
            self._refuse(f"has no result, and the activity returns {type_name(hint)}: give returns=")
        inside = activities.in_activity()
        converter = activities.payload_converter() if inside else DataConverter.default.payload_converter
        try:
            decode_result(converter.to_payload(result), hint, converter, str(self._definition.name))
        except Exception as error:
            self._refuse(f"returns what the activity does not: {error}", error)

    def _refuse(self, problem: str, cause: Exception | None = None) -> NoReturn:
        # Another attempt would end in the same way.
        raise ApplicationError(
            f"the mock of activity {self._definition.name!r} {problem}", type="ActivityMockError", non_retryable=True
        ) from cause


@overload
def mock_activity(
    activity: _Activity[P, R],
    *,
    returns: R = ...,
    raises: BaseException | type[BaseException] = ...,
    side_effect: Callable[P, R | Awaitable[R]] | Iterable[R | BaseException | type[BaseException]] = ...,
) -> ActivityMock[P, R]: ...
@overload
def mock_activity(
    activity: str | type[Any],
    *,
    returns: Any = ...,
    raises: BaseException | type[BaseException] = ...,
    side_effect: Callable[..., Any] | Iterable[Any] = ...,
) -> ActivityMock[..., Any]: ...
def mock_activity(
    activity: Any, *, returns: Any = _NOT_GIVEN, raises: Any = _NOT_GIVEN, side_effect: Any = _NOT_GIVEN
) -> ActivityMock[..., Any]:
    """A mock of an activity, to be registered on a worker in its place.

    Args:
        activity: A function or method decorated with ``activity.defn``: its signature types the mock, arguments arrive
            as the types of its parameters, and results that do not fit its result fail the activity for good. Or the
            name of an activity, of one in another language say, that the test has no function for.
        returns: The result of each call; ``None`` if nothing is said.
        raises: An exception for each call, or a class of them. The activity is tried again as its retry policy has it:
            ``ApplicationError(..., non_retryable=True)`` ends it.
        side_effect: A function, ``def`` or ``async def``, that is called instead, on the worker's event loop; it may
            use ``invincible.activity``. Or the outcomes of one call after the other, of which exceptions are raised.

    Raises:
        TypeError: ``activity`` is no activity, ``raises`` no exception, or more than one outcome is given.

    Example:
        charge = mock_activity(payments.charge, side_effect=[ConnectionError("down"), Receipt("r-1")])
        async with Worker(client, task_queue="test", workflows=[Order], activities=[charge]):
            await client.execute_workflow(Order.run, "o-1", id="order-o-1", task_queue="test")
        assert [call.attempt for call in charge.calls] == [1, 2]
        charge.assert_called_with("o-1", 12)
    """
    given = [
        name
        for name, value in (("returns", returns), ("raises", raises), ("side_effect", side_effect))
        if value is not _NOT_GIVEN
    ]
    if len(given) > 1:
        raise TypeError(f"a mock has one kind of outcome, got {' and '.join(given)}: give side_effect a list of them")
    if raises is not _NOT_GIVEN:
        if not isinstance(raises, BaseException) and not (
            inspect.isclass(raises) and issubclass(raises, BaseException)
        ):
            raise TypeError(f"raises must be an exception or a class of them, got {raises!r}")
        side_effect = raises
    elif side_effect is not _NOT_GIVEN and not callable(side_effect) and not isinstance(side_effect, Iterable):
        raise TypeError(f"side_effect must be a function or outcomes, got {side_effect!r}")
    definition = _definition_of(activity)
    mock = Mock(
        spec=_function_like(definition),
        name=definition.name,
        return_value=None if returns is _NOT_GIVEN else returns,
        side_effect=None if side_effect is _NOT_GIVEN else side_effect,
    )
    return ActivityMock(definition, mock)


def _excludes_none(hint: Any) -> bool:
    """Whether it is certain that the annotation does not take ``None``, which payloads of any type can hold."""
    kind = get_origin(hint) or hint
    return isinstance(kind, type) and kind not in (NoneType, UnionType, Annotated, Any, object)


def _definition_of(activity: Any) -> ActivityDefinition:
    reference, options = activity_reference(activity)
    definition = ActivityDefinition.of(activity)
    if definition is not None:
        return replace(definition, is_async=True)

    async def anything(*args: Any) -> Any: ...

    return ActivityDefinition(
        name=reference.name,
        function=anything,
        is_method=False,
        is_async=True,
        no_thread_cancel_exception=False,
        auto_heartbeat=False,
        options=options,
    )


def _function_like(definition: ActivityDefinition) -> Callable[..., Any]:
    """A function with the parameters that callers of the activity see."""

    def function(*args: Any, **kwargs: Any) -> None: ...

    signature = inspect.signature(definition.function)
    parameters = list(signature.parameters.values())
    # The standard library looks for it, and has no other way.
    function.__signature__ = signature.replace(parameters=parameters[definition.is_method :])  # type: ignore[attr-defined]
    return function
