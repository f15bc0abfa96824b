"""The threads that clients and workers run on, and where their logs and metrics go.

There is a default runtime; most programs never name one. Those that want metrics or Core's logs make it before they
connect:

    Runtime.set_default(Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address="0.0.0.0:9090"))))
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from itertools import pairwise
from math import isfinite
from traceback import print_exc
from typing import TYPE_CHECKING, Any, ClassVar, cast
from weakref import WeakSet, finalize

from . import _native
from ._lazy import lazy_names
from ._meter import metric_meter
from .common import MetricMeter

if TYPE_CHECKING:
    from ._metric_buffer import (
        BUFFERED_METRIC_KIND_COUNTER,
        BUFFERED_METRIC_KIND_GAUGE,
        BUFFERED_METRIC_KIND_HISTOGRAM,
        BufferedMetric,
        BufferedMetricKind,
        BufferedMetricUpdate,
        MetricBuffer,
        MetricBufferDurationFormat,
    )
else:
    # Most programs do without a buffer.
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "._metric_buffer": (
                "BUFFERED_METRIC_KIND_COUNTER BUFFERED_METRIC_KIND_GAUGE BUFFERED_METRIC_KIND_HISTOGRAM "
                "BufferedMetric BufferedMetricKind BufferedMetricUpdate MetricBuffer MetricBufferDurationFormat"
            )
        },
    )

__all__ = [
    "BUFFERED_METRIC_KIND_COUNTER",
    "BUFFERED_METRIC_KIND_GAUGE",
    "BUFFERED_METRIC_KIND_HISTOGRAM",
    "BufferedMetric",
    "BufferedMetricKind",
    "BufferedMetricUpdate",
    "LogForwardingConfig",
    "LoggingConfig",
    "LoggingFormat",
    "MetricBuffer",
    "MetricBufferDurationFormat",
    "OpenTelemetryConfig",
    "OpenTelemetryMetricTemporality",
    "PrometheusConfig",
    "Runtime",
    "TelemetryConfig",
    "TelemetryFilter",
]

_LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "OFF")
# What Rust would take for the name of a part of Core, all of whose records it would show.
_LEVELS_OF_PYTHON = ("WARNING", "CRITICAL", "FATAL", "NOTSET")

# Two threads carry several thousand workflow tasks a second; more only wake each other.
_THREADS = 2
_CORE_CRATES = ("temporalio_common", "temporalio_sdk_core", "temporalio_client")


def _expect(what: str, value: object, *kinds: type) -> None:
    if not isinstance(value, kinds):
        names = " or ".join("None" if kind is type(None) else kind.__name__ for kind in kinds)
        raise TypeError(f"{what} must be a {names}, got {type(value).__name__}")


def _expect_texts(what: str, texts: object) -> None:
    _expect(what, texts, Mapping)
    for name, value in cast("Mapping[object, object]", texts).items():
        if not isinstance(name, str) or not isinstance(value, str):
            # Not the value, which may be a secret.
            raise TypeError(f"{what} must be text by name, got {type(value).__name__} for {name!r}")


def _expect_buckets(overrides: object) -> None:
    what = "histogram_bucket_overrides"
    _expect(what, overrides, Mapping)
    for name, bounds in cast("Mapping[object, Sequence[object]]", overrides).items():
        _expect(f"a name of {what}", name, str)
        _expect(f"{what}[{name!r}]", bounds, Sequence)
        numbers = [bound for bound in bounds if isinstance(bound, (int, float)) and isfinite(bound)]
        if len(numbers) != len(bounds) or any(lower >= upper for lower, upper in pairwise(numbers)):
            raise ValueError(f"{what}[{name!r}] must be numbers, each greater than the one before, got {bounds!r}")


@dataclass
class TelemetryFilter:
    """Which log records are kept: levels of Core itself, and of the libraries under it.

    Args:
        core_level: ``TRACE``, ``DEBUG``, ``INFO``, ``WARN``, ``ERROR`` or ``OFF``, for Core.
        other_level: The same for everything else.

    Raises:
        ValueError: A level is none of these.
    """

    core_level: str
    other_level: str

    def __post_init__(self) -> None:
        """Checks the levels."""
        for name, level in (("core_level", self.core_level), ("other_level", self.other_level)):
            if str(level).upper() not in _LEVELS:
                raise ValueError(f"{name} must be one of {', '.join(_LEVELS)}, got {level!r}")

    def formatted(self) -> str:
        """The filter in the notation of Rust's ``tracing``: ``level,crate=level,...``."""
        return ",".join([self.other_level, *(f"{crate}={self.core_level}" for crate in _CORE_CRATES)])


class LoggingFormat(Enum):
    """How log records look on the console."""

    COMPACT = "compact"
    PRETTY = "pretty"
    JSON = "json"


