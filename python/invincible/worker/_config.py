"""What a worker is made of: its options, the checks of them, and what Core gets of them."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from typing_extensions import TypedDict

from invincible import _native
from invincible._engine.options import seconds
from invincible.client import Client

from ._activities import Activities
from ._build_id import default_build_id
from ._defaults import DEFAULT_POLLERS
from ._deployment import WorkerDeploymentConfig, check_deployment
from ._option_types import check_types, check_whole
from ._pollers import PollerBehavior, PollerBehaviorAutoscaling, PollerBehaviorSimpleMaximum
from ._runners import WorkflowRunner
from ._workflows import Definitions, includes_nondeterminism, types_failed_by_nondeterminism

if TYPE_CHECKING:
    from ._health import HealthThresholds
    from ._interceptor import Interceptor
    from ._patches import PatchActivationInput
    from ._plugin import Plugin
    from ._processes._options import WorkerProcesses
    from ._tuner import WorkerTuner

_SLOTS = (
    "max_concurrent_workflow_tasks",
    "max_concurrent_activities",
    "max_concurrent_local_activities",
    "max_concurrent_nexus_tasks",
)
_DEFAULT_SLOTS = 100


class WorkerConfig(TypedDict):
    """What a :class:`Worker` is made of: its constructor's arguments."""

    client: Client
    task_queue: str
    activities: Sequence[Callable[..., Any]]
    nexus_service_handlers: Sequence[Any]
    workflows: Sequence[Any]
    activity_executor: Executor | None
    workflow_task_executor: ThreadPoolExecutor | None
    nexus_task_executor: ThreadPoolExecutor | None
    workflow_runner: WorkflowRunner
    unsandboxed_workflow_runner: WorkflowRunner
    plugins: Sequence[Plugin]
    interceptors: Sequence[Interceptor]
    build_id: str | None
    identity: str | None
    max_cached_workflows: int
    max_concurrent_workflow_tasks: int | None
    max_concurrent_activities: int | None
    max_concurrent_local_activities: int | None
    max_concurrent_nexus_tasks: int | None
    tuner: WorkerTuner | None
    max_concurrent_workflow_task_polls: int | None
    nonsticky_to_sticky_poll_ratio: float
    max_concurrent_activity_task_polls: int | None
    no_remote_activities: bool
    sticky_queue_schedule_to_start_timeout: timedelta
    max_heartbeat_throttle_interval: timedelta
    default_heartbeat_throttle_interval: timedelta
    max_activities_per_second: float | None
    max_task_queue_activities_per_second: float | None
    max_eager_activity_reservations_per_workflow_task: int
    graceful_shutdown_timeout: timedelta | None
    plugin_shutdown_timeout: timedelta | None
    workflow_failure_exception_types: Sequence[type[BaseException]]
    shared_state_manager: Any
    debug_mode: bool
    deadlock_timeout: timedelta | None
    disable_eager_activity_execution: bool
    on_fatal_error: Callable[[BaseException], Awaitable[None] | None] | None
    use_worker_versioning: bool
    disable_safe_workflow_eviction: bool
    deployment_config: WorkerDeploymentConfig | None
    patch_activation_callback: Callable[[PatchActivationInput], bool] | None
    workflow_task_poller_behavior: PollerBehavior
    activity_task_poller_behavior: PollerBehavior
    nexus_task_poller_behavior: PollerBehavior
    disable_payload_error_limit: bool
    max_workflow_task_external_storage_concurrency: int
    health_address: str | None
    health_thresholds: HealthThresholds | None
    loop_lag_warning: timedelta | None
    stall_timeout: timedelta | None
    processes: int | WorkerProcesses | None


