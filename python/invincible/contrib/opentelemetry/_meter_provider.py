"""Instruments that workflow code may use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from opentelemetry.metrics import (
    Counter,
    Histogram,
    Meter,
    MeterProvider,
    ObservableCounter,
    ObservableGauge,
    ObservableUpDownCounter,
    UpDownCounter,
)
from opentelemetry.metrics import _Gauge as Gauge
from opentelemetry.util.types import Attributes

from ._replay import is_replayed, unguarded

T = TypeVar("T")


class ReplaySafeMeterProvider(MeterProvider):
    """Makes instruments that do not count what workflow code records when it is replayed.

    Queries and update validators are not replayed: they count. So does everything outside of workflow code, and what
    observable instruments observe.

    Args:
        meter_provider: Makes the instruments.

    Example:
        opentelemetry.metrics.set_meter_provider(ReplaySafeMeterProvider(provider))
    """

    def __init__(self, meter_provider: MeterProvider) -> None:
        """Wraps a provider."""
        self._provider = meter_provider

    def get_meter(
        self,
        name: str,
        version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes | None = None,
    ) -> Meter:
        """A meter for workflow code and any other."""
        return _Meter(self._provider.get_meter(name, version, schema_url, attributes))

    def __getattr__(self, name: str) -> Any:
        # What the SDK's providers have besides: force_flush, shutdown.
        return getattr(self._provider, name)


class _Meter(Meter):
    def __init__(self, meter: Meter) -> None:
        super().__init__(meter.name, meter.version, meter.schema_url)
        self._meter = meter

    def create_counter(self, name: str, unit: str = "", description: str = "") -> Counter:
        return _Counter(self._meter.create_counter(name, unit, description))

    def create_up_down_counter(self, name: str, unit: str = "", description: str = "") -> UpDownCounter:
        return _UpDownCounter(self._meter.create_up_down_counter(name, unit, description))

    def create_histogram(self, name: str, unit: str = "", description: str = "", **options: Any) -> Histogram:
        return _Histogram(self._meter.create_histogram(name, unit, description, **options))

    def create_gauge(self, name: str, unit: str = "", description: str = "") -> Gauge:
        return _ReplaySafeGauge(self._meter.create_gauge(name, unit, description))

    def create_observable_counter(
        self, name: str, callbacks: Sequence[Any] | None = None, unit: str = "", description: str = ""
    ) -> ObservableCounter:
        return self._meter.create_observable_counter(name, callbacks, unit, description)

    def create_observable_up_down_counter(
        self, name: str, callbacks: Sequence[Any] | None = None, unit: str = "", description: str = ""
    ) -> ObservableUpDownCounter:
        return self._meter.create_observable_up_down_counter(name, callbacks, unit, description)

    def create_observable_gauge(
        self, name: str, callbacks: Sequence[Any] | None = None, unit: str = "", description: str = ""
    ) -> ObservableGauge:
        return self._meter.create_observable_gauge(name, callbacks, unit, description)


class _Wrapped(Generic[T]):
    def __init__(self, instrument: T) -> None:
        self._instrument = instrument


class _Counter(_Wrapped[Counter], Counter):
    def add(self, amount: float, *arguments: Any, **options: Any) -> None:
        if not is_replayed():
            with unguarded():
                self._instrument.add(amount, *arguments, **options)


class _UpDownCounter(_Wrapped[UpDownCounter], UpDownCounter):
    def add(self, amount: float, *arguments: Any, **options: Any) -> None:
        if not is_replayed():
            with unguarded():
                self._instrument.add(amount, *arguments, **options)


class _Histogram(_Wrapped[Histogram], Histogram):
    def record(self, amount: float, *arguments: Any, **options: Any) -> None:
        if not is_replayed():
            with unguarded():
                self._instrument.record(amount, *arguments, **options)


class _ReplaySafeGauge(_Wrapped[Gauge], Gauge):
    def set(self, amount: float, *arguments: Any, **options: Any) -> None:
        if not is_replayed():
            with unguarded():
                self._instrument.set(amount, *arguments, **options)
