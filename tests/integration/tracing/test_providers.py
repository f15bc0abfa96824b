"""Meters and loggers of OpenTelemetry in workflow code, and Core's metrics by way of OpenTelemetry's SDK."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from opentelemetry._logs import SeverityNumber
from opentelemetry.metrics import MeterProvider as AnyMeterProvider
from opentelemetry.metrics import Observation
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from invincible import workflow
from invincible.client import Client
from invincible.contrib.opentelemetry import MetricsExporter, ReplaySafeLoggerProvider, ReplaySafeMeterProvider
from invincible.runtime import MetricBuffer, Runtime, TelemetryConfig
from invincible.worker import Worker
from tests.support.conditions import eventually

reader = InMemoryMetricReader()
meters = ReplaySafeMeterProvider(MeterProvider(metric_readers=[reader], shutdown_on_exit=False))
meter = meters.get_meter("test")
steps = meter.create_counter("steps")
open_steps = meter.create_up_down_counter("open_steps")
sizes = meter.create_histogram("sizes", explicit_bucket_boundaries_advisory=[1.0, 2.0])
level = meter.create_gauge("level")
meter.create_observable_counter("observed", [lambda options: [Observation(7)]])

written = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
loggers = LoggerProvider(shutdown_on_exit=False)
loggers.add_log_record_processor(SimpleLogRecordProcessor(written))
logger = ReplaySafeLoggerProvider(loggers).get_logger("test")


@workflow.defn
class Counting:
    def __init__(self) -> None:
        self.done = False

    @workflow.run
    async def run(self, who: str) -> None:
        for step in range(3):
            steps.add(1, {"who": who})
            open_steps.add(1, {"who": who})
            sizes.record(step, {"who": who})
            level.set(step, {"who": who})
            logger.emit(body=f"{who} {step}", severity_number=SeverityNumber.INFO)
            await workflow.sleep(0.01)
        await workflow.wait_condition(lambda: self.done)

    @workflow.signal
    def finish(self) -> None:
        self.done = True

    @workflow.query
    def ask(self, who: str) -> bool:
        steps.add(10, {"who": who})
        return logger.enabled(severity_number=SeverityNumber.INFO)


def points(reader: InMemoryMetricReader, name: str, **attributes: str) -> list[Any]:
    data = reader.get_metrics_data()
    metrics = [
        metric
        for resource in (data.resource_metrics if data is not None else ())
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == name
    ]
    return [
        point
        for metric in metrics
        for point in metric.data.data_points
        if attributes.items() <= dict(point.attributes or {}).items()
    ]


@pytest.mark.parametrize("cached_workflows", [1000, 0], ids=["cached", "replayed"])
async def test_what_is_replayed_neither_counts_nor_is_emitted(
    client: Client, task_queue: str, cached_workflows: int
) -> None:
    worker = Worker(client, task_queue=task_queue, workflows=[Counting], max_cached_workflows=cached_workflows)
    async with worker:
        handle = await client.start_workflow(Counting.run, task_queue, id=task_queue, task_queue=task_queue)

        async def waits() -> bool:
            return len(bodies(task_queue)) == 3

        await eventually(waits, what="three records")
        assert await handle.query(Counting.ask, task_queue) is True
        await handle.signal(Counting.finish)
        await handle.result()
    assert [point.value for point in points(reader, "steps", who=task_queue)] == [13]
    assert [point.value for point in points(reader, "open_steps", who=task_queue)] == [3]
    (histogram,) = points(reader, "sizes", who=task_queue)
    assert (histogram.count, histogram.sum, histogram.bucket_counts) == (3, 3, (2, 1, 0))
    assert [point.value for point in points(reader, "level", who=task_queue)] == [2]
    assert [point.value for point in points(reader, "observed")] == [7]
    assert bodies(task_queue) == [f"{task_queue} {step}" for step in range(3)]


def bodies(who: str) -> Sequence[str]:
    texts = [str(record.log_record.body) for record in written.get_finished_logs()]
    return [text for text in texts if text.startswith(who)]


def test_providers_can_be_flushed_and_shut_down() -> None:
    provider = ReplaySafeMeterProvider(MeterProvider(metric_readers=[InMemoryMetricReader()]))
    assert isinstance(provider, AnyMeterProvider)
    assert provider.force_flush()
    provider.shutdown()


async def test_core_s_metrics_reach_the_sdk(address: str, task_queue: str) -> None:
    buffer = MetricBuffer(100_000)
    reader = InMemoryMetricReader()
    exporter = MetricsExporter(
        buffer, MeterProvider(metric_readers=[reader], shutdown_on_exit=False), poll_interval=timedelta(milliseconds=20)
    )
    runtime = Runtime(telemetry=TelemetryConfig(metrics=buffer, attach_service_name=False))
    exporting = asyncio.create_task(exporter.run())
    client = await Client.connect(address, runtime=runtime)
    async with Worker(client, task_queue=task_queue, workflows=[Counting]):
        handle = await client.start_workflow(Counting.run, task_queue, id=task_queue, task_queue=task_queue)
        await handle.signal(Counting.finish)
        await handle.result()
    runtime.metric_meter.create_gauge_float("load").set(0.5)
    with pytest.raises(RuntimeError, match="runs already"):
        await exporter.run()
    await exporter.shutdown()
    await asyncio.wait_for(exporting, 10)
    common = {"namespace": "default", "task_queue": task_queue, "workflow_type": "Counting"}
    assert [point.value for point in points(reader, "temporal_workflow_completed", **common)] == [1]
    (latency,) = points(reader, "temporal_workflow_endtoend_latency", **common)
    assert latency.count == 1
    assert [point.value for point in points(reader, "load")] == [0.5]


async def test_an_exporter_that_is_cancelled_exports_what_there_is() -> None:
    buffer = MetricBuffer(100)
    reader = InMemoryMetricReader()
    exporter = MetricsExporter(buffer, MeterProvider(metric_readers=[reader], shutdown_on_exit=False))
    with pytest.raises(RuntimeError, match="no runtime uses this metric buffer"):
        await exporter.run()
    runtime = Runtime(telemetry=TelemetryConfig(logging=None, metrics=buffer))
    exporting = asyncio.create_task(exporter.run())
    await asyncio.sleep(0)
    runtime.metric_meter.create_counter("orders").add(3)
    exporting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await exporting
    assert [point.value for point in points(reader, "orders")] == [3]


async def test_an_exporter_that_is_shut_down_before_it_begins_does_not_go_on() -> None:
    buffer = MetricBuffer(100)
    reader = InMemoryMetricReader()
    exporter = MetricsExporter(buffer, MeterProvider(metric_readers=[reader], shutdown_on_exit=False))
    runtime = Runtime(telemetry=TelemetryConfig(logging=None, metrics=buffer))
    runtime.metric_meter.create_counter("orders").add(3)
    exporting = asyncio.create_task(exporter.run())
    await exporter.shutdown()
    await asyncio.wait_for(exporting, 10)
    assert [point.value for point in points(reader, "orders")] == [3]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"buffer": None}, TypeError, "buffer must be a MetricBuffer, got NoneType"),
        ({"poll_interval": 1.0}, TypeError, "poll_interval must be a timedelta, got float"),
        ({"poll_interval": timedelta(0)}, ValueError, "poll_interval must be positive, got 0:00:00"),
    ],
)
def test_what_no_exporter_can_do_is_refused(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{message}$"):
        MetricsExporter(**{"buffer": MetricBuffer(1), **arguments})


async def test_errors_of_the_exporter_are_told(caplog: pytest.LogCaptureFixture) -> None:
    buffer = MetricBuffer(100)
    told: list[Exception] = []

    def tell(error: Exception) -> None:
        told.append(error)
        raise RuntimeError("and once more")

    class Refusing(MeterProvider):
        def get_meter(self, *arguments: Any, **options: Any) -> Any:
            class Meter:
                def create_counter(self, *arguments: Any) -> Any:
                    raise ValueError("no counters")

            return Meter()

    exporter = MetricsExporter(buffer, Refusing(shutdown_on_exit=False), on_error=tell)
    runtime = Runtime(telemetry=TelemetryConfig(logging=None, metrics=buffer))
    runtime.metric_meter.create_counter("orders").add(3)
    exporting = asyncio.create_task(exporter.run())
    await asyncio.sleep(0)
    await exporter.shutdown()
    await exporting
    assert [str(error) for error in told] == ["no counters"]
    assert caplog.messages == ["could not export metric 'orders'", "on_error has failed"]