def check(config: WorkerConfig) -> None:
    """Refuses what no worker can be made of, and options that contradict each other.

    Raises:
        TypeError: A value is of a wrong type; the message names it.
        ValueError: Options are out of their range, or do not go together; the message names them.
    """
    check_types(cast("dict[str, object]", config), WorkerConfig.__required_keys__)
    check_client(config["client"])
    _check_optional_parts(config)
    if not config["activities"] and not config["workflows"] and not config["nexus_service_handlers"]:
        raise ValueError("a worker needs workflows, activities or Nexus services to run: give at least one")
    _check_ranges(config)
    if config["tuner"] is not None:
        _check_tuner(config)
    if config["max_cached_workflows"]:
        _check_for_cache(config)
    for polls, behavior in (
        ("max_concurrent_workflow_task_polls", "workflow_task_poller_behavior"),
        ("max_concurrent_activity_task_polls", "activity_task_poller_behavior"),
    ):
        if config[polls] is not None and config[behavior] is not DEFAULT_POLLERS:  # type: ignore[literal-required]
            raise ValueError(f"give either {polls} or {behavior}, not both: each says how many polls there are")
    for name in ("workflow_task_poller_behavior", "activity_task_poller_behavior", "nexus_task_poller_behavior"):
        value: object = config[name]
        if not isinstance(value, (PollerBehaviorSimpleMaximum, PollerBehaviorAutoscaling)):
            raise TypeError(f"{name} must be a PollerBehaviorSimpleMaximum or PollerBehaviorAutoscaling, got {value!r}")
    address: object = config["health_address"]
    if address is not None and not (isinstance(address, str) and re.fullmatch(r".+:\d{1,5}", address)):
        raise ValueError(f"health_address must be host:port, as in 127.0.0.1:8080, got {address!r}")
    if config["deployment_config"] is not None:
        if config["build_id"] is not None:
            raise ValueError("give either build_id or deployment_config, not both: the config's version has a build id")
        if config["use_worker_versioning"]:
            raise ValueError("give either use_worker_versioning or deployment_config, not both: the config says it too")
    elif config["use_worker_versioning"] and not config["build_id"]:
        raise ValueError("use_worker_versioning needs a build_id: without one the server knows no version to route to")


def _check_optional_parts(config: WorkerConfig) -> None:
    """Of types whose modules a worker without them does not need."""
    manager: object = config["shared_state_manager"]
    if manager is not None:
        from ._shared_state import SharedStateManager

        if not isinstance(manager, SharedStateManager):
            raise TypeError(f"shared_state_manager must be a SharedStateManager, got {type(manager).__name__}")
    thresholds: object = config["health_thresholds"]
    if thresholds is not None:
        from ._health import HealthThresholds

        if not isinstance(thresholds, HealthThresholds):
            raise TypeError(f"health_thresholds must be HealthThresholds, got {type(thresholds).__name__}")


def _check_ranges(config: WorkerConfig) -> None:
    for name in ("task_queue", "identity"):
        if config[name] == "":
            raise ValueError(f"{name} must not be empty")
    for name in ("max_cached_workflows", "max_eager_activity_reservations_per_workflow_task"):
        if config[name] < 0:  # type: ignore[literal-required]
            raise ValueError(f"{name} must be at least 0, not {config[name]}")  # type: ignore[literal-required]
    if not 0 <= config["nonsticky_to_sticky_poll_ratio"] <= 1:
        ratio = config["nonsticky_to_sticky_poll_ratio"]
        raise ValueError(f"nonsticky_to_sticky_poll_ratio must be between 0 and 1, not {ratio}")
    for name in ("max_activities_per_second", "max_task_queue_activities_per_second"):
        rate = config[name]  # type: ignore[literal-required]
        if rate is not None and not 0 < rate < math.inf:
            raise ValueError(f"{name} must be above 0, not {rate}; None is for no bound")


def _check_tuner(config: WorkerConfig) -> None:
    from ._tuner import WorkerTuner

    tuner: object = config["tuner"]
    if not isinstance(tuner, WorkerTuner):
        raise TypeError(f"tuner must be made by a class method of WorkerTuner, got {tuner!r}")
    for name in _SLOTS:
        if config[name] is not None:  # type: ignore[literal-required]
            raise ValueError(f"give either tuner or {name}, not both: the tuner says how many slots there are")


def _check_for_cache(config: WorkerConfig) -> None:
    """With a cache, the worker has a task queue of its own beside the common one: each needs a poll and a slot."""
    why = "with max_cached_workflows above 0: one is for new runs, one for those in the cache"
    for name in ("max_concurrent_workflow_tasks", "max_concurrent_workflow_task_polls"):
        if config[name] == 1:
            raise ValueError(f"{name} must be at least 2 {why}")
    if config["workflow_task_poller_behavior"] == PollerBehaviorSimpleMaximum(1):
        raise ValueError(f"workflow_task_poller_behavior must have a maximum of at least 2 {why}")
    tuner = config["tuner"]
    if tuner is not None and tuner._workflow_maximum() == 1:
        raise ValueError(f"tuner must give at least 2 slots to workflow tasks {why}")


def check_client(client: object) -> None:
    """Refuses what no worker can poll through.

    Raises:
        TypeError: It is no client.
    """
    if not isinstance(client, Client):
        raise TypeError(f"a worker needs a connected invincible.client.Client, got {type(client).__name__}")


def watch_limits(config: WorkerConfig, *, debug_mode: bool) -> tuple[float | None, float | None]:
    """The warning of event loop lag and the stall timeout in seconds; ``None`` for what is not looked at.

    Raises:
        ValueError: One of them is not positive.
    """
    limits = []
    for name, value in (("loop_lag_warning", config["loop_lag_warning"]), ("stall_timeout", config["stall_timeout"])):
        limit = seconds(name, value)
        if limit == 0:
            raise ValueError(f"{name} must be positive, not {value}: None turns it off")
        limits.append(None if debug_mode else limit)
    return limits[0], limits[1]


