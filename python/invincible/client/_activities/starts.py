"""The part of clients that starts standalone activities."""

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
    from .handle import ActivityHandle
    from .options import StartActivityOptions


class ActivityStarts:
    """Starts of standalone activities."""

    _calls: OutboundInterceptor

    @overload
    async def start_activity(
        self, activity: Callable[[], Awaitable[ReturnType]], **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...
    @overload
    async def start_activity(
        self,
        activity: Callable[[], ReturnType] | ActivityObjectNoParam[ReturnType],
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...
    @overload
    async def start_activity(
        self,
        activity: Callable[[ParamType], Awaitable[ReturnType]],
        arg: ParamType,
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...
    @overload
    async def start_activity(
        self,
        activity: Callable[[ParamType], ReturnType] | ActivityObjectSingleParam[ParamType, ReturnType],
        arg: ParamType,
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...
    @overload
    async def start_activity(
        self,
        activity: Callable[..., Awaitable[ReturnType]],
        *,
        args: Sequence[Any],
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...
    @overload
    async def start_activity(
        self,
        activity: Callable[..., ReturnType] | ActivityObject[ReturnType],
        *,
        args: Sequence[Any],
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...
    @overload
    async def start_activity(
        self,
        activity: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        result_type: type[AnyType],
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[AnyType]: ...
    @overload
    async def start_activity(
        self,
        activity: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        result_type: None = ...,
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[Any]: ...
    async def start_activity(
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
    ) -> ActivityHandle[Any]:
        """Starts a standalone activity: one that runs without a workflow. Returns when the server has it.

        Options that the definition of the activity has, ``@activity.defn(start_to_close_timeout=...)`` say, are
        defaults here.

        Args:
            activity: A function or object decorated with ``@activity.defn``, or a name.
            arg: The argument, where there is just one.
            args: The arguments, where there are several.
            id: Id of the activity; only one of an id runs at a time.
            task_queue: Task queue that its workers poll.
            result_type: Type of the result; that of the function by default.
            schedule_to_close_timeout: Longest time for all attempts together. This or ``start_to_close_timeout`` is
                needed.
            schedule_to_start_timeout: Longest time to wait for a worker.
            start_to_close_timeout: Longest time for one attempt.
            heartbeat_timeout: Longest time between two heartbeats.
            id_reuse_policy: Whether the id of an activity that has ended may be used again.
            id_conflict_policy: What to do if one of this id is running.
            retry_policy: How a failed attempt is repeated; by default it is, until a timeout ends it.
            search_attributes: Values that it can be found by.
            summary: One line for the Web UI.
            priority: Priority and fairness.
            start_delay: Time to wait before the first attempt.
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.

        Returns:
            A handle of the activity.

        Raises:
            ActivityAlreadyStartedError: The id is taken and the policies say that it may not be.
            RPCError: The service refused the call.
            TypeError: ``activity`` is no activity, an option is of the wrong type, or a value cannot be converted.
            ValueError: No timeout is given, or an option makes no sense.
            ArgumentError: The arguments do not fit the function.

        Example:
            handle = await client.start_activity(
                send_invoice, order, id=f"invoice-{order.id}", task_queue="billing", start_to_close_timeout=minute
            )
            number = await handle.result()
        """
        from .options import start_input

        return await self._calls.start_activity(
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

    @overload
    async def start_activity_class(
        self, activity: type[CallableAsyncNoParam[ReturnType]], **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...
    @overload
    async def start_activity_class(
        self,
        activity: type[CallableSyncNoParam[ReturnType]] | type[ActivityObjectNoParam[ReturnType]],
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...
    @overload
    async def start_activity_class(
        self,
        activity: type[CallableAsyncSingleParam[ParamType, ReturnType]],
        arg: ParamType,
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...
    @overload
    async def start_activity_class(
        self,
        activity: type[CallableSyncSingleParam[ParamType, ReturnType]]
        | type[ActivityObjectSingleParam[ParamType, ReturnType]],
        arg: ParamType,
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...
    @overload
    async def start_activity_class(
        self, activity: type[AsyncCallable[ReturnType]], *, args: Sequence[Any], **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...
    @overload
    async def start_activity_class(
        self,
        activity: type[SyncCallable[ReturnType]] | type[ActivityObject[ReturnType]],
        *,
        args: Sequence[Any],
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...
    async def start_activity_class(
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
    ) -> ActivityHandle[Any]:
        """Like :meth:`start_activity`, for an activity that is the ``__call__`` of a class."""
        from .options import start_input

        return await self._calls.start_activity(
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

    @overload
    async def start_activity_method(
        self, activity: MethodAsyncNoParam[SelfType, ReturnType], **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...
    @overload
    async def start_activity_method(
        self, activity: MethodSyncNoParam[SelfType, ReturnType], **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...
    @overload
    async def start_activity_method(
        self,
        activity: MethodAsyncSingleParam[SelfType, ParamType, ReturnType],
        arg: ParamType,
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...
    @overload
    async def start_activity_method(
        self,
        activity: MethodSyncSingleParam[SelfType, ParamType, ReturnType],
        arg: ParamType,
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...
    @overload
    async def start_activity_method(
        self,
        activity: Callable[..., Awaitable[ReturnType]],
        *,
        args: Sequence[Any],
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...
    @overload
    async def start_activity_method(
        self, activity: Callable[..., ReturnType], *, args: Sequence[Any], **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...
    async def start_activity_method(
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
    ) -> ActivityHandle[Any]:
        """Like :meth:`start_activity`, for an activity that is a method of a class, given as ``Class.method``."""
        from .options import start_input

        return await self._calls.start_activity(
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
