"""Calls of activities in the form ``workflow.execute_activity(activity, arg, ...)``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, overload

from typing_extensions import Unpack

from invincible._engine.context import current_run
from invincible._engine.reference import NOT_GIVEN
from invincible.activity._definition import activity_reference

if TYPE_CHECKING:
    from invincible._engine.activities import ActivityHandle
    from invincible._engine.configs import ActivityConfig
    from invincible.activity._definition import (
        ActivityObject,
        ActivityObjectNoParam,
        ActivityObjectSingleParam,
        AsyncCallable,
        SyncCallable,
    )
    from invincible.types import (
        AnyType,
        CallableAsyncNoParam,
        CallableAsyncSingleParam,
        CallableSyncNoParam,
        CallableSyncSingleParam,
        MethodAsyncNoParam,
        MethodAsyncSingleParam,
        MethodSyncNoParam,
        MethodSyncSingleParam,
        ParamType,
        ReturnType,
        SelfType,
    )


@overload
def start_activity(
    activity: Callable[[], Awaitable[ReturnType]], **options: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity(
    activity: Callable[[], ReturnType] | ActivityObjectNoParam[ReturnType], **options: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity(
    activity: Callable[[ParamType], Awaitable[ReturnType]], arg: ParamType, **options: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity(
    activity: Callable[[ParamType], ReturnType] | ActivityObjectSingleParam[ParamType, ReturnType],
    arg: ParamType,
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity(
    activity: Callable[..., Awaitable[ReturnType]], *, args: Sequence[Any], **options: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity(
    activity: Callable[..., ReturnType] | ActivityObject[ReturnType],
    *,
    args: Sequence[Any],
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity(
    activity: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    result_type: type[AnyType],
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[AnyType]: ...
@overload
def start_activity(
    activity: str, arg: Any = ..., *, args: Sequence[Any] = ..., **options: Unpack[ActivityConfig]
) -> ActivityHandle[Any]: ...
def start_activity(
    activity: Any,
    arg: Any = NOT_GIVEN,
    *,
    args: Sequence[Any] = (),
    result_type: type | None = None,
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[Any]:
    """Schedule an activity and return its handle.

    Args:
        activity: A function decorated by ``activity.defn``, or the activity's name.
        arg: The argument, where there is just one.
        args: The arguments, where there are several.
        result_type: The type of the result where ``activity`` is a name; a function's own annotation is used otherwise.
        options: Timeouts, retry policy and the like, see ``ActivityConfig``; they go before those of the definition.

    Raises:
        TypeError: ``activity`` is no activity, an option is unknown, or the arguments do not fit it.
        ValueError: no ``start_to_close_timeout`` or ``schedule_to_close_timeout`` is set, here or on the definition.
    """
    return _start(activity, arg, args, options, result_type)


@overload
async def execute_activity(
    activity: Callable[[], Awaitable[ReturnType]], **options: Unpack[ActivityConfig]
) -> ReturnType: ...
@overload
async def execute_activity(
    activity: Callable[[], ReturnType] | ActivityObjectNoParam[ReturnType], **options: Unpack[ActivityConfig]
) -> ReturnType: ...
@overload
async def execute_activity(
    activity: Callable[[ParamType], Awaitable[ReturnType]], arg: ParamType, **options: Unpack[ActivityConfig]
) -> ReturnType: ...
@overload
async def execute_activity(
    activity: Callable[[ParamType], ReturnType] | ActivityObjectSingleParam[ParamType, ReturnType],
    arg: ParamType,
    **options: Unpack[ActivityConfig],
) -> ReturnType: ...
@overload
async def execute_activity(
    activity: Callable[..., Awaitable[ReturnType]], *, args: Sequence[Any], **options: Unpack[ActivityConfig]
) -> ReturnType: ...
@overload
async def execute_activity(
    activity: Callable[..., ReturnType] | ActivityObject[ReturnType],
    *,
    args: Sequence[Any],
    **options: Unpack[ActivityConfig],
) -> ReturnType: ...
@overload
async def execute_activity(
    activity: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    result_type: type[AnyType],
    **options: Unpack[ActivityConfig],
) -> AnyType: ...
@overload
async def execute_activity(
    activity: str, arg: Any = ..., *, args: Sequence[Any] = ..., **options: Unpack[ActivityConfig]
) -> Any: ...
async def execute_activity(
    activity: Any,
    arg: Any = NOT_GIVEN,
    *,
    args: Sequence[Any] = (),
    result_type: type | None = None,
    **options: Unpack[ActivityConfig],
) -> Any:
    """Schedule an activity and wait for its result; the parameters are those of ``start_activity``.

    Raises:
        ActivityError: the activity failed; the reason is its ``cause``.
        TypeError: ``activity`` is no activity, an option is unknown, or the arguments do not fit it.
        ValueError: no ``start_to_close_timeout`` or ``schedule_to_close_timeout`` is set, here or on the definition.
    """
    return await _start(activity, arg, args, options, result_type)


@overload
def start_activity_class(
    activity: type[CallableAsyncNoParam[ReturnType]], **options: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity_class(
    activity: type[CallableSyncNoParam[ReturnType]] | type[ActivityObjectNoParam[ReturnType]],
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity_class(
    activity: type[CallableAsyncSingleParam[ParamType, ReturnType]], arg: ParamType, **options: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity_class(
    activity: type[CallableSyncSingleParam[ParamType, ReturnType]]
    | type[ActivityObjectSingleParam[ParamType, ReturnType]],
    arg: ParamType,
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity_class(
    activity: type[AsyncCallable[ReturnType]], *, args: Sequence[Any], **options: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity_class(
    activity: type[SyncCallable[ReturnType]] | type[ActivityObject[ReturnType]],
    *,
    args: Sequence[Any],
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[ReturnType]: ...
def start_activity_class(
    activity: Any,
    arg: Any = NOT_GIVEN,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[Any]:
    """Schedule the activity that is the ``__call__`` of a class; see ``start_activity``."""
    return _start(activity, arg, args, options)


@overload
async def execute_activity_class(
    activity: type[CallableAsyncNoParam[ReturnType]], **options: Unpack[ActivityConfig]
) -> ReturnType: ...
@overload
async def execute_activity_class(
    activity: type[CallableSyncNoParam[ReturnType]] | type[ActivityObjectNoParam[ReturnType]],
    **options: Unpack[ActivityConfig],
) -> ReturnType: ...
@overload
async def execute_activity_class(
    activity: type[CallableAsyncSingleParam[ParamType, ReturnType]], arg: ParamType, **options: Unpack[ActivityConfig]
) -> ReturnType: ...
@overload
async def execute_activity_class(
    activity: type[CallableSyncSingleParam[ParamType, ReturnType]]
    | type[ActivityObjectSingleParam[ParamType, ReturnType]],
    arg: ParamType,
    **options: Unpack[ActivityConfig],
) -> ReturnType: ...
@overload
async def execute_activity_class(
    activity: type[AsyncCallable[ReturnType]], *, args: Sequence[Any], **options: Unpack[ActivityConfig]
) -> ReturnType: ...
@overload
async def execute_activity_class(
    activity: type[SyncCallable[ReturnType]] | type[ActivityObject[ReturnType]],
    *,
    args: Sequence[Any],
    **options: Unpack[ActivityConfig],
) -> ReturnType: ...
async def execute_activity_class(
    activity: Any,
    arg: Any = NOT_GIVEN,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[ActivityConfig],
) -> Any:
    """Schedule the activity that is the ``__call__`` of a class, and wait for its result; see ``execute_activity``."""
    return await _start(activity, arg, args, options)


@overload
def start_activity_method(
    activity: MethodAsyncNoParam[SelfType, ReturnType], **options: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity_method(
    activity: MethodSyncNoParam[SelfType, ReturnType], **options: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity_method(
    activity: MethodAsyncSingleParam[SelfType, ParamType, ReturnType], arg: ParamType, **options: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity_method(
    activity: MethodSyncSingleParam[SelfType, ParamType, ReturnType], arg: ParamType, **options: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity_method(
    activity: Callable[..., Awaitable[ReturnType]], *, args: Sequence[Any], **options: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity_method(
    activity: Callable[..., ReturnType],
    *,
    args: Sequence[Any],
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[ReturnType]: ...
def start_activity_method(
    activity: Callable[..., Any],
    arg: Any = NOT_GIVEN,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[Any]:
    """Schedule the activity that is a method of a class, named as ``Class.method``; see ``start_activity``."""
    return _start(activity, arg, args, options)


@overload
async def execute_activity_method(
    activity: MethodAsyncNoParam[SelfType, ReturnType], **options: Unpack[ActivityConfig]
) -> ReturnType: ...
@overload
async def execute_activity_method(
    activity: MethodSyncNoParam[SelfType, ReturnType], **options: Unpack[ActivityConfig]
) -> ReturnType: ...
@overload
async def execute_activity_method(
    activity: MethodAsyncSingleParam[SelfType, ParamType, ReturnType], arg: ParamType, **options: Unpack[ActivityConfig]
) -> ReturnType: ...
@overload
async def execute_activity_method(
    activity: MethodSyncSingleParam[SelfType, ParamType, ReturnType], arg: ParamType, **options: Unpack[ActivityConfig]
) -> ReturnType: ...
@overload
async def execute_activity_method(
    activity: Callable[..., Awaitable[ReturnType]], *, args: Sequence[Any], **options: Unpack[ActivityConfig]
) -> ReturnType: ...
@overload
async def execute_activity_method(
    activity: Callable[..., ReturnType],
    *,
    args: Sequence[Any],
    **options: Unpack[ActivityConfig],
) -> ReturnType: ...
async def execute_activity_method(
    activity: Callable[..., Any],
    arg: Any = NOT_GIVEN,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[ActivityConfig],
) -> Any:
    """Schedule the activity that is a method of a class, and wait for its result; see ``execute_activity``."""
    return await _start(activity, arg, args, options)


def _start(
    activity: Any, arg: Any, args: Sequence[Any], options: ActivityConfig, result_type: type | None = None
) -> ActivityHandle[Any]:
    reference, defaults = activity_reference(activity)
    return current_run().activities.schedule(
        reference,
        reference.bind(arg, args),
        defaults.replaced(options),
        result_type or reference.return_hint,
    )
