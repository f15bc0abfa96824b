"""Calls of local activities in the form ``workflow.execute_local_activity(activity, arg, ...)``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, overload

from typing_extensions import Unpack

from invincible._engine.context import current_run
from invincible._engine.reference import NOT_GIVEN
from invincible.activity._definition import activity_reference

if TYPE_CHECKING:
    from invincible._engine.activities import ActivityHandle
    from invincible._engine.configs import LocalActivityConfig
    from invincible._engine.options import LocalActivityOptions
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
def start_local_activity(
    activity: Callable[[], Awaitable[ReturnType]], **options: Unpack[LocalActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_local_activity(
    activity: Callable[[], ReturnType] | ActivityObjectNoParam[ReturnType],
    **options: Unpack[LocalActivityConfig],
) -> ActivityHandle[ReturnType]: ...
@overload
def start_local_activity(
    activity: Callable[[ParamType], Awaitable[ReturnType]], arg: ParamType, **options: Unpack[LocalActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_local_activity(
    activity: Callable[[ParamType], ReturnType] | ActivityObjectSingleParam[ParamType, ReturnType],
    arg: ParamType,
    **options: Unpack[LocalActivityConfig],
) -> ActivityHandle[ReturnType]: ...
@overload
def start_local_activity(
    activity: Callable[..., Awaitable[ReturnType]], *, args: Sequence[Any], **options: Unpack[LocalActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_local_activity(
    activity: Callable[..., ReturnType] | ActivityObject[ReturnType],
    *,
    args: Sequence[Any],
    **options: Unpack[LocalActivityConfig],
) -> ActivityHandle[ReturnType]: ...
@overload
def start_local_activity(
    activity: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    result_type: type[AnyType],
    **options: Unpack[LocalActivityConfig],
) -> ActivityHandle[AnyType]: ...
@overload
def start_local_activity(
    activity: str, arg: Any = ..., *, args: Sequence[Any] = ..., **options: Unpack[LocalActivityConfig]
) -> ActivityHandle[Any]: ...
def start_local_activity(
    activity: Any,
    arg: Any = NOT_GIVEN,
    *,
    args: Sequence[Any] = (),
    result_type: type | None = None,
    **options: Unpack[LocalActivityConfig],
) -> ActivityHandle[Any]:
    """Run an activity on the workflow's own worker, without a task of its own; return its handle.

    It costs far less than a task of the server, and is for short calls: the workflow task stays open meanwhile. Retries
    up to ``local_retry_threshold`` apart happen within it, later ones by a timer.

    Args:
        activity: A function decorated by ``activity.defn``, or the activity's name.
        arg: The argument, where there is just one.
        args: The arguments, where there are several.
        result_type: The type of the result where ``activity`` is a name; a function's own annotation is used otherwise.
        options: Timeouts, retry policy and the like, see ``LocalActivityConfig``; they go before those of the
            definition.

    Raises:
        TypeError: ``activity`` is no activity, an option is unknown, or the arguments do not fit it.
        ValueError: no ``start_to_close_timeout`` or ``schedule_to_close_timeout`` is set, here or on the definition.
    """
    return _start_local(activity, arg, args, options, result_type)


@overload
async def execute_local_activity(
    activity: Callable[[], Awaitable[ReturnType]], **options: Unpack[LocalActivityConfig]
) -> ReturnType: ...
@overload
async def execute_local_activity(
    activity: Callable[[], ReturnType] | ActivityObjectNoParam[ReturnType],
    **options: Unpack[LocalActivityConfig],
) -> ReturnType: ...
@overload
async def execute_local_activity(
    activity: Callable[[ParamType], Awaitable[ReturnType]], arg: ParamType, **options: Unpack[LocalActivityConfig]
) -> ReturnType: ...
@overload
async def execute_local_activity(
    activity: Callable[[ParamType], ReturnType] | ActivityObjectSingleParam[ParamType, ReturnType],
    arg: ParamType,
    **options: Unpack[LocalActivityConfig],
) -> ReturnType: ...
@overload
async def execute_local_activity(
    activity: Callable[..., Awaitable[ReturnType]], *, args: Sequence[Any], **options: Unpack[LocalActivityConfig]
) -> ReturnType: ...
@overload
async def execute_local_activity(
    activity: Callable[..., ReturnType] | ActivityObject[ReturnType],
    *,
    args: Sequence[Any],
    **options: Unpack[LocalActivityConfig],
) -> ReturnType: ...
@overload
async def execute_local_activity(
    activity: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    result_type: type[AnyType],
    **options: Unpack[LocalActivityConfig],
) -> AnyType: ...
@overload
async def execute_local_activity(
    activity: str, arg: Any = ..., *, args: Sequence[Any] = ..., **options: Unpack[LocalActivityConfig]
) -> Any: ...
async def execute_local_activity(
    activity: Any,
    arg: Any = NOT_GIVEN,
    *,
    args: Sequence[Any] = (),
    result_type: type | None = None,
    **options: Unpack[LocalActivityConfig],
) -> Any:
    """Run an activity on the workflow's own worker and wait for its result; see ``start_local_activity``.

    Raises:
        ApplicationError: the activity failed. Other than with ``execute_activity``, no ``ActivityError`` is around it.
        TimeoutError: it took too long.
        ActivityError: it was cancelled.
        TypeError: ``activity`` is no activity, an option is unknown, or the arguments do not fit it.
        ValueError: no ``start_to_close_timeout`` or ``schedule_to_close_timeout`` is set, here or on the definition.
    """
    return await _start_local(activity, arg, args, options, result_type)


@overload
def start_local_activity_class(
    activity: type[CallableAsyncNoParam[ReturnType]], **options: Unpack[LocalActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_local_activity_class(
    activity: type[CallableSyncNoParam[ReturnType]] | type[ActivityObjectNoParam[ReturnType]],
    **options: Unpack[LocalActivityConfig],
) -> ActivityHandle[ReturnType]: ...
@overload
def start_local_activity_class(
    activity: type[CallableAsyncSingleParam[ParamType, ReturnType]],
    arg: ParamType,
    **options: Unpack[LocalActivityConfig],
) -> ActivityHandle[ReturnType]: ...
@overload
def start_local_activity_class(
    activity: type[CallableSyncSingleParam[ParamType, ReturnType]]
    | type[ActivityObjectSingleParam[ParamType, ReturnType]],
    arg: ParamType,
    **options: Unpack[LocalActivityConfig],
) -> ActivityHandle[ReturnType]: ...
@overload
def start_local_activity_class(
    activity: type[AsyncCallable[ReturnType]], *, args: Sequence[Any], **options: Unpack[LocalActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_local_activity_class(
    activity: type[SyncCallable[ReturnType]] | type[ActivityObject[ReturnType]],
    *,
    args: Sequence[Any],
    **options: Unpack[LocalActivityConfig],
) -> ActivityHandle[ReturnType]: ...
def start_local_activity_class(
    activity: Any,
    arg: Any = NOT_GIVEN,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[LocalActivityConfig],
) -> ActivityHandle[Any]:
    """Run the activity that is the ``__call__`` of a class on the workflow's own worker; see
    ``start_local_activity``."""
    return _start_local(activity, arg, args, options)


@overload
async def execute_local_activity_class(
    activity: type[CallableAsyncNoParam[ReturnType]], **options: Unpack[LocalActivityConfig]
) -> ReturnType: ...
@overload
async def execute_local_activity_class(
    activity: type[CallableSyncNoParam[ReturnType]] | type[ActivityObjectNoParam[ReturnType]],
    **options: Unpack[LocalActivityConfig],
) -> ReturnType: ...
@overload
async def execute_local_activity_class(
    activity: type[CallableAsyncSingleParam[ParamType, ReturnType]],
    arg: ParamType,
    **options: Unpack[LocalActivityConfig],
) -> ReturnType: ...
@overload
async def execute_local_activity_class(
    activity: type[CallableSyncSingleParam[ParamType, ReturnType]]
    | type[ActivityObjectSingleParam[ParamType, ReturnType]],
    arg: ParamType,
    **options: Unpack[LocalActivityConfig],
) -> ReturnType: ...
@overload
async def execute_local_activity_class(
    activity: type[AsyncCallable[ReturnType]], *, args: Sequence[Any], **options: Unpack[LocalActivityConfig]
) -> ReturnType: ...
@overload
async def execute_local_activity_class(
    activity: type[SyncCallable[ReturnType]] | type[ActivityObject[ReturnType]],
    *,
    args: Sequence[Any],
    **options: Unpack[LocalActivityConfig],
) -> ReturnType: ...
async def execute_local_activity_class(
    activity: Any,
    arg: Any = NOT_GIVEN,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[LocalActivityConfig],
) -> Any:
    """Run the activity that is the ``__call__`` of a class on the workflow's own worker, and wait for its result; see
    ``execute_local_activity``."""
    return await _start_local(activity, arg, args, options)


@overload
def start_local_activity_method(
    activity: MethodAsyncNoParam[SelfType, ReturnType], **options: Unpack[LocalActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_local_activity_method(
    activity: MethodSyncNoParam[SelfType, ReturnType], **options: Unpack[LocalActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_local_activity_method(
    activity: MethodAsyncSingleParam[SelfType, ParamType, ReturnType],
    arg: ParamType,
    **options: Unpack[LocalActivityConfig],
) -> ActivityHandle[ReturnType]: ...
@overload
def start_local_activity_method(
    activity: MethodSyncSingleParam[SelfType, ParamType, ReturnType],
    arg: ParamType,
    **options: Unpack[LocalActivityConfig],
) -> ActivityHandle[ReturnType]: ...
@overload
def start_local_activity_method(
    activity: Callable[..., Awaitable[ReturnType]], *, args: Sequence[Any], **options: Unpack[LocalActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_local_activity_method(
    activity: Callable[..., ReturnType],
    *,
    args: Sequence[Any],
    **options: Unpack[LocalActivityConfig],
) -> ActivityHandle[ReturnType]: ...
def start_local_activity_method(
    activity: Callable[..., Any],
    arg: Any = NOT_GIVEN,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[LocalActivityConfig],
) -> ActivityHandle[Any]:
    """Run the activity that is a method of a class on the workflow's own worker; see ``start_local_activity``."""
    return _start_local(activity, arg, args, options)


