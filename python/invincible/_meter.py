"""The metric meter of a runtime: metrics of programs, exported together with Core's."""

from __future__ import annotations

from datetime import timedelta
from typing import Generic, Protocol, TypeVar

from typing_extensions import Self

from . import _native
from .common import (
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


class _NativeMetric(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str | None: ...
    @property
    def unit(self) -> str | None: ...
    def with_additional_attributes(self, additional_attributes: MetricAttributes) -> Self: ...


Native = TypeVar("Native", bound=_NativeMetric)


def metric_meter(runtime: _native.Runtime) -> MetricMeter:
    """The meter of a runtime; one that records nothing if the runtime exports no metrics."""
    meter = runtime.metric_meter()
    return MetricMeter.noop if meter is None else _Meter(meter)


class _Meter(MetricMeter):
    def __init__(self, native: _native.MetricMeter) -> None:
        self._native = native

    def create_counter(self, name: str, description: str | None = None, unit: str | None = None) -> MetricCounter:
        return _Counter(self._native.create_counter(name, description, unit))

    def create_histogram(self, name: str, description: str | None = None, unit: str | None = None) -> MetricHistogram:
        return _Histogram(self._native.create_histogram(name, description, unit))

    def create_histogram_float(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricHistogramFloat:
        return _HistogramFloat(self._native.create_histogram_float(name, description, unit))

    def create_histogram_timedelta(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricHistogramTimedelta:
        return _HistogramTimedelta(self._native.create_histogram_timedelta(name, description, unit))

    def create_gauge(self, name: str, description: str | None = None, unit: str | None = None) -> MetricGauge:
        return _Gauge(self._native.create_gauge(name, description, unit))

    def create_gauge_float(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricGaugeFloat:
        return _GaugeFloat(self._native.create_gauge_float(name, description, unit))

    def with_additional_attributes(self, additional_attributes: MetricAttributes) -> MetricMeter:
        return _Meter(self._native.with_additional_attributes(additional_attributes))


class _Metric(MetricCommon, Generic[Native]):
    def __init__(self, native: Native) -> None:
        self._native = native

    @property
    def name(self) -> str:
        return self._native.name

    @property
    def description(self) -> str | None:
        return self._native.description

    @property
    def unit(self) -> str | None:
        return self._native.unit

    def with_additional_attributes(self, additional_attributes: MetricAttributes) -> Self:
        return type(self)(self._native.with_additional_attributes(additional_attributes))


class _Counter(_Metric[_native.MetricCounter], MetricCounter):
    def add(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        self._native.add(value, additional_attributes)


class _Histogram(_Metric[_native.MetricHistogram], MetricHistogram):
    def record(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        self._native.record(value, additional_attributes)


class _HistogramFloat(_Metric[_native.MetricHistogramFloat], MetricHistogramFloat):
    def record(self, value: float, additional_attributes: MetricAttributes | None = None) -> None:
        self._native.record(value, additional_attributes)


class _HistogramTimedelta(_Metric[_native.MetricHistogramTimedelta], MetricHistogramTimedelta):
    def record(self, value: timedelta, additional_attributes: MetricAttributes | None = None) -> None:
        self._native.record(value, additional_attributes)


class _Gauge(_Metric[_native.MetricGauge], MetricGauge):
    def set(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        self._native.set(value, additional_attributes)


class _GaugeFloat(_Metric[_native.MetricGaugeFloat], MetricGaugeFloat):
    def set(self, value: float, additional_attributes: MetricAttributes | None = None) -> None:
        self._native.set(value, additional_attributes)
