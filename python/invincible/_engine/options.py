"""Options as users give them (timedeltas, policies), made into what Core takes, once per definition or call."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from enum import IntEnum
from typing import Any, ClassVar, TypeVar

from typing_extensions import Self

from invincible._native import Priority as NativePriority
from invincible._native import RetryPolicy as NativeRetryPolicy
from invincible.common import (
    Priority,
    RetryPolicy,
    SearchAttributes,
    TypedSearchAttributes,
    VersioningOverride,
    WorkflowIDReusePolicy,
)

from .groups import EventGroup

T = TypeVar("T")

_ZERO = timedelta()

Converters = Mapping[str, Callable[[str, Any], Any]]


class ActivityCancellationType(IntEnum):
    """What cancelling an activity from its workflow waits for."""

    TRY_CANCEL = 0
    """Ask the activity to stop, and raise at once."""
    WAIT_CANCELLATION_COMPLETED = 1
    """Ask the activity to stop, and wait until it has."""
    ABANDON = 2
    """Raise at once; the activity is not told."""


class ChildWorkflowCancellationType(IntEnum):
    """What cancelling a child workflow from its parent waits for."""

    ABANDON = 0
    """Raise at once; the child is not told."""
    TRY_CANCEL = 1
    """Ask the child to stop, and raise at once."""
    WAIT_CANCELLATION_COMPLETED = 2
    """Ask the child to stop, and wait until it has."""
    WAIT_CANCELLATION_REQUESTED = 3
    """Ask the child to stop, and wait until it has been asked; Core 0.10 waits until it has stopped."""


class NexusOperationCancellationType(IntEnum):
    """What cancelling a Nexus operation from its caller waits for."""

    ABANDON = 1
    """Raise at once; the operation is not told."""
    TRY_CANCEL = 2
    """Ask the operation to stop, and raise at once."""
    WAIT_REQUESTED = 3
    """Ask the operation to stop, and wait until it has been asked."""
    WAIT_COMPLETED = 0
    """Ask the operation to stop, and wait until it has."""


class ParentClosePolicy(IntEnum):
    """What becomes of a child workflow when its parent ends."""

    UNSPECIFIED = 0
    """The server's default, which is to terminate."""
    TERMINATE = 1
    """It is ended at once."""
    ABANDON = 2
    """It goes on by itself."""
    REQUEST_CANCEL = 3
    """It is asked to cancel."""


class VersioningIntent(IntEnum):
    """With the older, build-id based versioning: which workers take a task."""

    COMPATIBLE = 1
    """Workers of the same build-id set."""
    DEFAULT = 2
    """Workers of the task queue's default set."""


class ContinueAsNewVersioningBehavior(IntEnum):
    """Which worker version a run begins on that continues another."""

    UNSPECIFIED = 0
    """That of this run if it is pinned; the current or ramping version of the deployment otherwise."""
    AUTO_UPGRADE = 1
    """The current or ramping version of the deployment, even if this run is pinned."""
    USE_RAMPING_VERSION = 2
    """The ramping version of the deployment, whatever the ramp's percentage."""


class _Options:
    """Options of one kind of call, as Core takes them: durations in seconds, enums as numbers. They never change.

    ``vars()`` has those that were given; the others are defaults, attributes of the class.
    """

    _kind: ClassVar[str]
    _converters: ClassVar[Converters]

    def __init__(self, **given: Any) -> None:
        self.__dict__.update(given)

    def replaced(self, config: Mapping[str, Any]) -> Self:
        """These options with those of a config in their place; ``None`` leaves an option as it is.

        Raises:
            TypeError: an option is unknown or of the wrong type.
            ValueError: a timeout is negative, a number is no member of its enumeration.
        """
        if not config:
            return self
        given = self.__dict__.copy()
        converters = self._converters
        for name, value in config.items():
            convert = converters.get(name)
            if convert is None:
                raise TypeError(f"{name!r} is not {self._kind} option; the options are: {', '.join(converters)}")
            if value is not None:
                given[name] = convert(name, value)
        replaced = object.__new__(type(self))
        replaced.__dict__ = given
        return replaced


class ActivityOptions(_Options):
    """The options of an activity call."""

    _kind = "an activity"

    task_queue: str | None = None
    schedule_to_close_timeout: float | None = None
    schedule_to_start_timeout: float | None = None
    start_to_close_timeout: float | None = None
    heartbeat_timeout: float | None = None
    retry_policy: NativeRetryPolicy | None = None
    cancellation_type: int = 0
    activity_id: str | None = None
    versioning_intent: int = 0
    summary: str | None = None
    event_groups: Sequence[EventGroup] = ()
    priority: NativePriority | None = None

    def check(self, activity_type: str) -> None:
        """Refuse what the server would refuse, where the line that is wrong is still known."""
        if self.start_to_close_timeout is None and self.schedule_to_close_timeout is None:
            raise ValueError(
                f"activity {activity_type!r} needs start_to_close_timeout or schedule_to_close_timeout: "
                "set one on @activity.defn or for this call"
            )

    def for_local(self) -> LocalActivityOptions:
        """The options that a local activity shares, as its defaults."""
        return LocalActivityOptions(**{name: value for name, value in vars(self).items() if name in _ACTIVITY})


