"""Metrics kept for the program to fetch, in place of an exporter."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import NewType, Protocol, cast

from . import _native
from .common import MetricAttributes

BufferedMetricKind = NewType("BufferedMetricKind", int)
"""Kind of a buffered metric."""

BUFFERED_METRIC_KIND_COUNTER = BufferedMetricKind(0)
"""Updates add to a counter."""
BUFFERED_METRIC_KIND_GAUGE = BufferedMetricKind(1)
"""Updates set a gauge."""
BUFFERED_METRIC_KIND_HISTOGRAM = BufferedMetricKind(2)
"""Updates are recorded in a histogram."""

_logger = logging.getLogger("invincible.runtime")


class MetricBufferDurationFormat(Enum):
    """What durations in a :class:`MetricBuffer` are."""

    MILLISECONDS = 1
    """Whole milliseconds, an ``int``."""
    SECONDS = 2
    """Seconds with a fraction, a ``float``."""


class BufferedMetric(Protocol):
    """A metric of a :class:`MetricBuffer`, the same object in all of its updates."""

    @property
    def name(self) -> str:
        """Name of the metric, with its prefix if it is one of Core's."""
        ...

    @property
    def description(self) -> str | None:
        """Description of the metric, if it has one."""
        ...

    @property
    def unit(self) -> str | None:
        """Unit of the metric, if it has one; ``ms`` or ``s`` for durations."""
        ...

    @property
    def kind(self) -> BufferedMetricKind:
        """``BUFFERED_METRIC_KIND_COUNTER``, ``BUFFERED_METRIC_KIND_GAUGE`` or ``BUFFERED_METRIC_KIND_HISTOGRAM``."""
        ...


class BufferedMetricUpdate(Protocol):
    """One value of a metric."""

    @property
    def metric(self) -> BufferedMetric:
        """The metric."""
        ...

    @property
    def value(self) -> int | float:
        """What was added to a counter, set on a gauge or recorded in a histogram."""
        ...

    @property
    def attributes(self) -> MetricAttributes:
        """Attributes of the value, a dict that updates share: do not change it."""
        ...


class MetricBuffer:
    """Keeps every update of the metrics of a runtime until the program fetches it.

    What comes while the buffer is full is dropped. This is an error in Core's log, once, and a warning of the logger
    ``invincible.runtime`` with the number of lost updates at the next :meth:`retrieve_updates`. A worker
    makes some 30 updates for a workflow task and its activity.

    Args:
        buffer_size: How many updates there is room for.
        duration_format: What durations are.

    Raises:
        TypeError: An argument is of another type.
        ValueError: The size is not positive.

    Example:
        buffer = MetricBuffer(100_000)
        Runtime.set_default(Runtime(telemetry=TelemetryConfig(metrics=buffer)))
        ...
        for update in buffer.retrieve_updates():
            print(update.metric.name, update.value, update.attributes)
    """

    def __init__(
        self,
        buffer_size: int,
        duration_format: MetricBufferDurationFormat = MetricBufferDurationFormat.MILLISECONDS,
    ) -> None:
        """Creates an empty buffer, for the ``metrics`` of one :class:`TelemetryConfig`."""
        if type(buffer_size) is not int:
            raise TypeError(f"buffer_size must be an int, got {type(buffer_size).__name__}")
        if buffer_size < 1:
            raise ValueError(f"buffer_size must be at least 1, got {buffer_size}")
        if not isinstance(duration_format, MetricBufferDurationFormat):
            raise TypeError(
                f"duration_format must be a MetricBufferDurationFormat, got {type(duration_format).__name__}"
            )
        self._size = buffer_size
        self._durations_as_seconds = duration_format is MetricBufferDurationFormat.SECONDS
        self._native: _native.MetricBuffer | None = None

    def retrieve_updates(self) -> Sequence[BufferedMetricUpdate]:
        """All updates since the last call, oldest first. Call it often enough that the buffer is never full.

        Raises:
            RuntimeError: No runtime uses the buffer, or this is a process forked from the one that does.
        """
        if self._native is None:
            raise RuntimeError(
                "no runtime uses this metric buffer: make one with TelemetryConfig(metrics=buffer) first"
            )
        updates, dropped = self._native.take()
        if dropped:
            _logger.warning(
                "%d metric updates were dropped: the buffer has room for %d and was not retrieved in time",
                dropped,
                self._size,
            )
        # To the border, kinds are numbers.
        return cast(Sequence[BufferedMetricUpdate], updates)

    def _to_native(self, global_tags: Mapping[str, str]) -> _native.MetricBuffer:
        if self._native is not None:
            raise RuntimeError("another runtime uses this metric buffer: make a buffer for each")
        return _native.MetricBuffer(
            capacity=self._size, durations_as_seconds=self._durations_as_seconds, global_tags=dict(global_tags)
        )

    def _belongs_to_runtime(self, native: _native.MetricBuffer) -> None:
        self._native = native
