"""Options of starting standalone activities by keyword, and how they come together with those of the definition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from typing_extensions import Required

from invincible._engine.options import seconds, timedelta_or_none
from invincible.activity._definition import activity_reference
from invincible.common import Priority, RetryPolicy
from invincible.service import seconds as given_seconds

from .._options import CallOptions

if TYPE_CHECKING:
    from invincible.common import ActivityIDConflictPolicy, ActivityIDReusePolicy, TypedSearchAttributes

    from .inputs import StartActivityInput


class StartActivityOptions(CallOptions, total=False):
    """Options of :meth:`Client.start_activity`, :meth:`Client.execute_activity` and their variants."""

    id: Required[str]
    task_queue: Required[str]
    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    heartbeat_timeout: timedelta | None
    id_reuse_policy: ActivityIDReusePolicy
    id_conflict_policy: ActivityIDConflictPolicy
    retry_policy: RetryPolicy | None
    search_attributes: TypedSearchAttributes | None
    summary: str | None
    priority: Priority
    start_delay: timedelta | None


def start_input(
    activity: Any,
    arg: Any,
    args: Sequence[Any],
    *,
    id: str,
    task_queue: str,
    result_type: type | None,
    schedule_to_close_timeout: timedelta | None,
    schedule_to_start_timeout: timedelta | None,
    start_to_close_timeout: timedelta | None,
    heartbeat_timeout: timedelta | None,
    id_reuse_policy: ActivityIDReusePolicy,
    id_conflict_policy: ActivityIDConflictPolicy,
    retry_policy: RetryPolicy | None,
    search_attributes: TypedSearchAttributes | None,
    summary: str | None,
    priority: Priority,
    start_delay: timedelta | None,
    rpc_metadata: Mapping[str, str | bytes],
    rpc_timeout: timedelta | None,
) -> StartActivityInput:
    """What is sent for a call: its own options before those of the definition.

    Raises:
        TypeError: ``activity`` is no activity, or an option is of the wrong type.
        ValueError: No timeout ends the activity, an option makes no sense, or both ``arg`` and ``args`` are given.
        ArgumentError: The arguments do not fit the function.
    """
    from .inputs import StartActivityInput

    reference, defaults = activity_reference(activity)
    for name, value in {"id": id, "task_queue": task_queue}.items():
        if not isinstance(value, str):
            raise TypeError(f"{name} of activity {reference.name!r} must be a str, got {type(value).__name__}")
        if not value:
            raise ValueError(f"{name} of activity {reference.name!r} must not be empty")
    for name, duration in {
        "schedule_to_close_timeout": schedule_to_close_timeout,
        "schedule_to_start_timeout": schedule_to_start_timeout,
        "start_to_close_timeout": start_to_close_timeout,
        "heartbeat_timeout": heartbeat_timeout,
        "start_delay": start_delay,
    }.items():
        # Workflow code and definitions may give seconds as plain numbers; the calls of clients take no numbers.
        given_seconds(name, duration)
    options = defaults.replaced(
        {
            "schedule_to_close_timeout": schedule_to_close_timeout,
            "schedule_to_start_timeout": schedule_to_start_timeout,
            "start_to_close_timeout": start_to_close_timeout,
            "heartbeat_timeout": heartbeat_timeout,
            "retry_policy": retry_policy,
            "summary": summary,
            "priority": None if priority == Priority.default else priority,
        }
    )
    options.check(reference.name)
    if retry_policy is None and options.retry_policy is not None:
        retry_policy = RetryPolicy._from_native(options.retry_policy)
    return StartActivityInput(
        activity_type=reference.name,
        args=reference.bind(arg, args),
        id=id,
        task_queue=task_queue,
        result_type=result_type or reference.return_hint,
        schedule_to_close_timeout=timedelta_or_none(options.schedule_to_close_timeout),
        start_to_close_timeout=timedelta_or_none(options.start_to_close_timeout),
        schedule_to_start_timeout=timedelta_or_none(options.schedule_to_start_timeout),
        heartbeat_timeout=timedelta_or_none(options.heartbeat_timeout),
        id_reuse_policy=id_reuse_policy,
        id_conflict_policy=id_conflict_policy,
        retry_policy=retry_policy,
        priority=Priority.default if options.priority is None else Priority._from_wire(options.priority),
        search_attributes=search_attributes,
        summary=options.summary,
        start_delay=timedelta_or_none(seconds("start_delay", start_delay)),
        headers={},
        rpc_metadata=rpc_metadata,
        rpc_timeout=rpc_timeout,
        _signature=reference.signature,
    )
