"""The part of clients that starts standalone activities and waits for their results."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, overload

from typing_extensions import Unpack

from invincible._engine.reference import NOT_GIVEN
from invincible.common import ActivityIDConflictPolicy, ActivityIDReusePolicy, Priority

if TYPE_CHECKING:
    from invincible.activity._definition import (
        ActivityObject,
        ActivityObjectNoParam,
        ActivityObjectSingleParam,
        AsyncCallable,
        SyncCallable,
    )
    from invincible.common import RetryPolicy, TypedSearchAttributes
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

    from .._interceptor import OutboundInterceptor
    from .options import StartActivityOptions


class ActivityExecutes:
    """Starts of standalone activities that wait for the result."""

    _calls: OutboundInterceptor

    @overload
    async def execute_activity(
        self, activity: Callable[[], Awaitable[ReturnType]], **options: Unpack[StartActivityOptions]
    ) -> ReturnType: ...
    @overload
    async def execute_activity(
        self,
        activity: Callable[[], ReturnType] | ActivityObjectNoParam[ReturnType],
        **options: Unpack[StartActivityOptions],
    ) -> ReturnType: ...
    @overload
    async def execute_activity(
        self,
        activity: Callable[[ParamType], Awaitable[ReturnType]],
        arg: ParamType,
        **options: Unpack[StartActivityOptions],
    ) -> ReturnType: ...
    @overload
    async def execute_activity(
        self,
        activity: Callable[[ParamType], ReturnType] | ActivityObjectSingleParam[ParamType, ReturnType],
        arg: ParamType,
        **options: Unpack[StartActivityOptions],
    ) -> ReturnType: ...
    @overload
    async def execute_activity(
        self,
        activity: Callable[..., Awaitable[ReturnType]],
        *,
        args: Sequence[Any],
        **options: Unpack[StartActivityOptions],
    ) -> ReturnType: ...
    @overload
    async def execute_activity(
        self,
        activity: Callable[..., ReturnType] | ActivityObject[ReturnType],
        *,
        args: Sequence[Any],
        **options: Unpack[StartActivityOptions],
    ) -> ReturnType: ...
    @overload
    async def execute_activity(
        self,
        activity: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        result_type: type[AnyType],
        **options: Unpack[StartActivityOptions],
    ) -> AnyType: ...
    @overload
    async def execute_activity(
        self,
        activity: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        result_type: None = ...,
        **options: Unpack[StartActivityOptions],
    ) -> Any: ...
    async def execute_activity(
        self,
        activity: Any,
        arg: Any = NOT_GIVEN,
        *,
        args: Sequence[Any] = (),
        id: str,
        task_queue: str,
        result_type: type | None = None,
        schedule_to_close_timeout: timedelta | None = None,
        schedule_to_start_timeout: timedelta | None = None,
        start_to_close_timeout: timedelta | None = None,
        heartbeat_timeout: timedelta | None = None,
        id_reuse_policy: ActivityIDReusePolicy = ActivityIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy: ActivityIDConflictPolicy = ActivityIDConflictPolicy.FAIL,
        retry_policy: RetryPolicy | None = None,
        search_attributes: TypedSearchAttributes | None = None,
        summary: str | None = None,
        priority: Priority = Priority.default,
        start_delay: timedelta | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> Any:
        """Starts a standalone activity and waits for its result: :meth:`start_activity`, :meth:`ActivityHandle.result`.

        Returns:
            The result of the activity.

        Raises:
            ActivityFailureError: The activity did not complete; ``cause`` tells why.
            ActivityAlreadyStartedError: The id is taken and the policies say that it may not be.
            RPCError: The service refused a call.
            TypeError: ``activity`` is no activity, an option is of the wrong type, or a value cannot be converted.
            ValueError: No timeout is given, or an option makes no sense.
            ArgumentError: The arguments do not fit the function, or the result does not fit its type.
        """
        from .options import start_input

        handle = await self._calls.start_activity(
            start_input(
                activity,
                arg,
                args,
                id=id,
                task_queue=task_queue,
                result_type=result_type,
                schedule_to_close_timeout=schedule_to_close_timeout,
                schedule_to_start_timeout=schedule_to_start_timeout,
                start_to_close_timeout=start_to_close_timeout,
                heartbeat_timeout=heartbeat_timeout,
                id_reuse_policy=id_reuse_policy,
                id_conflict_policy=id_conflict_policy,
                retry_policy=retry_policy,
                search_attributes=search_attributes,
                summary=summary,
                priority=priority,
                start_delay=start_delay,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )
        return await handle.result(rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)

    @overload
    async def execute_activity_class(
        self, activity: type[CallableAsyncNoParam[ReturnType]], **options: Unpack[StartActivityOptions]
    ) -> ReturnType: ...
    @overload
    async def execute_activity_class(
        self,
        activity: type[CallableSyncNoParam[ReturnType]] | type[ActivityObjectNoParam[ReturnType]],
        **options: Unpack[StartActivityOptions],
    ) -> ReturnType: ...
    @overload
    async def execute_activity_class(
        self,
        activity: type[CallableAsyncSingleParam[ParamType, ReturnType]],
        arg: ParamType,
        **options: Unpack[StartActivityOptions],
    ) -> ReturnType: ...
    @overload
    async def execute_activity_class(
        self,
        activity: type[CallableSyncSingleParam[ParamType, ReturnType]]
        | type[ActivityObjectSingleParam[ParamType, ReturnType]],
        arg: ParamType,
        **options: Unpack[StartActivityOptions],
    ) -> ReturnType: ...
    @overload
    async def execute_activity_class(
        self, activity: type[AsyncCallable[ReturnType]], *, args: Sequence[Any], **options: Unpack[StartActivityOptions]
    ) -> ReturnType: ...
    @overload
    async def execute_activity_class(
        self,
        activity: type[SyncCallable[ReturnType]] | type[ActivityObject[ReturnType]],
        *,
        args: Sequence[Any],
        **options: Unpack[StartActivityOptions],
    ) -> ReturnType: ...
    async def execute_activity_class(
        self,
        activity: type[Any],
        arg: Any = NOT_GIVEN,
        *,
        args: Sequence[Any] = (),
        id: str,
        task_queue: str,
        result_type: type | None = None,
        schedule_to_close_timeout: timedelta | None = None,
        schedule_to_start_timeout: timedelta | None = None,
        start_to_close_timeout: timedelta | None = None,
        heartbeat_timeout: timedelta | None = None,
        id_reuse_policy: ActivityIDReusePolicy = ActivityIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy: ActivityIDConflictPolicy = ActivityIDConflictPolicy.FAIL,
        retry_policy: RetryPolicy | None = None,
        search_attributes: TypedSearchAttributes | None = None,
        summary: str | None = None,
        priority: Priority = Priority.default,
        start_delay: timedelta | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> Any:
        """Like :meth:`execute_activity`, for an activity that is the ``__call__`` of a class."""
        from .options import start_input

        handle = await self._calls.start_activity(
            start_input(
                activity,
                arg,
                args,
                id=id,
                task_queue=task_queue,
                result_type=result_type,
                schedule_to_close_timeout=schedule_to_close_timeout,
                schedule_to_start_timeout=schedule_to_start_timeout,
                start_to_close_timeout=start_to_close_timeout,
                heartbeat_timeout=heartbeat_timeout,
                id_reuse_policy=id_reuse_policy,
                id_conflict_policy=id_conflict_policy,
                retry_policy=retry_policy,
                search_attributes=search_attributes,
                summary=summary,
                priority=priority,
                start_delay=start_delay,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )
        return await handle.result(rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)

    @overload
    async def execute_activity_method(
        self, activity: MethodAsyncNoParam[SelfType, ReturnType], **options: Unpack[StartActivityOptions]
    ) -> ReturnType: ...
    @overload
    async def execute_activity_method(
        self, activity: MethodSyncNoParam[SelfType, ReturnType], **options: Unpack[StartActivityOptions]
    ) -> ReturnType: ...
    @overload
    async def execute_activity_method(
        self,
        activity: MethodAsyncSingleParam[SelfType, ParamType, ReturnType],
        arg: ParamType,
        **options: Unpack[StartActivityOptions],
    ) -> ReturnType: ...
    @overload
    async def execute_activity_method(
        self,
        activity: MethodSyncSingleParam[SelfType, ParamType, ReturnType],
        arg: ParamType,
        **options: Unpack[StartActivityOptions],
    ) -> ReturnType: ...
    @overload
    async def execute_activity_method(
        self,
        activity: Callable[..., Awaitable[ReturnType]],
        *,
        args: Sequence[Any],
        **options: Unpack[StartActivityOptions],
    ) -> ReturnType: ...
    @overload
    async def execute_activity_method(
        self, activity: Callable[..., ReturnType], *, args: Sequence[Any], **options: Unpack[StartActivityOptions]
    ) -> ReturnType: ...
    async def execute_activity_method(
        self,
        activity: Callable[..., Any],
        arg: Any = NOT_GIVEN,
        *,
        args: Sequence[Any] = (),
        id: str,
        task_queue: str,
        result_type: type | None = None,
        schedule_to_close_timeout: timedelta | None = None,
        schedule_to_start_timeout: timedelta | None = None,
        start_to_close_timeout: timedelta | None = None,
        heartbeat_timeout: timedelta | None = None,
        id_reuse_policy: ActivityIDReusePolicy = ActivityIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy: ActivityIDConflictPolicy = ActivityIDConflictPolicy.FAIL,
        retry_policy: RetryPolicy | None = None,
        search_attributes: TypedSearchAttributes | None = None,
        summary: str | None = None,
        priority: Priority = Priority.default,
        start_delay: timedelta | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> Any:
        """Like :meth:`execute_activity`, for an activity that is a method of a class, given as ``Class.method``."""
        from .options import start_input

        handle = await self._calls.start_activity(
            start_input(
                activity,
                arg,
                args,
                id=id,
                task_queue=task_queue,
                result_type=result_type,
                schedule_to_close_timeout=schedule_to_close_timeout,
                schedule_to_start_timeout=schedule_to_start_timeout,
                start_to_close_timeout=start_to_close_timeout,
                heartbeat_timeout=heartbeat_timeout,
                id_reuse_policy=id_reuse_policy,
                id_conflict_policy=id_conflict_policy,
                retry_policy=retry_policy,
                search_attributes=search_attributes,
                summary=summary,
                priority=priority,
                start_delay=start_delay,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )
        return await handle.result(rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)