@dataclass
class LogForwardingConfig:
    """Hands Core's log records to Python's ``logging`` instead of the console.

    Records come in batches from a thread of their own. Each has the fields of the record, if any, as ``temporal_log``.

    Args:
        logger: Logger to hand them to. Its level must let them pass, and so must the filter of
            :class:`LoggingConfig`.
        append_target_to_name: Whether the name of the part of Core is added to the logger's name.
        prepend_target_on_message: Whether it is put before the message.
        overwrite_log_record_time: Whether records have the time at which Core made them.
        append_log_fields_to_message: Whether the fields of a record are added to its message.
    """

    logger: logging.Logger
    append_target_to_name: bool = True
    prepend_target_on_message: bool = True
    overwrite_log_record_time: bool = True
    append_log_fields_to_message: bool = True

    def __post_init__(self) -> None:
        """Refuses what records could not be handed to."""
        _expect("logger", self.logger, logging.Logger)


@dataclass(frozen=True)
class LoggingConfig:
    """Logging of Core.

    Args:
        filter: Which records; a string is in the notation of Rust's ``tracing``.
        forwarding: Where they go; ``None`` for the console.
        format: How they look on the console; ``None`` for :attr:`LoggingFormat.COMPACT`.
    """

    filter: TelemetryFilter | str
    forwarding: LogForwardingConfig | None = None
    format: LoggingFormat | None = None

    default: ClassVar[LoggingConfig]
    """Warnings of Core and errors of everything else, on the console; of what runs workflows errors only: it warns of
    every failed workflow task, of which the logger ``invincible.worker`` tells more, and when a worker ends."""

    def __post_init__(self) -> None:
        """Refuses what would have no effect."""
        _expect("filter", self.filter, TelemetryFilter, str)
        _expect("forwarding", self.forwarding, LogForwardingConfig, type(None))
        _expect("format", self.format, LoggingFormat, type(None))
        if isinstance(self.filter, str):
            for directive in self.filter.split(","):
                level = directive.rpartition("=")[2].strip()
                if level.upper() in _LEVELS_OF_PYTHON:
                    raise ValueError(f"levels of a filter are {', '.join(_LEVELS)}, got {level} in {self.filter!r}")
        if self.forwarding is not None and self.format is not None:
            raise ValueError("format is for the console: it cannot be combined with forwarding")


LoggingConfig.default = LoggingConfig(
    filter=TelemetryFilter(core_level="WARN", other_level="ERROR").formatted()
    + ",temporalio_sdk_core::worker::workflow=ERROR"
)


class OpenTelemetryMetricTemporality(Enum):
    """Whether exported values count from the start or from the export before."""

    CUMULATIVE = 1
    DELTA = 2


@dataclass(frozen=True)
class OpenTelemetryConfig:
    """Export of metrics to an OpenTelemetry collector.

    Args:
        url: The collector's address, with its scheme, ``http`` or ``https``; with ``http=True`` its path, too.
        headers: Headers for the collector. Never shown.
        metric_periodicity: Time between exports; one second if ``None``.
        metric_temporality: What exported values count from.
        durations_as_seconds: Whether durations are seconds with a fraction rather than whole milliseconds.
        http: Whether to use HTTP rather than gRPC.
        histogram_bucket_overrides: Bucket boundaries by metric name.

    Raises:
        TypeError: An argument is of another type.
        ValueError: The scheme is another one, the time is not positive, or boundaries do not grow.
    """

    url: str
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    metric_periodicity: timedelta | None = None
    metric_temporality: OpenTelemetryMetricTemporality = OpenTelemetryMetricTemporality.CUMULATIVE
    durations_as_seconds: bool = False
    http: bool = False
    histogram_bucket_overrides: Mapping[str, Sequence[float]] | None = None

    def __post_init__(self) -> None:
        """Checks the arguments."""
        _expect("url", self.url, str)
        if not self.url.lower().startswith(("http://", "https://")):
            raise ValueError("url must begin with http:// or https://, also for gRPC")
        _expect_texts("headers", self.headers or {})
        _expect("metric_periodicity", self.metric_periodicity, timedelta, type(None))
        if self.metric_periodicity is not None and self.metric_periodicity <= timedelta(0):
            raise ValueError(f"metric_periodicity must be positive, got {self.metric_periodicity}")
        _expect("metric_temporality", self.metric_temporality, OpenTelemetryMetricTemporality)
        _expect_buckets(self.histogram_bucket_overrides or {})

    def _to_native(self, global_tags: Mapping[str, str]) -> _native.OtlpExporter:
        periodicity = timedelta(seconds=1) if self.metric_periodicity is None else self.metric_periodicity
        return _native.OtlpExporter(
            url=self.url,
            headers=dict(self.headers or {}),
            metric_periodicity=periodicity.total_seconds(),
            delta_temporality=self.metric_temporality is OpenTelemetryMetricTemporality.DELTA,
            durations_as_seconds=self.durations_as_seconds,
            http=self.http,
            histogram_bucket_overrides=dict(self.histogram_bucket_overrides or {}),
            global_tags=dict(global_tags),
        )


