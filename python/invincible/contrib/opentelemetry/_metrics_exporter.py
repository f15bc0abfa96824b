"""Core's metrics by way of OpenTelemetry's SDK for Python."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta

from opentelemetry import metrics
from opentelemetry.metrics import MeterProvider

from invincible.runtime import (
    BUFFERED_METRIC_KIND_COUNTER,
    BUFFERED_METRIC_KIND_GAUGE,
    BufferedMetric,
    BufferedMetricUpdate,
    MetricBuffer,
)

_logger = logging.getLogger("invincible.contrib.opentelemetry")


class MetricsExporter:
    """Hands what a metric buffer keeps to instruments of OpenTelemetry, as long as :meth:`run` runs.

    For programs whose other metrics go through the SDK for Python already, with its readers, views and resource. Core's
    own exporter, ``OpenTelemetryConfig``, costs less.

    Args:
        buffer: The ``metrics`` of a runtime.
        meter_provider: Makes the instruments; the global one if ``None``.
        meter_name: Name of the meter.
        meter_version: Version of the meter.
        poll_interval: How often the buffer is emptied.
        on_error: Called with what was raised, which is logged besides.

    Raises:
        TypeError: An argument is of another type.
        ValueError: ``poll_interval`` is not positive.

    Example:
        exporter = MetricsExporter(buffer)
        exporting = asyncio.create_task(exporter.run())
        ...
        await exporter.shutdown()
    """

    def __init__(
        self,
        buffer: MetricBuffer,
        meter_provider: MeterProvider | None = None,
        *,
        meter_name: str = "temporalio",
        meter_version: str | None = None,
        poll_interval: timedelta = timedelta(seconds=1),
        on_error: Callable[[Exception], None] | None = None,
    ) -> None:
        """Exports nothing yet."""
        if not isinstance(buffer, MetricBuffer):
            raise TypeError(f"buffer must be a MetricBuffer, got {type(buffer).__name__}")
        if not isinstance(poll_interval, timedelta):
            raise TypeError(f"poll_interval must be a timedelta, got {type(poll_interval).__name__}")
        if poll_interval <= timedelta(0):
            raise ValueError(f"poll_interval must be positive, got {poll_interval}")
        provider = metrics.get_meter_provider() if meter_provider is None else meter_provider
        self._buffer = buffer
        self._meter = provider.get_meter(meter_name, meter_version)
        self._poll_interval = poll_interval.total_seconds()
        self._on_error = on_error
        self._record: dict[tuple[str, int], Callable[[BufferedMetricUpdate], None]] = {}
        self._running = False
        self._stopping = asyncio.Event()
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        """Exports until :meth:`shutdown`; if it is cancelled, what the buffer still has is exported first.

        Raises:
            RuntimeError: No runtime uses the buffer, or the exporter runs already.
        """
        if self._running:
            raise RuntimeError("this exporter runs already")
        self._export(self._buffer.retrieve_updates())
        self._running = True
        self._stopped.clear()
        try:
            while not self._stopping.is_set():
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), self._poll_interval)
                self._drain()
        finally:
            self._drain()
            self._running = False
            self._stopped.set()

    async def shutdown(self) -> None:
        """Exports what the buffer still has, and ends :meth:`run`, for good: also if it is yet to begin."""
        self._stopping.set()
        if self._running:
            await self._stopped.wait()

    def _drain(self) -> None:
        try:
            updates = self._buffer.retrieve_updates()
        except Exception as error:
            self._failed("could not retrieve metrics", error)
        else:
            self._export(updates)

    def _export(self, updates: Sequence[BufferedMetricUpdate]) -> None:
        for update in updates:
            try:
                self._instrument(update.metric)(update)
            except Exception as error:
                self._failed(f"could not export metric {update.metric.name!r}", error)

    def _instrument(self, metric: BufferedMetric) -> Callable[[BufferedMetricUpdate], None]:
        key = (metric.name, metric.kind)
        if key not in self._record:
            self._record[key] = self._create(metric)
        return self._record[key]

    def _create(self, metric: BufferedMetric) -> Callable[[BufferedMetricUpdate], None]:
        about = (metric.name, metric.unit or "", metric.description or "")
        if metric.kind == BUFFERED_METRIC_KIND_COUNTER:
            counter = self._meter.create_counter(*about)
            return lambda update: counter.add(update.value, update.attributes)
        if metric.kind == BUFFERED_METRIC_KIND_GAUGE:
            gauge = self._meter.create_gauge(*about)
            return lambda update: gauge.set(update.value, update.attributes)
        histogram = self._meter.create_histogram(*about)
        return lambda update: histogram.record(update.value, update.attributes)

    def _failed(self, what: str, error: Exception) -> None:
        _logger.error(what, exc_info=error)
        if self._on_error is not None:
            try:
                self._on_error(error)
            except Exception:
                _logger.exception("on_error has failed")
