"""Options of workers that cannot be, or do not go together: which errors say what is wrong, before anything runs."""

from __future__ import annotations

import re
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from invincible import workflow
from invincible.client import Client
from invincible.common import WorkerDeploymentVersion
from invincible.worker import (
    CustomSlotSupplier,
    FixedSizeSlotSupplier,
    Plugin,
    PollerBehaviorAutoscaling,
    PollerBehaviorSimpleMaximum,
    Replayer,
    ReplayerConfig,
    ResourceBasedSlotConfig,
    ResourceBasedSlotSupplier,
    ResourceBasedTunerConfig,
    SlotMarkUsedContext,
    SlotPermit,
    SlotReleaseContext,
    SlotReserveContext,
    UnsandboxedWorkflowRunner,
    Worker,
    WorkerConfig,
    WorkerDeploymentConfig,
    WorkerTuner,
)
from invincible.worker._tuner import native_slots

DEPLOYMENT = WorkerDeploymentConfig(WorkerDeploymentVersion("billing", "1"), use_worker_versioning=False)


@workflow.defn
async def nothing() -> None: ...


@pytest.fixture
async def client() -> Client:
    """One that has not connected."""
    return await Client.connect("127.0.0.1:1", lazy=True)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"workflows": []}, "a worker needs workflows, activities or Nexus services to run: give at least one"),
        ({"task_queue": ""}, "task_queue must not be empty"),
        ({"identity": ""}, "identity must not be empty"),
        ({"max_cached_workflows": -1}, "max_cached_workflows must be at least 0, not -1"),
        ({"max_concurrent_nexus_tasks": 0}, "max_concurrent_nexus_tasks must be at least 1, not 0"),
        ({"max_concurrent_activity_task_polls": 0}, "at least 1, not 0; None is for 5"),
        ({"max_concurrent_workflow_tasks": 1}, "max_concurrent_workflow_tasks must be at least 2 with max_cached_"),
        ({"max_concurrent_workflow_task_polls": 1}, "max_concurrent_workflow_task_polls must be at least 2 with"),
        (
            {"workflow_task_poller_behavior": PollerBehaviorSimpleMaximum(1)},
            "workflow_task_poller_behavior must have a maximum of at least 2 with",
        ),
        ({"tuner": WorkerTuner.create_fixed(workflow_slots=1)}, "tuner must give at least 2 slots to workflow tasks"),
        ({"nonsticky_to_sticky_poll_ratio": 1.5}, "nonsticky_to_sticky_poll_ratio must be between 0 and 1, not 1.5"),
        ({"max_activities_per_second": 0.0}, "max_activities_per_second must be above 0, not 0.0; None is for no"),
        ({"max_task_queue_activities_per_second": -1.0}, "max_task_queue_activities_per_second must be above 0"),
        ({"max_eager_activity_reservations_per_workflow_task": -1}, "must be at least 0, not -1"),
        (
            {"max_concurrent_activities": 3, "tuner": WorkerTuner.create_fixed()},
            "give either tuner or max_concurrent_activities, not both: the tuner says how many slots there are",
        ),
        (
            {
                "max_concurrent_activity_task_polls": 3,
                "activity_task_poller_behavior": PollerBehaviorAutoscaling(),
            },
            "give either max_concurrent_activity_task_polls or activity_task_poller_behavior, not both",
        ),
        (
            {"build_id": "1", "deployment_config": DEPLOYMENT},
            "give either build_id or deployment_config, not both: the config's version has a build id",
        ),
        (
            {"use_worker_versioning": True, "deployment_config": DEPLOYMENT},
            "give either use_worker_versioning or deployment_config, not both: the config says it too",
        ),
        ({"use_worker_versioning": True}, "use_worker_versioning needs a build_id"),
        ({"graceful_shutdown_timeout": timedelta(seconds=-1)}, "graceful_shutdown_timeout must not be negative"),
        ({"plugin_shutdown_timeout": timedelta(-1)}, "plugin_shutdown_timeout must not be negative"),
        ({"sticky_queue_schedule_to_start_timeout": timedelta(-1)}, "sticky_queue_schedule_to_start_timeout must not"),
        ({"max_concurrent_activities": sys.maxsize}, "max_concurrent_activities must be at most 2147483647, not 9223"),
        ({"identity": 1001 * "x"}, "identity must have at most 1000 characters, got 1001"),
        ({"max_cached_workflows": sys.maxsize}, "max_cached_workflows must be at most 10000000, not 9223"),
    ],
)
def test_values_that_cannot_be(client: Client, options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        Worker(client, **{"task_queue": "queue", "workflows": [nothing], **options})


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"tuner": FixedSizeSlotSupplier(3)}, "tuner must be made by a class method of WorkerTuner, got FixedSize"),
        (
            {"activity_task_poller_behavior": 5},
            "activity_task_poller_behavior must be a PollerBehaviorSimpleMaximum or PollerBehaviorAutoscaling, got 5",
        ),
        ({"task_queue": None}, "task_queue must be a str, got NoneType"),
        ({"workflows": nothing}, "workflows must be a sequence, got function"),
        ({"identity": 7}, "identity must be a str, got int"),
        ({"workflow_failure_exception_types": ValueError}, "workflow_failure_exception_types must be a sequence, got"),
        ({"activities": "work"}, "activities must be a sequence, got str"),
        ({"workflow_runner": UnsandboxedWorkflowRunner}, "workflow_runner must be a WorkflowRunner, got type"),
        ({"unsandboxed_workflow_runner": None}, "unsandboxed_workflow_runner must be a WorkflowRunner, got NoneType"),
        ({"nexus_task_executor": 4}, "nexus_task_executor must be an Executor, got int"),
        ({"max_cached_workflows": None}, "max_cached_workflows must be a whole number, got NoneType"),
        ({"max_concurrent_activities": "9"}, "max_concurrent_activities must be a whole number, got str"),
        ({"max_concurrent_workflow_task_polls": True}, "max_concurrent_workflow_task_polls must be a whole number"),
        ({"max_activities_per_second": "9"}, "max_activities_per_second must be a number, got str"),
        ({"max_heartbeat_throttle_interval": 5}, "max_heartbeat_throttle_interval must be a timedelta, got int"),
        ({"plugin_shutdown_timeout": 5}, "plugin_shutdown_timeout must be a timedelta, got int"),
        ({"deadlock_timeout": 2.0}, "deadlock_timeout must be a timedelta, got float"),
        ({"no_remote_activities": None}, "no_remote_activities must be a bool, got NoneType"),
        ({"debug_mode": "false"}, "debug_mode must be a bool, got str"),
        ({"on_fatal_error": "exit"}, "on_fatal_error must be a function, got str"),
        ({"patch_activation_callback": {"new"}}, "patch_activation_callback must be a function, got set"),
        ({"shared_state_manager": object()}, "shared_state_manager must be a SharedStateManager, got object"),
        ({"health_thresholds": timedelta(1)}, "health_thresholds must be HealthThresholds, got timedelta"),
    ],
)
def test_values_of_wrong_types(client: Client, options: dict[str, Any], says: str) -> None:
    with pytest.raises(TypeError, match=re.escape(says)):
        Worker(client, **{"task_queue": "queue", "workflows": [nothing], **options})


