"""Options as users give them (timedeltas, policies), made into what Core takes, once per definition or call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import IntEnum
from typing import Any, TypeVar

from typing_extensions import TypedDict

from invincible._native import Priority as NativePriority
from invincible._native import RetryPolicy as NativeRetryPolicy
from invincible.common import Priority, RetryPolicy

T = TypeVar("T")


class ActivityCancellationType(IntEnum):
    """What cancelling an activity from its workflow waits for."""

    TRY_CANCEL = 0
    """Ask the activity to stop, and raise at once."""
    WAIT_CANCELLATION_COMPLETED = 1
    """Ask the activity to stop, and wait until it has."""
    ABANDON = 2
    """Raise at once; the activity is not told."""


class ActivityConfig(TypedDict, total=False):
    """The options of an activity call. Timeouts are timedeltas; one of ``start_to_close_timeout`` and
    ``schedule_to_close_timeout`` is needed, on the definition or for the call."""

    task_queue: str | None
    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    heartbeat_timeout: timedelta | None
    retry_policy: RetryPolicy | None
    cancellation_type: ActivityCancellationType
    activity_id: str | None
    summary: str | None
    priority: Priority


@dataclass(frozen=True)
class ActivityOptions:
    """The options of an activity call as Core takes them: durations in seconds, enums as numbers."""

    task_queue: str | None = None
    schedule_to_close_timeout: float | None = None
    schedule_to_start_timeout: float | None = None
    start_to_close_timeout: float | None = None
    heartbeat_timeout: float | None = None
    retry_policy: NativeRetryPolicy | None = None
    cancellation_type: int = 0
    activity_id: str | None = None
    summary: str | None = None
    priority: NativePriority | None = None

    def replaced(self, config: Mapping[str, Any]) -> ActivityOptions:
        """These options with those of an ``ActivityConfig`` in their place; ``None`` leaves an option as it is.

        Raises:
            TypeError: an option is unknown or of the wrong type.
            ValueError: a timeout is negative.
        """
        options = {}
        for name, value in config.items():
            convert = _CONVERTERS.get(name)
            if convert is None:
                raise TypeError(f"{name!r} is not an activity option; the options are: {', '.join(_CONVERTERS)}")
            if value is not None:
                options[name] = convert(name, value)
        return replace(self, **options) if options else self

    def check(self, activity_type: str) -> None:
        """Refuse what the server would refuse, where the line that is wrong is still known."""
        if self.start_to_close_timeout is None and self.schedule_to_close_timeout is None:
            raise ValueError(
                f"activity {activity_type!r} needs start_to_close_timeout or schedule_to_close_timeout: "
                "set one on @activity.defn or for this call"
            )


def seconds(name: str, duration: timedelta | float | None) -> float | None:
    """A duration in seconds.

    Raises:
        TypeError: it is neither a timedelta nor a number.
        ValueError: it is negative.
    """
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
    if value < 0:
        raise ValueError(f"{name} must not be negative, got {duration}")
    return value


def timedelta_or_none(value: float | None) -> timedelta | None:
    return timedelta(seconds=value) if value is not None else None


def _of_type(expected: type[T], name: str, value: Any) -> T:
    if not isinstance(value, expected):
        raise TypeError(f"{name} must be a {expected.__name__}, got {type(value).__name__}")
    return value


def _text(name: str, value: Any) -> str:
    return _of_type(str, name, value)


_CONVERTERS: Mapping[str, Callable[[str, Any], Any]] = {
    "task_queue": _text,
    "schedule_to_close_timeout": seconds,
    "schedule_to_start_timeout": seconds,
    "start_to_close_timeout": seconds,
    "heartbeat_timeout": seconds,
    "retry_policy": lambda name, policy: _of_type(RetryPolicy, name, policy)._to_native(),
    "cancellation_type": lambda name, value: int(ActivityCancellationType(value)),
    "activity_id": _text,
    "summary": _text,
    "priority": lambda name, priority: _of_type(Priority, name, priority)._to_native(),
}
