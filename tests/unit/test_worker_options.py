"""Options of workers that cannot be, or do not go together: which errors say what is wrong, before anything runs."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from invincible import workflow
from invincible.client import Client
from invincible.common import WorkerDeploymentVersion
from invincible.worker import (
    CustomSlotSupplier,
    FixedSizeSlotSupplier,
    PollerBehaviorAutoscaling,
    PollerBehaviorSimpleMaximum,
    ResourceBasedSlotConfig,
    ResourceBasedSlotSupplier,
    ResourceBasedTunerConfig,
    Worker,
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
        ({"graceful_shutdown_timeout": timedelta(seconds=-1)}, "graceful_shutdown_timeout"),
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
    ],
)
def test_values_of_wrong_types(client: Client, options: dict[str, Any], says: str) -> None:
    with pytest.raises(TypeError, match=re.escape(says)):
        Worker(client, task_queue="queue", workflows=[nothing], **options)


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


def test_custom_suppliers_must_have_all_methods() -> None:
    with pytest.raises(TypeError, match="abstract"):
        CustomSlotSupplier()  # type: ignore[abstract]


def test_tuners_are_made_by_class_methods() -> None:
    with pytest.raises(TypeError, match="abstract"):
        WorkerTuner()  # type: ignore[abstract]


def test_a_tuner_says_what_it_is_of() -> None:
    tuner = WorkerTuner.create_fixed(workflow_slots=2)
    assert repr(tuner).startswith("<WorkerTuner workflow=FixedSizeSlotSupplier(num_slots=2) activity=")
