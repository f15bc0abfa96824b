"""The meter of workflow code: what is replayed is not counted again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest

from invincible import workflow
from invincible.common import (
    MetricCounter,
    MetricGauge,
    MetricGaugeFloat,
    MetricHistogram,
    MetricHistogramFloat,
    MetricHistogramTimedelta,
    MetricMeter,
)
from tests.support.engine import Driver

# How each kind is made, what it is, and how it takes a value.
KINDS: dict[str, tuple[Any, str, Any]] = {
    "create_counter": (MetricCounter, "add", 1),
    "create_histogram": (MetricHistogram, "record", 2),
    "create_histogram_float": (MetricHistogramFloat, "record", 2.5),
    "create_histogram_timedelta": (MetricHistogramTimedelta, "record", timedelta(seconds=2)),
    "create_gauge": (MetricGauge, "set", 3),
    "create_gauge_float": (MetricGaugeFloat, "set", 3.5),
}


@pytest.fixture
def meter() -> Any:
    meter = mock.create_autospec(MetricMeter, instance=True)
    meter.with_additional_attributes.return_value = meter
    return meter


def run(meter: Any, body: Callable[[MetricMeter], None], **fields: Any) -> None:
    @workflow.defn
    async def measured() -> None:
        body(workflow.metric_meter())

    Driver(measured, metric_meter=meter).start(**fields)


def test_metrics_carry_the_attributes_of_the_run(meter: Any) -> None:
    run(meter, lambda own: None)
    meter.with_additional_attributes.assert_called_once_with(
        {"namespace": "default", "task_queue": "engine", "workflow_type": "measured"}
    )


@pytest.mark.parametrize("create", KINDS)
def test_each_kind_is_made_and_recorded_on_the_workers_meter(create: str, meter: Any) -> None:
    kind, method, number = KINDS[create]
    made = getattr(meter, create).return_value
    made.configure_mock(unit="items", description="What it is")
    made.name = "name"

    def body(own: MetricMeter) -> None:
        metric = getattr(own, create)("name", "What it is", "items")
        assert isinstance(metric, kind)
        assert (metric.name, metric.description, metric.unit) == ("name", "What it is", "items")
        getattr(metric, method)(number)
        getattr(metric, method)(number, {"extra": "x"})

    run(meter, body)
    getattr(meter, create).assert_called_once_with("name", "What it is", "items")
    assert getattr(made, method).mock_calls == [mock.call(number, None), mock.call(number, {"extra": "x"})]


@pytest.mark.parametrize("create", KINDS)
def test_nothing_is_recorded_on_replay(create: str, meter: Any) -> None:
    _, method, number = KINDS[create]
    run(meter, lambda own: getattr(getattr(own, create)("name"), method)(number), is_replaying=True)
    getattr(getattr(meter, create).return_value, method).assert_not_called()


def test_queries_are_counted_though_they_come_as_replay(meter: Any) -> None:
    @workflow.defn
    class Queried:
        @workflow.run
        async def run(self) -> None:
            await workflow.sleep(60)

        @workflow.query
        def state(self) -> None:
            workflow.metric_meter().create_counter("queries").add(1)

    driver = Driver(Queried, metric_meter=meter)
    driver.start()
    assert driver.query("state").failure is None
    meter.create_counter.return_value.add.assert_called_once_with(1, None)


def test_attributes_can_be_added_to_meter_and_metric(meter: Any) -> None:
    def body(own: MetricMeter) -> None:
        counter = own.with_additional_attributes({"a": 1}).create_counter("name")
        counter.with_additional_attributes({"b": 2}).add(1)

    run(meter, body)
    assert mock.call({"a": 1}) in meter.with_additional_attributes.mock_calls
    counter = meter.create_counter.return_value
    counter.with_additional_attributes.assert_called_once_with({"b": 2})
    counter.with_additional_attributes.return_value.add.assert_called_once_with(1, None)


def test_a_metric_that_outlives_the_workflow_still_records(meter: Any) -> None:
    kept: list[Any] = []
    run(meter, lambda own: kept.append(own.create_counter("name")), is_replaying=True)
    kept[0].add(1)
    meter.create_counter.return_value.add.assert_called_once_with(1, None)
