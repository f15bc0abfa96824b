"""Metrics of workers and of workflow and activity code, as Prometheus scrapes them, as an OpenTelemetry collector gets
them, and in a buffer."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from invincible import activity, workflow
from invincible.client import Client
from invincible.runtime import (
    BUFFERED_METRIC_KIND_HISTOGRAM,
    BufferedMetricUpdate,
    LogForwardingConfig,
    LoggingConfig,
    MetricBuffer,
    OpenTelemetryConfig,
    Runtime,
    TelemetryConfig,
)
from invincible.worker import Replayer, Worker
from tests.support.collector import Collector, GrpcCollector, HttpCollector
from tests.support.logs import Records
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


def recorded(updates: list[BufferedMetricUpdate], name: str) -> list[tuple[float, dict[str, object]]]:
    return [(update.value, dict(update.attributes)) for update in updates if update.metric.name == name]


@pytest.mark.parametrize("cached_workflows", [1000, 0], ids=["cached", "replayed"])
async def test_a_buffer_gets_every_value_once(address: str, task_queue: str, cached_workflows: int) -> None:
    buffer = MetricBuffer(100_000)
    runtime = Runtime(
        telemetry=TelemetryConfig(metrics=buffer, attach_service_name=False, global_tags={"team": "blue"})
    )
    client = await Client.connect(address, runtime=runtime)
    client._raise_task_failures = True
    worker = Worker(
        client,
        task_queue=task_queue,
        workflows=[Shipping],
        activities=[weigh, load],
        max_cached_workflows=cached_workflows,
    )
    async with worker:
        await client.execute_workflow(Shipping.run, "books", id=task_queue, task_queue=task_queue)
    updates = [*buffer.retrieve_updates()]
    common = {"team": "blue", "namespace": "default", "task_queue": task_queue}
    workflow_code = {**common, "workflow_type": "Shipping"}
    assert recorded(updates, "parcels_sealed") == [
        (1, {**workflow_code, "stage": "before"}),
        (2, {**workflow_code, "stage": "after"}),
    ]
    assert recorded(updates, "parcel_weights") == [(5, workflow_code)]
    assert recorded(updates, "parcels_weighed") == [(1, {**common, "activity_type": "weigh", "parcel": "books"})]
    assert recorded(updates, "truck_load") == [(1.25, {**common, "activity_type": "load"})]
    # Core's own.
    completed = [attributes for _, attributes in recorded(updates, "temporal_workflow_completed")]
    assert [attributes["workflow_type"] for attributes in completed] == ["Shipping"]
    (latency,) = {u.metric for u in updates if u.metric.name == "temporal_workflow_task_execution_latency"}
    assert (latency.kind, latency.unit) == (BUFFERED_METRIC_KIND_HISTOGRAM, "ms")


async def test_core_tells_once_of_a_buffer_that_is_full(address: str) -> None:
    records = Records()
    logger = logging.Logger("core")
    logger.addHandler(records)
    logs = LoggingConfig(filter="ERROR", forwarding=LogForwardingConfig(logger))
    runtime = Runtime(telemetry=TelemetryConfig(logging=logs, metrics=MetricBuffer(1)))
    client = await Client.connect(address, runtime=runtime)
    for _ in range(3):
        await client.count_workflows()

    def full(record: logging.LogRecord) -> bool:
        return "the metric buffer is full" in record.getMessage()

    records.wait_for(full)
    assert len([*filter(full, records.records)]) == 1


@pytest.fixture(params=[GrpcCollector, HttpCollector])
async def collector(request: pytest.FixtureRequest) -> AsyncIterator[Collector]:
    collector: Collector = request.param()
    yield collector
    collector.close()


async def test_a_collector_gets_metrics(address: str, task_queue: str, collector: Collector) -> None:
    config = OpenTelemetryConfig(
        url=collector.url,
        headers={"authorization": "Bearer secret"},
        metric_periodicity=timedelta(milliseconds=50),
        http=isinstance(collector, HttpCollector),
    )
    telemetry = TelemetryConfig(metrics=config, global_tags={"team": "blue"})
    client = await Client.connect(address, runtime=Runtime(telemetry=telemetry))
    async with Worker(client, task_queue=task_queue, workflows=[Shipping], activities=[weigh, load]):
        await client.execute_workflow(Shipping.run, "books", id=task_queue, task_queue=task_queue)
    common = {"service_name": "temporal-core-sdk", "namespace": "default", "task_queue": task_queue}
    activity_code = {**common, "activity_type": "weigh", "parcel": "books"}
    await collector.has("parcels_weighed", 1, activity_code)
    await collector.has("parcels_sealed", 2, {**common, "workflow_type": "Shipping", "stage": "after"})
    await collector.has("truck_load", 1.25, {**common, "activity_type": "load"})
    await collector.has("temporal_workflow_completed", 1, {**common, "workflow_type": "Shipping"})
    assert collector.resource["team"] == "blue"
    assert collector.metadata["authorization"] == "Bearer secret"