def test_what_is_no_client() -> None:
    with pytest.raises(TypeError, match=r"a worker needs a connected invincible\.client\.Client, got str"):
        Worker("localhost:7233", task_queue="queue", workflows=[nothing])  # type: ignore[arg-type]


def test_the_smallest_worker_without_a_cache(client: Client) -> None:
    Worker(
        client,
        task_queue="queue",
        workflows=[nothing],
        max_cached_workflows=0,
        max_concurrent_workflow_tasks=1,
        max_concurrent_workflow_task_polls=1,
    )


@pytest.mark.parametrize(
    ("options", "slots"),
    [
        ({}, 200),
        ({"max_concurrent_activities": 7}, 107),
        ({"tuner": WorkerTuner.create_fixed(activity_slots=7, local_activity_slots=4)}, 11),
        ({"tuner": WorkerTuner.create_resource_based(target_memory_usage=0.5, target_cpu_usage=0.5)}, 1000),
    ],
)
def test_there_can_be_as_many_threads_as_slots(client: Client, options: dict[str, Any], slots: int) -> None:
    worker = Worker(client, task_queue="queue", workflows=[nothing], **options)
    assert worker._parts.activities_at_once == slots


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: PollerBehaviorSimpleMaximum(0), "maximum must be at least 1, not 0"),
        (lambda: PollerBehaviorAutoscaling(minimum=0), "minimum must be at least 1, not 0"),
        (lambda: PollerBehaviorAutoscaling(minimum=6), "initial must lie between minimum and maximum"),
        (lambda: PollerBehaviorAutoscaling(maximum=4), "initial must lie between minimum and maximum"),
        (lambda: FixedSizeSlotSupplier(0), "num_slots must be at least 1, not 0"),
        (lambda: WorkerTuner.create_fixed(nexus_slots=0), "nexus_slots must be at least 1, not 0; None is for 100"),
        (lambda: ResourceBasedTunerConfig(80, 0.5), "target_memory_usage must be above 0 and at most 1, not 80"),
        (lambda: ResourceBasedTunerConfig(0.5, 0), "target_cpu_usage must be above 0 and at most 1, not 0"),
        (lambda: ResourceBasedSlotConfig(minimum_slots=0), "minimum_slots must be at least 1, not 0"),
        (lambda: ResourceBasedSlotConfig(9, 3), "maximum_slots must be at least minimum_slots, got 3 and 9"),
        (lambda: ResourceBasedSlotConfig(minimum_slots=501), "maximum_slots must be at least minimum_slots"),
        (lambda: ResourceBasedSlotConfig(ramp_throttle=timedelta(-1)), "ramp_throttle must not be negative"),
        (lambda: FixedSizeSlotSupplier(sys.maxsize), "num_slots must be at most 2147483647, not 9223"),
        (lambda: composite(0.5, 0.6), "all resource-based suppliers of a tuner must have the same tuner_config"),
    ],
)
def test_poller_behaviors_and_suppliers_that_cannot_be(make: Any, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        make()


def composite(*targets: float) -> WorkerTuner:
    first, second = (
        ResourceBasedSlotSupplier(ResourceBasedSlotConfig(), ResourceBasedTunerConfig(target, 0.5))
        for target in targets
    )
    return WorkerTuner.create_composite(
        workflow_supplier=first,
        activity_supplier=second,
        local_activity_supplier=FixedSizeSlotSupplier(1),
        nexus_supplier=FixedSizeSlotSupplier(1),
    )


def test_a_composite_of_what_is_no_supplier() -> None:
    fixed = FixedSizeSlotSupplier(1)
    with pytest.raises(TypeError, match=r"nexus_supplier must be a FixedSizeSlotSupplier, .*CustomSlotSupplier, got 5"):
        WorkerTuner.create_composite(
            workflow_supplier=fixed,
            activity_supplier=fixed,
            local_activity_supplier=fixed,
            nexus_supplier=5,  # type: ignore[arg-type]
        )


@pytest.mark.parametrize(
    ("config", "for_workflows", "for_others"),
    [
        (ResourceBasedSlotConfig(), (5, 500, 0.0), (1, 500, 0.05)),
        (ResourceBasedSlotConfig(2, 8, timedelta(milliseconds=30)), (2, 8, 0.03), (2, 8, 0.03)),
        (ResourceBasedSlotConfig(maximum_slots=3), (3, 3, 0.0), (1, 3, 0.05)),
    ],
)
def test_resource_based_bounds(
    config: ResourceBasedSlotConfig, for_workflows: tuple[int, int, float], for_others: tuple[int, int, float]
) -> None:
    supplier = ResourceBasedSlotSupplier(config, ResourceBasedTunerConfig(0.5, 0.5))
    assert native_slots(supplier, workflow=True) == for_workflows
    assert native_slots(supplier, workflow=False) == for_others


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: PollerBehaviorSimpleMaximum("5"), "maximum must be a whole number, got str"),  # type: ignore[arg-type]
        (lambda: PollerBehaviorAutoscaling(initial=2.5), "initial must be a whole number, got float"),  # type: ignore[arg-type]
        (lambda: FixedSizeSlotSupplier(True), "num_slots must be a whole number, got bool"),
        (lambda: WorkerTuner.create_fixed(activity_slots=2.5), "activity_slots must be a whole number, got float"),  # type: ignore[arg-type]
        (lambda: ResourceBasedTunerConfig("0.8", 0.5), "target_memory_usage must be a number, got str"),  # type: ignore[arg-type]
        (lambda: ResourceBasedSlotConfig(2.0), "minimum_slots must be a whole number, got float"),  # type: ignore[arg-type]
        (lambda: ResourceBasedSlotConfig(ramp_throttle=0.05), "ramp_throttle must be a timedelta, got float"),  # type: ignore[arg-type]
        (
            lambda: ResourceBasedSlotSupplier(ResourceBasedTunerConfig(0.5, 0.5), ResourceBasedSlotConfig()),  # type: ignore[arg-type]
            "slot_config must be a ResourceBasedSlotConfig, got ResourceBasedTunerConfig",
        ),
    ],
)
def test_poller_behaviors_and_suppliers_of_wrong_types(make: Any, says: str) -> None:
    with pytest.raises(TypeError, match=re.escape(says)):
        make()


