"""Metrics of activities in other processes: recorded by their worker, as there is one registry and one exporter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from typing_extensions import Self

from invincible.common import (
    MetricAttributes,
    MetricCommon,
    MetricCounter,
    MetricGauge,
    MetricGaugeFloat,
    MetricHistogram,
    MetricHistogramFloat,
    MetricHistogramTimedelta,
    MetricMeter,
)


@dataclass(frozen=True)
class Measurement:
    """A value of a metric.

    Args:
        create: Name of the method of a meter that makes the metric.
        metric: Arguments for it: name, description, unit.
        value: The value.
        attributes: Attributes of the value.
    """

    create: str
    metric: tuple[str, str | None, str | None]
    value: Any
    attributes: MetricAttributes


def record(meter: MetricMeter, measurement: Measurement) -> None:
    """Record what a :class:`RemoteMeter` has sent."""
    metric = getattr(meter, measurement.create)(*measurement.metric)
    method = getattr(metric, "add", None) or getattr(metric, "record", None) or metric.set
    method(measurement.value, measurement.attributes)


class RemoteMeter(MetricMeter):
    """Makes metrics whose values are sent to the worker.

    Args:
        send: Sends a value.
        attributes: Attributes of all values.
    """

    def __init__(self, send: Callable[[Measurement], None], attributes: MetricAttributes | None = None) -> None:
        self._send = send
        self._attributes = attributes or {}

    def create_counter(self, name: str, description: str | None = None, unit: str | None = None) -> MetricCounter:
        return _Counter(self._send, "create_counter", (name, description, unit), self._attributes)

    def create_histogram(self, name: str, description: str | None = None, unit: str | None = None) -> MetricHistogram:
        return _Histogram(self._send, "create_histogram", (name, description, unit), self._attributes)

    def create_histogram_float(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricHistogramFloat:
        return _HistogramFloat(self._send, "create_histogram_float", (name, description, unit), self._attributes)

    def create_histogram_timedelta(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricHistogramTimedelta:
        metric = (name, description, unit)
        return _HistogramTimedelta(self._send, "create_histogram_timedelta", metric, self._attributes)

    def create_gauge(self, name: str, description: str | None = None, unit: str | None = None) -> MetricGauge:
        return _Gauge(self._send, "create_gauge", (name, description, unit), self._attributes)

    def create_gauge_float(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricGaugeFloat:
        return _GaugeFloat(self._send, "create_gauge_float", (name, description, unit), self._attributes)

    def with_additional_attributes(self, additional_attributes: MetricAttributes) -> MetricMeter:
        return RemoteMeter(self._send, {**self._attributes, **additional_attributes})


class _Metric(MetricCommon):
    def __init__(
        self,
        send: Callable[[Measurement], None],
        create: str,
        metric: tuple[str, str | None, str | None],
        attributes: MetricAttributes,
    ) -> None:
        self._send = send
        self._create = create
        self._metric = metric
        self._attributes = attributes

    @property
    def name(self) -> str:
        return self._metric[0]

    @property
    def description(self) -> str | None:
        return self._metric[1]

    @property
    def unit(self) -> str | None:
        return self._metric[2]

    def with_additional_attributes(self, additional_attributes: MetricAttributes) -> Self:
        return type(self)(self._send, self._create, self._metric, {**self._attributes, **additional_attributes})

    def _tell(self, value: Any, additional: MetricAttributes | None, zero: Any = 0) -> None:
        if value < zero:
            raise ValueError(f"a value of metric {self.name!r} must not be negative, got {value}")
        self._send(Measurement(self._create, self._metric, value, {**self._attributes, **(additional or {})}))


class _Counter(_Metric, MetricCounter):
    def add(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        self._tell(value, additional_attributes)


class _Histogram(_Metric, MetricHistogram):
    def record(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        self._tell(value, additional_attributes)


class _HistogramFloat(_Metric, MetricHistogramFloat):
    def record(self, value: float, additional_attributes: MetricAttributes | None = None) -> None:
        self._tell(value, additional_attributes)


class _HistogramTimedelta(_Metric, MetricHistogramTimedelta):
    def record(self, value: timedelta, additional_attributes: MetricAttributes | None = None) -> None:
        self._tell(value, additional_attributes, timedelta())


class _Gauge(_Metric, MetricGauge):
    def set(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        self._tell(value, additional_attributes)


class _GaugeFloat(_Metric, MetricGaugeFloat):
    def set(self, value: float, additional_attributes: MetricAttributes | None = None) -> None:
        self._tell(value, additional_attributes)