def grace(config: WorkerConfig) -> float | None:
    """The grace of activities at shutdown in seconds, if the options say one."""
    return seconds("graceful_shutdown_timeout", config["graceful_shutdown_timeout"])


def native_config(
    config: WorkerConfig, definitions: Definitions, activities: Activities, *, graceful_shutdown_period: float
) -> _native.WorkerConfig:
    """The options as Core takes them.

    Raises:
        ValueError: One of them is out of its range; the message names it.
    """
    deployment = config["deployment_config"]
    if deployment is not None:
        check_deployment(deployment, definitions.values())
    version = deployment.version if deployment is not None else None
    return _native.WorkerConfig(
        namespace=config["client"].namespace,
        task_queue=config["task_queue"],
        build_id=(
            version.build_id if version is not None else config["build_id"] or default_build_id(definitions, activities)
        ),
        deployment_name=version.deployment_name if version is not None else None,
        use_worker_versioning=config["use_worker_versioning"]
        if deployment is None
        else deployment.use_worker_versioning,
        default_versioning_behavior=int(deployment.default_versioning_behavior) if deployment is not None else 0,
        workflows=bool(definitions),
        activities=bool(activities) and not config["no_remote_activities"],
        local_activities=bool(activities),
        nexus=bool(config["nexus_service_handlers"]),
        identity=config["identity"],
        max_cached_workflows=config["max_cached_workflows"],
        max_concurrent_workflow_tasks=slots(config, "max_concurrent_workflow_tasks"),
        max_concurrent_activities=slots(config, "max_concurrent_activities"),
        max_concurrent_local_activities=slots(config, "max_concurrent_local_activities"),
        max_concurrent_nexus_tasks=slots(config, "max_concurrent_nexus_tasks"),
        workflow_task_pollers=_polls(
            config, "max_concurrent_workflow_task_polls", config["workflow_task_poller_behavior"]
        ),
        activity_task_pollers=_polls(
            config, "max_concurrent_activity_task_polls", config["activity_task_poller_behavior"]
        ),
        nexus_task_pollers=config["nexus_task_poller_behavior"]._native(),
        nonsticky_to_sticky_poll_ratio=config["nonsticky_to_sticky_poll_ratio"],
        sticky_queue_schedule_to_start_timeout=config["sticky_queue_schedule_to_start_timeout"].total_seconds(),
        max_heartbeat_throttle_interval=config["max_heartbeat_throttle_interval"].total_seconds(),
        default_heartbeat_throttle_interval=config["default_heartbeat_throttle_interval"].total_seconds(),
        max_activities_per_second=config["max_activities_per_second"],
        max_task_queue_activities_per_second=config["max_task_queue_activities_per_second"],
        max_eager_activity_reservations_per_workflow_task=(
            0
            if config["disable_eager_activity_execution"]
            else config["max_eager_activity_reservations_per_workflow_task"]
        ),
        graceful_shutdown_period=graceful_shutdown_period,
        nondeterminism_fails_workflow=includes_nondeterminism(config["workflow_failure_exception_types"]),
        nondeterminism_fails_workflow_types=types_failed_by_nondeterminism(definitions),
        disable_payload_error_limit=config["disable_payload_error_limit"],
        plugins=_plugin_names(config),
    )


def _plugin_names(config: WorkerConfig) -> set[str]:
    names = {plugin.name() for plugin in config["client"]._config["plugins"]}
    return names | {plugin.name() for plugin in config["plugins"]}


def _polls(config: WorkerConfig, name: str, behavior: PollerBehavior) -> int | tuple[int, int, int]:
    if config[name] is None:  # type: ignore[literal-required]
        return behavior._native()
    return limit(name, config[name], DEFAULT_POLLERS.maximum)  # type: ignore[literal-required]


def activities_at_once(config: WorkerConfig) -> int:
    """How many activities there can be under way at a time."""
    tuner = config["tuner"]
    if tuner is None:
        return slots(config, "max_concurrent_activities") + slots(config, "max_concurrent_local_activities")
    maximum = tuner._activities_maximum()
    return sys.maxsize if maximum is None else maximum


def slots(config: WorkerConfig, name: str) -> int:
    """How many slots of one kind there are, if no tuner says it."""
    return limit(name, config[name], _DEFAULT_SLOTS)  # type: ignore[literal-required]


def limit(name: str, value: int | None, default: int) -> int:
    """The value, or the default.

    Raises:
        ValueError: The value is below 1.
    """
    if value is None:
        return default
    check_whole(name, value, least=1, default=default)
    return value