@dataclass(frozen=True)
class PrometheusConfig:
    """Metrics served for Prometheus to fetch.

    Args:
        bind_address: Where to serve them, as ``host:port``.
        counters_total_suffix: Whether names of counters end in ``_total``.
        unit_suffix: Whether names of histograms end in their unit.
        durations_as_seconds: Whether durations are seconds with a fraction rather than whole milliseconds.
        histogram_bucket_overrides: Bucket boundaries by metric name.

    Raises:
        TypeError: An argument is of another type.
        ValueError: Boundaries do not grow.
    """

    bind_address: str
    counters_total_suffix: bool = False
    unit_suffix: bool = False
    durations_as_seconds: bool = False
    histogram_bucket_overrides: Mapping[str, Sequence[float]] | None = None

    def __post_init__(self) -> None:
        """Checks the arguments."""
        _expect("bind_address", self.bind_address, str)
        _expect_buckets(self.histogram_bucket_overrides or {})

    def _to_native(self, global_tags: Mapping[str, str]) -> _native.PrometheusExporter:
        return _native.PrometheusExporter(
            bind_address=self.bind_address,
            counters_total_suffix=self.counters_total_suffix,
            unit_suffix=self.unit_suffix,
            durations_as_seconds=self.durations_as_seconds,
            histogram_bucket_overrides=dict(self.histogram_bucket_overrides or {}),
            global_tags=dict(global_tags),
        )


@dataclass(frozen=True)
class TelemetryConfig:
    """Logs and metrics of a runtime.

    Args:
        logging: Logging of Core; ``None`` for none.
        metrics: Where metrics go; ``None`` for none.
        global_tags: Tags of every metric.
        attach_service_name: Whether metrics have a ``service_name``.
        metric_prefix: What the names of Core's metrics begin with; ``temporal_`` if ``None``.
    """

    logging: LoggingConfig | None = LoggingConfig.default
    metrics: OpenTelemetryConfig | PrometheusConfig | MetricBuffer | None = None
    global_tags: Mapping[str, str] = field(default_factory=dict)
    attach_service_name: bool = True
    metric_prefix: str | None = None

    def __post_init__(self) -> None:
        """Checks the arguments."""
        _expect("logging", self.logging, LoggingConfig, type(None))
        if self.metrics is not None and not hasattr(self.metrics, "_to_native"):
            raise TypeError(
                "metrics must be an OpenTelemetryConfig, a PrometheusConfig, a MetricBuffer or None, "
                f"got {type(self.metrics).__name__}"
            )
        _expect_texts("global_tags", self.global_tags)
        _expect("metric_prefix", self.metric_prefix, str, type(None))


