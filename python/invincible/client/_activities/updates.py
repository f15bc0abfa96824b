"""Changes of a standalone activity's options while it runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from invincible.common import Priority, RetryPolicy

if TYPE_CHECKING:
    from invincible.api.activity.v1 import ActivityOptions
    from invincible.api.workflowservice.v1 import UpdateActivityExecutionOptionsRequest

ActivityOptionValueType = TypeVar("ActivityOptionValueType")


@dataclass(frozen=True)
class ActivityOptionsKey(Generic[ActivityOptionValueType]):
    """An option that can be changed. They are in :class:`ActivityOptionsKeys`.

    Args:
        name: Its path in the Temporal API.
    """

    name: str

    def value_set(self, value: ActivityOptionValueType) -> ActivityOptionsUpdate[ActivityOptionValueType]:
        """A change that gives the option this value."""
        return ActivityOptionsUpdate(self, value)

    def value_unset(self) -> ActivityOptionsUpdate[ActivityOptionValueType]:
        """A change that takes the option's value away, so that the server's default holds."""
        return ActivityOptionsUpdate(self, None)


@dataclass(frozen=True)
class ActivityOptionsUpdate(Generic[ActivityOptionValueType]):
    """A change of one option. Made by the methods of its key.

    Args:
        key: The option.
        value: Its new value; ``None`` to take it away.
    """

    key: ActivityOptionsKey[ActivityOptionValueType]
    value: ActivityOptionValueType | None


class ActivityOptionsKeys:
    """The options that :meth:`ActivityHandle.update_options` can change."""

    task_queue = ActivityOptionsKey[str]("task_queue.name")
    schedule_to_close_timeout = ActivityOptionsKey[timedelta]("schedule_to_close_timeout")
    schedule_to_start_timeout = ActivityOptionsKey[timedelta]("schedule_to_start_timeout")
    start_to_close_timeout = ActivityOptionsKey[timedelta]("start_to_close_timeout")
    heartbeat_timeout = ActivityOptionsKey[timedelta]("heartbeat_timeout")
    start_delay = ActivityOptionsKey[timedelta]("start_delay")
    retry_policy = ActivityOptionsKey[RetryPolicy]("retry_policy")
    priority = ActivityOptionsKey[Priority]("priority")


@dataclass(frozen=True)
class ActivityExecutionOptions:
    """The options of a standalone activity, after a change.

    Attributes:
        task_queue: The task queue its next attempts go to.
        schedule_to_close_timeout: Longest time for all attempts together; zero for no limit, as with the others.
        schedule_to_start_timeout: Longest time for an attempt to wait for a worker.
        start_to_close_timeout: Longest time for one attempt.
        heartbeat_timeout: Longest time between two heartbeats.
        start_delay: Time to wait before the first attempt.
        retry_policy: How a failed attempt is repeated.
        priority: Priority and fairness.
    """

    task_queue: str | None
    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    heartbeat_timeout: timedelta | None
    start_delay: timedelta | None
    retry_policy: RetryPolicy | None
    priority: Priority | None

    @staticmethod
    def _from_message(options: ActivityOptions) -> ActivityExecutionOptions:
        from .._proto import field, timedelta_of

        retry_policy, priority = field(options, "retry_policy"), field(options, "priority")
        return ActivityExecutionOptions(
            task_queue=options.task_queue.name or None,
            schedule_to_close_timeout=timedelta_of(options, "schedule_to_close_timeout"),
            schedule_to_start_timeout=timedelta_of(options, "schedule_to_start_timeout"),
            start_to_close_timeout=timedelta_of(options, "start_to_close_timeout"),
            heartbeat_timeout=timedelta_of(options, "heartbeat_timeout"),
            start_delay=timedelta_of(options, "start_delay"),
            retry_policy=None if retry_policy is None else RetryPolicy.from_proto(retry_policy),
            priority=None if priority is None else Priority._from_wire(priority),
        )


def apply_updates(
    updates: Sequence[ActivityOptionsUpdate[Any]], request: UpdateActivityExecutionOptionsRequest
) -> None:
    """Puts the changes into the request.

    Raises:
        TypeError: One of them is no change, or its value is not of the option's type.
        ValueError: There are none, an option is changed twice, or there is no such option.
    """
    if not updates:
        raise ValueError("update_options needs at least one change; restore_original_options() takes changes back")
    # The message must be there even if all that the changes do is to take values away.
    request.activity_options.SetInParent()
    for update in updates:
        if not isinstance(update, ActivityOptionsUpdate):
            raise TypeError(
                "update_options takes changes such as ActivityOptionsKeys.heartbeat_timeout.value_set(...), "
                f"got {type(update).__name__}"
            )
        name = update.key.name
        setter = _SETTERS.get(name)
        if setter is None:
            raise ValueError(f"activities have no option {name!r} to change: take one of ActivityOptionsKeys")
        if name in request.update_mask.paths:
            raise ValueError(f"update_options was given more than one change of {name}")
        request.update_mask.paths.append(name)
        if update.value is not None:
            kind, assign = setter
            if not isinstance(update.value, kind):
                raise TypeError(f"{name} must be a {kind.__name__}, got {type(update.value).__name__}")
            assign(request.activity_options, update.value)


def _set_task_queue(options: ActivityOptions, value: str) -> None:
    options.task_queue.name = value


def _set_duration(name: str) -> Callable[[ActivityOptions, timedelta], None]:
    def assign(options: ActivityOptions, value: timedelta) -> None:
        if value < timedelta(0):
            raise ValueError(f"{name} must not be negative, got {value}")
        getattr(options, name).FromTimedelta(value)

    return assign


def _set_retry_policy(options: ActivityOptions, value: RetryPolicy) -> None:
    value.apply_to_proto(options.retry_policy)


def _set_priority(options: ActivityOptions, value: Priority) -> None:
    value._apply_to_proto(options.priority)


_DURATIONS = (
    "schedule_to_close_timeout",
    "schedule_to_start_timeout",
    "start_to_close_timeout",
    "heartbeat_timeout",
    "start_delay",
)
_SETTERS: dict[str, tuple[type, Callable[..., None]]] = {
    "task_queue.name": (str, _set_task_queue),
    **{name: (timedelta, _set_duration(name)) for name in _DURATIONS},
    "retry_policy": (RetryPolicy, _set_retry_policy),
    "priority": (Priority, _set_priority),
}