class Coroutines(CustomSlotSupplier):
    async def reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit:
        return SlotPermit()

    def try_reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit | None:
        return None

    def mark_slot_used(self, ctx: SlotMarkUsedContext) -> None: ...

    async def release_slot(self, ctx: SlotReleaseContext) -> None: ...  # type: ignore[override]


def test_methods_of_suppliers_that_nothing_would_await() -> None:
    fixed = FixedSizeSlotSupplier(2)
    with pytest.raises(TypeError, match="release_slot of Coroutines must not be an async def: nothing awaits it"):
        WorkerTuner.create_composite(
            workflow_supplier=fixed,
            activity_supplier=Coroutines(),
            local_activity_supplier=fixed,
            nexus_supplier=fixed,
        )


class Configures(Plugin):
    """Leaves what it is told instead of the configuration."""

    def __init__(self, left: Callable[[Any], Any]) -> None:
        self._left = left

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        left: WorkerConfig = self._left(config)
        return left

    async def run_worker(self, worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None: ...

    def configure_replayer(self, config: ReplayerConfig) -> ReplayerConfig:
        return config

    def run_replayer(self, replayer: Replayer, histories: Any, next: Any) -> Any: ...


@pytest.mark.parametrize(
    ("left", "says"),
    [
        (lambda config: None, "configure_worker of a plugin must return the configuration, got NoneType"),
        (lambda config: {**config, "tasks": 5}, "must leave the options of a worker, and no others: tasks"),
        (lambda config: {"client": config["client"]}, "and no others: activities, activity_executor, activity_task_"),
    ],
    ids=["nothing", "more", "less"],
)
def test_what_a_plugin_must_leave(client: Client, left: Callable[[Any], Any], says: str) -> None:
    with pytest.raises(TypeError, match=re.escape(says)):
        Worker(client, task_queue="queue", workflows=[nothing], plugins=[Configures(left)])


def test_custom_suppliers_must_have_all_methods() -> None:
    with pytest.raises(TypeError, match="abstract"):
        CustomSlotSupplier()  # type: ignore[abstract]


def test_tuners_are_made_by_class_methods() -> None:
    with pytest.raises(TypeError, match="abstract"):
        WorkerTuner()  # type: ignore[abstract]


def test_a_tuner_says_what_it_is_of() -> None:
    tuner = WorkerTuner.create_fixed(workflow_slots=2)
    assert repr(tuner).startswith("<WorkerTuner workflow=FixedSizeSlotSupplier(num_slots=2) activity=")