class Runtime:
    """Threads of Core with their telemetry. Any number of clients and workers share one.

    A runtime belongs to the process that made it: in a forked child its use is a :class:`RuntimeError`. The default
    runtime is made anew there.

    Args:
        telemetry: Logs and metrics.
        worker_heartbeat_interval: How often workers report to the server, 1 to 60 seconds; ``None`` for never.
        disable_environment_info: Whether these reports leave out the platform and the Python version.

    Raises:
        RuntimeError: Metrics cannot be served or exported as configured; a port is taken, say.
        TypeError: An argument is of another type.
        ValueError: An option makes no sense.
    """

    _default: ClassVar[Runtime | None] = None
    _default_prevented: ClassVar[bool] = False
    _default_lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(
        self,
        *,
        telemetry: TelemetryConfig,
        worker_heartbeat_interval: timedelta | None = timedelta(seconds=60),
        disable_environment_info: bool = False,
    ) -> None:
        """Starts the threads."""
        _expect("telemetry", telemetry, TelemetryConfig)
        _expect("worker_heartbeat_interval", worker_heartbeat_interval, timedelta, type(None))
        logs = telemetry.logging
        forwarding = None if logs is None else logs.forwarding
        queue = None if forwarding is None else _native.LogQueue()
        heartbeat = worker_heartbeat_interval
        metrics = None if telemetry.metrics is None else telemetry.metrics._to_native(telemetry.global_tags)
        self._native = _native.Runtime(
            threads=_THREADS,
            log_filter=_filter_text(logs),
            log_format=None if logs is None or logs.format is None else logs.format.value,
            log_queue=queue,
            metrics=metrics,
            attach_service_name=telemetry.attach_service_name,
            metric_prefix=telemetry.metric_prefix,
            worker_heartbeat_interval=None if heartbeat is None else heartbeat.total_seconds(),
            disable_environment_info=disable_environment_info,
        )
        if isinstance(metrics, _native.MetricBuffer):
            cast("MetricBuffer", telemetry.metrics)._belongs_to_runtime(metrics)
        self._metric_meter = metric_meter(self._native)
        # Worker processes have runtimes like this one.
        self._options = telemetry, worker_heartbeat_interval, disable_environment_info
        if forwarding is not None and queue is not None:
            forwarder = _LogForwarder(queue, forwarding)
            finalize(self, forwarder.close)

    @property
    def metric_meter(self) -> MetricMeter:
        """Makes metrics of the program's own, which go where Core's go; without ``metrics`` they go nowhere.

        Their names get no prefix. In workflow and activity code use ``workflow.metric_meter`` and
        ``activity.metric_meter``.
        """
        return self._metric_meter

    @classmethod
    def default(cls) -> Runtime:
        """The runtime of everything that names none. Made at the first call, and anew in a forked process.

        Raises:
            RuntimeError: :meth:`prevent_default` was called.
        """
        with cls._default_lock:
            if cls._default is None:
                if cls._default_prevented:
                    raise RuntimeError("there is no default runtime and none is to be made: set one, or give a runtime")
                cls._default = cls(telemetry=TelemetryConfig())
            return cls._default

    @classmethod
    def set_default(cls, runtime: Runtime, *, error_if_already_set: bool = True) -> None:
        """Makes a runtime the default.

        Args:
            runtime: The runtime.
            error_if_already_set: Whether it is an error if there is a default already, set or made by its first use.

        Raises:
            RuntimeError: There is one already.
        """
        _expect("runtime", runtime, Runtime)
        with cls._default_lock:
            if cls._default is not None and error_if_already_set:
                raise RuntimeError("there is a default runtime already: set it before anything uses it")
            cls._default = runtime

    @classmethod
    def prevent_default(cls) -> None:
        """Makes it an error to use the default runtime before one is set.

        Raises:
            RuntimeError: There is one already.
        """
        with cls._default_lock:
            if cls._default is not None:
                raise RuntimeError("there is a default runtime already: prevent it before anything uses it")
            cls._default_prevented = True

    @classmethod
    def _forget_default(cls) -> None:
        """In a forked child: the default, and perhaps the lock, belong to the threads of the parent."""
        cls._default = None
        cls._default_lock = threading.Lock()


def _filter_text(logs: LoggingConfig | None) -> str | None:
    if logs is None:
        return None
    return logs.filter if isinstance(logs.filter, str) else logs.filter.formatted()


class _LogForwarder:
    """The thread that hands one runtime's log records to ``logging``."""

    def __init__(self, queue: _native.LogQueue, config: LogForwardingConfig) -> None:
        self._queue = queue
        self._config = config
        self._pid = os.getpid()
        self._thread = threading.Thread(target=self._forward, name="invincible-logs", daemon=True)
        self._thread.start()
        _forwarders.add(self)

    def close(self) -> None:
        """Hands on what has been logged so far, and nothing later."""
        if self._pid == os.getpid():
            self._queue.close()

    def flush(self) -> None:
        """:meth:`close`, and waits until it is done."""
        self.close()
        if self._pid == os.getpid():
            self._thread.join(timeout=5)

    def _forward(self) -> None:
        while True:
            records, dropped = self._queue.take()
            for record in records:
                self._guarded(self._hand_on, record)
            if dropped:
                told = "%d log records of Core were dropped: they came faster than handled"
                self._guarded(self._config.logger.warning, told, dropped)
            if not records:
                return

    @staticmethod
    def _guarded(log: Callable[..., None], *arguments: Any) -> None:
        """Logs, whatever a filter or handler of the program does: later records must get through all the same."""
        try:
            log(*arguments)
        except Exception:
            if logging.raiseExceptions:
                print_exc()

    def _hand_on(self, record: _native.LogRecord) -> None:
        config = self._config
        if not config.logger.isEnabledFor(record.level):
            return
        name, message, fields = config.logger.name, record.message, record.fields
        if config.append_target_to_name:
            name = f"{name}-sdk_core::{record.target}"
        if config.prepend_target_on_message:
            message = f"[sdk_core::{record.target}] {message}"
        if config.append_log_fields_to_message:
            message = f"{message} {fields}"
        made = config.logger.makeRecord(name, record.level, "(sdk-core)", 0, message, (), None, "(sdk-core)")
        made.__dict__["temporal_log"] = record
        if config.overwrite_log_record_time:
            made.created = record.time
            made.msecs = (record.time % 1) * 1000
        config.logger.handle(made)


_forwarders: WeakSet[_LogForwarder] = WeakSet()


def _flush_logs() -> None:
    for forwarder in list(_forwarders):
        forwarder.flush()


atexit.register(_flush_logs)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=Runtime._forget_default)