class LocalActivityOptions(_Options):
    """The options of a local activity call."""

    _kind = "a local activity"

    schedule_to_close_timeout: float | None = None
    schedule_to_start_timeout: float | None = None
    start_to_close_timeout: float | None = None
    retry_policy: NativeRetryPolicy | None = None
    local_retry_threshold: float | None = None
    cancellation_type: int = 0
    activity_id: str | None = None
    summary: str | None = None
    event_groups: Sequence[EventGroup] = ()

    def check(self, activity_type: str) -> None:
        """Refuse what would fail later, where the line that is wrong is still known."""
        if self.start_to_close_timeout is None and self.schedule_to_close_timeout is None:
            raise ValueError(
                f"local activity {activity_type!r} needs start_to_close_timeout or schedule_to_close_timeout: "
                "set one on @activity.defn or for this call"
            )


class ChildWorkflowOptions(_Options):
    """The options of a child workflow call; memo and search attributes are encoded when it is made."""

    _kind = "a child workflow"

    id: str | None = None
    task_queue: str | None = None
    cancellation_type: int = ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED
    parent_close_policy: int = ParentClosePolicy.TERMINATE
    execution_timeout: float | None = None
    run_timeout: float | None = None
    task_timeout: float | None = None
    id_reuse_policy: int = WorkflowIDReusePolicy.ALLOW_DUPLICATE
    retry_policy: NativeRetryPolicy | None = None
    cron_schedule: str = ""
    memo: Mapping[str, Any] | None = None
    search_attributes: SearchAttributes | TypedSearchAttributes | None = None
    versioning_intent: int = 0
    versioning_override: Any = None
    static_summary: str | None = None
    static_details: str | None = None
    event_groups: Sequence[EventGroup] = ()
    priority: NativePriority | None = None


def seconds(name: str, duration: timedelta | float | None, *, may_be_negative: bool = False) -> float | None:
    """A duration in seconds.

    Raises:
        TypeError: it is neither a timedelta nor a number.
        ValueError: it is negative, infinite or not a number.
    """
    if type(duration) is timedelta and (duration >= _ZERO or may_be_negative):
        return duration.total_seconds()
    if duration is None:
        return None
    if isinstance(duration, bool):
        raise TypeError(f"{name} must be a timedelta or a number of seconds, got bool")
    if isinstance(duration, timedelta):
        value = duration.total_seconds()
    elif isinstance(duration, (int, float)):
        value = float(duration)
    else:
        raise TypeError(f"{name} must be a timedelta or a number of seconds, got {type(duration).__name__}")
    if not math.isfinite(value):
        raise ValueError(f"{name} must be a finite number of seconds, got {duration}")
    if value < 0 and not may_be_negative:
        raise ValueError(f"{name} must not be negative, got {duration}")
    return value


def timedelta_or_none(value: float | None) -> timedelta | None:
    return timedelta(seconds=value) if value is not None else None


def native_retry_policy(name: str, policy: RetryPolicy) -> NativeRetryPolicy:
    return _of_type(RetryPolicy, name, policy)._to_native()


def _of_type(expected: type[T], name: str, value: Any) -> T:
    if not isinstance(value, expected):
        raise TypeError(f"{name} must be a {expected.__name__}, got {type(value).__name__}")
    return value


def _text(name: str, value: Any) -> str:
    return _of_type(str, name, value)


def _mapping(name: str, value: Any) -> Mapping[str, Any]:
    return _of_type(Mapping, name, value)  # type: ignore[type-abstract]


def _search_attributes(name: str, value: Any) -> Any:
    return value if isinstance(value, TypedSearchAttributes) else _mapping(name, value)


def _member(enum: type[IntEnum]) -> Callable[[str, Any], int]:
    def convert(name: str, value: Any) -> int:
        try:
            return int(enum(value))
        except ValueError:
            raise ValueError(f"{name} must be a {enum.__name__}, got {value!r}") from None

    return convert


def given_groups(given: Any) -> tuple[EventGroup, ...]:
    """The event groups given to a call.

    Raises:
        TypeError: it is no sequence of event groups.
    """
    if given is None:
        return ()
    if isinstance(given, EventGroup):
        raise TypeError("event_groups must be a list of event groups: put the group in one")
    return tuple(_of_type(EventGroup, "event_groups", each) for each in given)


def _priority(name: str, priority: Any) -> NativePriority:
    return _of_type(Priority, name, priority)._to_native()


def _versioning_override(name: str, override: Any) -> tuple[str, tuple[str, str] | None]:
    return _of_type(VersioningOverride, name, override)._to_native()  # type: ignore[type-abstract]


_ACTIVITY: Converters = {
    "schedule_to_close_timeout": seconds,
    "schedule_to_start_timeout": seconds,
    "start_to_close_timeout": seconds,
    "retry_policy": native_retry_policy,
    "cancellation_type": _member(ActivityCancellationType),
    "activity_id": _text,
    "summary": _text,
    "event_groups": lambda name, given: given_groups(given),
}

ActivityOptions._converters = {
    **_ACTIVITY,
    "task_queue": _text,
    "heartbeat_timeout": seconds,
    "versioning_intent": _member(VersioningIntent),
    "priority": _priority,
}

LocalActivityOptions._converters = {**_ACTIVITY, "local_retry_threshold": seconds}

ChildWorkflowOptions._converters = {
    "id": _text,
    "task_queue": _text,
    "cancellation_type": _member(ChildWorkflowCancellationType),
    "parent_close_policy": _member(ParentClosePolicy),
    "execution_timeout": seconds,
    "run_timeout": seconds,
    "task_timeout": seconds,
    "id_reuse_policy": _member(WorkflowIDReusePolicy),
    "retry_policy": native_retry_policy,
    "cron_schedule": _text,
    "memo": _mapping,
    "search_attributes": _search_attributes,
    "versioning_intent": _member(VersioningIntent),
    "versioning_override": _versioning_override,
    "static_summary": _text,
    "static_details": _text,
    "event_groups": lambda name, given: given_groups(given),
    "priority": _priority,
}
