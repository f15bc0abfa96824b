"""Metrics that workflow and activity code records, as Prometheus scrapes them from the worker's runtime."""

from __future__ import annotations

from datetime import timedelta

import pytest

from invincible import activity, workflow
from invincible.client import Client
from invincible.worker import Replayer, Worker
from tests.support.metrics import Prometheus


@activity.defn(start_to_close_timeout=timedelta(seconds=10))
async def weigh(parcel: str) -> int:
    activity.metric_meter().create_counter("parcels_weighed").add(1, {"parcel": parcel})
    return len(parcel)


@activity.defn(start_to_close_timeout=timedelta(seconds=10))
def load(parcel: str) -> None:
    activity.metric_meter().create_gauge_float("truck_load").set(len(parcel) / 4)


@workflow.defn
class Shipping:
    def __init__(self) -> None:
        self._sealed = workflow.metric_meter().create_counter("parcels_sealed")
        self._questions = workflow.metric_meter().create_counter("questions")

    @workflow.run
    async def run(self, parcel: str) -> None:
        self._sealed.add(1, {"stage": "before"})
        weight = await weigh.execute(parcel)
        workflow.metric_meter().create_histogram("parcel_weights").record(weight)
        await workflow.sleep(0.01)
        self._sealed.add(2, {"stage": "after"})
        await load.execute(parcel)

    @workflow.query
    def asked(self) -> None:
        self._questions.add(1)


@pytest.fixture
def prometheus() -> Prometheus:
    return Prometheus()


@pytest.fixture
async def measured(address: str, prometheus: Prometheus) -> Client:
    """A client whose workers record metrics."""
    client = await Client.connect(address, runtime=prometheus.runtime)
    client._raise_task_failures = True
    return client


@pytest.mark.parametrize("cached_workflows", [1000, 0], ids=["cached", "replayed"])
async def test_workflow_code_records_each_value_once(
    measured: Client, prometheus: Prometheus, task_queue: str, cached_workflows: int
) -> None:
    worker = Worker(
        measured,
        task_queue=task_queue,
        workflows=[Shipping],
        activities=[weigh, load],
        max_cached_workflows=cached_workflows,
    )
    async with worker:
        handle = await measured.start_workflow(Shipping.run, "books", id=task_queue, task_queue=task_queue)
        await handle.result()
        # Answered by replaying the whole run where it is not cached.
        await handle.query(Shipping.asked)
    common = {"namespace": "default", "task_queue": task_queue, "workflow_type": "Shipping"}
    assert prometheus.value("parcels_sealed", **common, stage="before") == 1
    assert prometheus.value("parcels_sealed", **common, stage="after") == 2
    assert prometheus.value("parcel_weights_count", **common) == 1
    assert prometheus.value("parcel_weights_sum", **common) == 5
    assert prometheus.value("questions", **common) == 1


async def test_activities_record_with_their_own_attributes(
    measured: Client, prometheus: Prometheus, task_queue: str
) -> None:
    async with Worker(measured, task_queue=task_queue, workflows=[Shipping], activities=[weigh, load]):
        await measured.execute_workflow(Shipping.run, "books", id=task_queue, task_queue=task_queue)
    common = {"namespace": "default", "task_queue": task_queue}
    assert prometheus.value("parcels_weighed", **common, activity_type="weigh", parcel="books") == 1
    assert prometheus.value("truck_load", **common, activity_type="load") == 1.25


async def test_a_replayer_records_nothing(measured: Client, prometheus: Prometheus, task_queue: str) -> None:
    async with Worker(measured, task_queue=task_queue, workflows=[Shipping], activities=[weigh, load]):
        handle = await measured.start_workflow(Shipping.run, "books", id=task_queue, task_queue=task_queue)
        await handle.result()
    before = prometheus.samples("parcels_sealed")
    await Replayer(workflows=[Shipping], runtime=prometheus.runtime).replay_workflow(await handle.fetch_history())
    assert prometheus.samples("parcels_sealed") == before


async def test_without_metrics_code_that_records_them_works(client: Client, task_queue: str) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[Shipping], activities=[weigh, load]):
        await client.execute_workflow(Shipping.run, "books", id=task_queue, task_queue=task_queue)


def test_there_is_no_meter_outside_of_activities() -> None:
    with pytest.raises(RuntimeError, match="works in activity code only"):
        activity.metric_meter()