@overload
async def execute_local_activity_method(
    activity: MethodAsyncNoParam[SelfType, ReturnType], **options: Unpack[LocalActivityConfig]
) -> ReturnType: ...
@overload
async def execute_local_activity_method(
    activity: MethodSyncNoParam[SelfType, ReturnType], **options: Unpack[LocalActivityConfig]
) -> ReturnType: ...
@overload
async def execute_local_activity_method(
    activity: MethodAsyncSingleParam[SelfType, ParamType, ReturnType],
    arg: ParamType,
    **options: Unpack[LocalActivityConfig],
) -> ReturnType: ...
@overload
async def execute_local_activity_method(
    activity: MethodSyncSingleParam[SelfType, ParamType, ReturnType],
    arg: ParamType,
    **options: Unpack[LocalActivityConfig],
) -> ReturnType: ...
@overload
async def execute_local_activity_method(
    activity: Callable[..., Awaitable[ReturnType]], *, args: Sequence[Any], **options: Unpack[LocalActivityConfig]
) -> ReturnType: ...
@overload
async def execute_local_activity_method(
    activity: Callable[..., ReturnType],
    *,
    args: Sequence[Any],
    **options: Unpack[LocalActivityConfig],
) -> ReturnType: ...
async def execute_local_activity_method(
    activity: Callable[..., Any],
    arg: Any = NOT_GIVEN,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[LocalActivityConfig],
) -> Any:
    """Run the activity that is a method of a class on the workflow's own worker, and wait for its result; see
    ``execute_local_activity``."""
    return await _start_local(activity, arg, args, options)


def _start_local(
    activity: Any, arg: Any, args: Sequence[Any], options: LocalActivityConfig, result_type: type | None = None
) -> ActivityHandle[Any]:
    reference, defaults = activity_reference(activity)
    local: LocalActivityOptions = defaults.for_local().replaced(options)
    return current_run().activities.schedule_local(
        reference, reference.bind(arg, args), local, result_type or reference.return_hint
    )
