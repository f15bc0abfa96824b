"""Calls of activities in the form ``workflow.execute_activity(activity, arg, ...)``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from invincible._engine.context import current_run
from invincible._engine.handles import ActivityHandle
from invincible._engine.options import ActivityCancellationType, ActivityOptions
from invincible.activity._definition import ActivityDefinition
from invincible.common import Priority, RetryPolicy

_NOT_GIVEN = object()


def start_activity(
    activity: Callable[..., Any] | str,
    arg: Any = _NOT_GIVEN,
    *,
    args: Sequence[Any] = (),
    task_queue: str | None = None,
    result_type: type | None = None,
    schedule_to_close_timeout: timedelta | None = None,
    schedule_to_start_timeout: timedelta | None = None,
    start_to_close_timeout: timedelta | None = None,
    heartbeat_timeout: timedelta | None = None,
    retry_policy: RetryPolicy | None = None,
    cancellation_type: ActivityCancellationType | None = None,
    activity_id: str | None = None,
    summary: str | None = None,
    priority: Priority | None = None,
) -> ActivityHandle[Any]:
    """Schedule an activity and return its handle.

    Args:
        activity: A function decorated by ``activity.defn``, or the activity's name.
        arg: The argument, where there is just one.
        args: The arguments, where there are several.
        task_queue: Where the activity runs; the workflow's own task queue by default.
        result_type: The type of the result where ``activity`` is a name; a function's own annotation is used otherwise.
        schedule_to_close_timeout: Bound for all attempts together.
        schedule_to_start_timeout: Bound for the wait for a worker.
        start_to_close_timeout: Bound for one attempt.
        heartbeat_timeout: Bound between two heartbeats.
        retry_policy: How failed attempts are repeated; the server's default is without end.
        cancellation_type: What cancelling waits for; ``TRY_CANCEL`` by default.
        activity_id: An id of your own; a number by default.
        summary: One line for the Web UI.
        priority: Priority and fairness.

    Raises:
        TypeError: ``activity`` is no activity, or the arguments do not fit it.
        ValueError: no ``start_to_close_timeout`` or ``schedule_to_close_timeout`` is set, here or on the definition.
    """
    given = {
        "task_queue": task_queue,
        "schedule_to_close_timeout": schedule_to_close_timeout,
        "schedule_to_start_timeout": schedule_to_start_timeout,
        "start_to_close_timeout": start_to_close_timeout,
        "heartbeat_timeout": heartbeat_timeout,
        "retry_policy": retry_policy,
        "cancellation_type": cancellation_type,
        "activity_id": activity_id,
        "summary": summary,
        "priority": priority,
    }
    if arg is not _NOT_GIVEN:
        if args:
            raise TypeError("give either arg or args, not both")
        args = (arg,)
    if isinstance(activity, str):
        return current_run().schedule_activity(activity, args, ActivityOptions().replaced(given), result_type)
    definition = ActivityDefinition.of(activity)
    if definition is None:
        name = getattr(activity, "__qualname__", repr(activity))
        raise TypeError(f"{name} is not an activity: decorate it with @activity.defn, or pass the activity's name")
    if definition.name is None:
        raise TypeError("a dynamic activity is called by name: workflow.execute_activity('name', ...)")
    return current_run().schedule_activity(
        definition.name,
        definition.signature.bind(args, {}),
        definition.options.replaced(given),
        result_type or definition.signature.return_hint,
    )


async def execute_activity(
    activity: Callable[..., Any] | str,
    arg: Any = _NOT_GIVEN,
    *,
    args: Sequence[Any] = (),
    task_queue: str | None = None,
    result_type: type | None = None,
    schedule_to_close_timeout: timedelta | None = None,
    schedule_to_start_timeout: timedelta | None = None,
    start_to_close_timeout: timedelta | None = None,
    heartbeat_timeout: timedelta | None = None,
    retry_policy: RetryPolicy | None = None,
    cancellation_type: ActivityCancellationType | None = None,
    activity_id: str | None = None,
    summary: str | None = None,
    priority: Priority | None = None,
) -> Any:
    """Schedule an activity and wait for its result; the parameters are those of ``start_activity``.

    Raises:
        ActivityError: the activity failed; the reason is its ``cause``.
        TypeError: ``activity`` is no activity, or the arguments do not fit it.
        ValueError: no ``start_to_close_timeout`` or ``schedule_to_close_timeout`` is set, here or on the definition.
    """
    return await start_activity(
        activity,
        arg,
        args=args,
        task_queue=task_queue,
        result_type=result_type,
        schedule_to_close_timeout=schedule_to_close_timeout,
        schedule_to_start_timeout=schedule_to_start_timeout,
        start_to_close_timeout=start_to_close_timeout,
        heartbeat_timeout=heartbeat_timeout,
        retry_policy=retry_policy,
        cancellation_type=cancellation_type,
        activity_id=activity_id,
        summary=summary,
        priority=priority,
    )
