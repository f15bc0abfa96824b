"""Options of workers that are of a wrong type, or too large for Core: refused by name, when the worker is made."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Executor
from datetime import timedelta
from functools import partial

from ._runners import WorkflowRunner

# Slots, polls and the like of Core are counters that panic far beyond.
MOST = 2**31 - 1
# Core makes room for all of them at the start.
_MOST_CACHED_WORKFLOWS = 10_000_000
# What servers take of names by default; to polls with longer ones they answer after a minute, and by refusing them.
_LONGEST_NAME = 1000

_TYPES: Mapping[type, Collection[str]] = {
    str: ("task_queue", "build_id", "identity"),
    bool: (
        "no_remote_activities",
        "debug_mode",
        "disable_eager_activity_execution",
        "use_worker_versioning",
        "disable_safe_workflow_eviction",
        "disable_payload_error_limit",
    ),
    timedelta: (
        "sticky_queue_schedule_to_start_timeout",
        "max_heartbeat_throttle_interval",
        "default_heartbeat_throttle_interval",
        "graceful_shutdown_timeout",
        "plugin_shutdown_timeout",
        "deadlock_timeout",
        "loop_lag_warning",
        "stall_timeout",
    ),
    WorkflowRunner: ("workflow_runner", "unsandboxed_workflow_runner"),
    Executor: ("workflow_task_executor", "nexus_task_executor"),
}
_WHOLE = (
    "max_cached_workflows",
    "max_concurrent_workflow_tasks",
    "max_concurrent_activities",
    "max_concurrent_local_activities",
    "max_concurrent_nexus_tasks",
    "max_concurrent_workflow_task_polls",
    "max_concurrent_activity_task_polls",
    "max_eager_activity_reservations_per_workflow_task",
    "max_workflow_task_external_storage_concurrency",
)
_NUMBERS = ("nonsticky_to_sticky_poll_ratio", "max_activities_per_second", "max_task_queue_activities_per_second")
_SEQUENCES = ("activities", "nexus_service_handlers", "workflows", "interceptors", "workflow_failure_exception_types")
_FUNCTIONS = ("on_fatal_error", "patch_activation_callback")
_MAY_BE_NONE = frozenset(
    {
        "build_id",
        "identity",
        "graceful_shutdown_timeout",
        "plugin_shutdown_timeout",
        "deadlock_timeout",
        "loop_lag_warning",
        "stall_timeout",
        "workflow_task_executor",
        "nexus_task_executor",
        *(name for name in _WHOLE if name.startswith("max_concurrent_")),
        "max_workflow_task_external_storage_concurrency",
        "max_activities_per_second",
        "max_task_queue_activities_per_second",
        *_FUNCTIONS,
    }
)


def check_types(config: Mapping[str, object], names: Collection[str]) -> None:
    """Refuses values of wrong types.

    Args:
        config: The options, as plugins have left them.
        names: Those that there are.

    Raises:
        TypeError: A value is of a wrong type, or the options are not all there.
        ValueError: A number is too large, or a duration negative.
    """
    if not isinstance(config, dict):
        raise TypeError(f"configure_worker of a plugin must return the configuration, got {type(config).__name__}")
    if config.keys() != names:
        wrong = ", ".join(sorted(config.keys() ^ names))
        raise TypeError(f"configure_worker of a plugin must leave the options of a worker, and no others: {wrong}")
    for kind, options in _TYPES.items():
        article = "an" if kind.__name__[0] in "AEIOU" else "a"
        _check(config, options, partial(_is_a, kind), f"{article} {kind.__name__}")
    _check(config, _NUMBERS, lambda value: isinstance(value, (int, float)) and not isinstance(value, bool), "a number")
    _check(
        config,
        _SEQUENCES,
        lambda value: isinstance(value, Collection) and not isinstance(value, (str, bytes)),
        "a sequence",
    )
    _check(config, _FUNCTIONS, callable, "a function")
    for name in _TYPES[str]:
        check_length(name, config[name])
    for name in _WHOLE:
        value = config[name]
        if value is not None or name not in _MAY_BE_NONE:
            check_whole(name, value, most=_MOST_CACHED_WORKFLOWS if name == "max_cached_workflows" else MOST)


def _is_a(kind: type, value: object) -> bool:
    return isinstance(value, kind)


def _check(config: Mapping[str, object], names: Collection[str], fits: Callable[[object], bool], what: str) -> None:
    for name in names:
        value = config[name]
        if value is None and name in _MAY_BE_NONE:
            continue
        if not fits(value):
            raise TypeError(f"{name} must be {what}, got {type(value).__name__}")
        if isinstance(value, timedelta) and value < timedelta():
            raise ValueError(f"{name} must not be negative, got {value}")


def check_length(name: str, value: object) -> None:
    """Refuses a name that no server takes.

    Raises:
        ValueError: It is too long.
    """
    if isinstance(value, str) and len(value) > _LONGEST_NAME:
        raise ValueError(f"{name} must have at most {_LONGEST_NAME} characters, got {len(value)}")


def check_whole(
    name: str, value: object, *, least: int | None = None, most: int = MOST, default: int | None = None
) -> None:
    """Refuses what is no whole number within bounds; the default is what ``None`` would be for.

    Raises:
        TypeError: It is no whole number.
        ValueError: It is below the least, or above the most.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be a whole number, got {type(value).__name__}")
    if least is not None and value < least:
        instead = "" if default is None else f"; None is for {default}"
        raise ValueError(f"{name} must be at least {least}, not {value}{instead}")
    if value > most:
        raise ValueError(f"{name} must be at most {most}, not {value}")
