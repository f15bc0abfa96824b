"""A metric meter that does not count what is replayed."""

from __future__ import annotations

from datetime import timedelta
from typing import Generic, TypeVar

from typing_extensions import Self

from invincible._engine.context import current_run, current_run_or_none
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

M = TypeVar("M", bound=MetricCommon)


def metric_meter() -> MetricMeter:
    """A meter for metrics of this workflow; what is replayed is not recorded again.

    Its metrics carry the attributes namespace, task queue and workflow type.
    """
    run = current_run()
    attributes = {
        "namespace": run.worker.namespace,
        "task_queue": run.worker.task_queue,
        "workflow_type": run.init.workflow_type,
    }
    return _ReplaySafeMeter(run.worker.metric_meter.with_additional_attributes(attributes))


def _recording() -> bool:
    run = current_run_or_none()
    return run is None or not run.is_replaying_history_events


class _ReplaySafeMeter(MetricMeter):
    def __init__(self, meter: MetricMeter) -> None:
        self._meter = meter

    def create_counter(self, name: str, description: str | None = None, unit: str | None = None) -> MetricCounter:
        return _Counter(self._meter.create_counter(name, description, unit))

    def create_histogram(self, name: str, description: str | None = None, unit: str | None = None) -> MetricHistogram:
        return _Histogram(self._meter.create_histogram(name, description, unit))

    def create_histogram_float(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricHistogramFloat:
        return _HistogramFloat(self._meter.create_histogram_float(name, description, unit))

    def create_histogram_timedelta(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricHistogramTimedelta:
        return _HistogramTimedelta(self._meter.create_histogram_timedelta(name, description, unit))

    def create_gauge(self, name: str, description: str | None = None, unit: str | None = None) -> MetricGauge:
        return _Gauge(self._meter.create_gauge(name, description, unit))

    def create_gauge_float(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricGaugeFloat:
        return _GaugeFloat(self._meter.create_gauge_float(name, description, unit))

    def with_additional_attributes(self, additional_attributes: MetricAttributes) -> MetricMeter:
        return _ReplaySafeMeter(self._meter.with_additional_attributes(additional_attributes))


class _ReplaySafe(MetricCommon, Generic[M]):
    def __init__(self, metric: M) -> None:
        self._metric = metric

    @property
    def name(self) -> str:
        return self._metric.name

    @property
    def description(self) -> str | None:
        return self._metric.description

    @property
    def unit(self) -> str | None:
        return self._metric.unit

    def with_additional_attributes(self, additional_attributes: MetricAttributes) -> Self:
        return type(self)(self._metric.with_additional_attributes(additional_attributes))


class _Counter(_ReplaySafe[MetricCounter], MetricCounter):
    def add(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        if _recording():
            self._metric.add(value, additional_attributes)


class _Histogram(_ReplaySafe[MetricHistogram], MetricHistogram):
    def record(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        if _recording():
            self._metric.record(value, additional_attributes)


class _HistogramFloat(_ReplaySafe[MetricHistogramFloat], MetricHistogramFloat):
    def record(self, value: float, additional_attributes: MetricAttributes | None = None) -> None:
        if _recording():
            self._metric.record(value, additional_attributes)


class _HistogramTimedelta(_ReplaySafe[MetricHistogramTimedelta], MetricHistogramTimedelta):
    def record(self, value: timedelta, additional_attributes: MetricAttributes | None = None) -> None:
        if _recording():
            self._metric.record(value, additional_attributes)


class _Gauge(_ReplaySafe[MetricGauge], MetricGauge):
    def set(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        if _recording():
            self._metric.set(value, additional_attributes)


class _GaugeFloat(_ReplaySafe[MetricGaugeFloat], MetricGaugeFloat):
    def set(self, value: float, additional_attributes: MetricAttributes | None = None) -> None:
        if _recording():
            self._metric.set(value, additional_attributes)
