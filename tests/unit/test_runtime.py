"""Runtimes: the default one, forwarding of Core's log, metrics, and options that must not be shown."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import textwrap
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from invincible import _native, runtime
from invincible.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    LoggingFormat,
    OpenTelemetryConfig,
    OpenTelemetryMetricTemporality,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)
from tests.support.logs import Records

QUIET = TelemetryConfig(logging=None)
SOON = 10.0


@pytest.fixture
def no_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Runtime, "_default", None)
    monkeypatch.setattr(Runtime, "_default_prevented", False)


def refused(runtime: Runtime) -> None:
    """A failed connection, which the network libraries under Core log at their debug level."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(RuntimeError, match="connection refused"):
        _native.Client.connect(runtime._native, f"127.0.0.1:{port}", identity="test").wait()


@pytest.fixture
def records() -> Records:
    return Records()


@pytest.fixture
def logger(records: Records) -> logging.Logger:
    logger = logging.Logger("core", logging.DEBUG)
    logger.addHandler(records)
    return logger


def test_the_default_runtime_is_made_once(no_default: None) -> None:
    assert Runtime.default() is Runtime.default()


def test_a_default_can_be_set_before_it_is_used_and_not_after(no_default: None) -> None:
    chosen = Runtime(telemetry=QUIET)
    Runtime.set_default(chosen)
    assert Runtime.default() is chosen
    with pytest.raises(RuntimeError, match="there is a default runtime already"):
        Runtime.set_default(Runtime(telemetry=QUIET))
    other = Runtime(telemetry=QUIET)
    Runtime.set_default(other, error_if_already_set=False)
    assert Runtime.default() is other


def test_a_prevented_default_is_an_error_until_one_is_set(no_default: None) -> None:
    Runtime.prevent_default()
    with pytest.raises(RuntimeError, match="set one, or give a runtime"):
        Runtime.default()
    chosen = Runtime(telemetry=QUIET)
    Runtime.set_default(chosen)
    assert Runtime.default() is chosen


def test_preventing_the_default_is_an_error_once_there_is_one(no_default: None) -> None:
    Runtime.default()
    with pytest.raises(RuntimeError, match="there is a default runtime already"):
        Runtime.prevent_default()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_forked_child_gets_a_default_of_its_own() -> None:
    script = """
        import os, socket, warnings
        from invincible import _native
        from invincible.runtime import Runtime
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads, which is the point here
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
        Runtime.default()
        child = os.fork()
        try:
            _native.Client.connect(Runtime.default()._native, address, identity="test").wait()
        except RuntimeError as error:
            print(str(error).replace(address, "the address"), flush=True)
        if child:
            print("child ended with", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    program = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, env=env)
    lines = done.stdout.splitlines()
    assert len(lines) == 3, done
    assert all(line.startswith("could not connect to the address: connection refused") for line in lines[:2])
    assert lines[2] == "child ended with 0"


def test_the_filter_names_levels_of_core_and_of_the_rest() -> None:
    level, *crates = TelemetryFilter(core_level="DEBUG", other_level="ERROR").formatted().split(",")
    assert level == "ERROR"
    assert "temporalio_sdk_core=DEBUG" in crates
    assert "temporalio_client=DEBUG" in crates


def test_log_records_reach_the_logger_with_their_origin(logger: logging.Logger, records: Records) -> None:
    logs = LoggingConfig(filter="debug", forwarding=LogForwardingConfig(logger))
    forwarding = Runtime(telemetry=TelemetryConfig(logging=logs))
    refused(forwarding)
    record = records.wait_for()
    assert record.levelno == logging.DEBUG
    target = record.__dict__["temporal_log"].target
    assert record.name == f"core-sdk_core::{target}"
    assert record.getMessage().startswith(f"[sdk_core::{target}] ")
    assert record.getMessage().endswith("}")
    assert record.created == record.__dict__["temporal_log"].time


def test_what_is_added_to_log_records_can_be_turned_off(logger: logging.Logger, records: Records) -> None:
    forwarding = LogForwardingConfig(
        logger,
        append_target_to_name=False,
        prepend_target_on_message=False,
        overwrite_log_record_time=False,
        append_log_fields_to_message=False,
    )
    refused(Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter="debug", forwarding=forwarding))))
    record = records.wait_for()
    assert (record.name, record.getMessage()) == ("core", record.__dict__["temporal_log"].message)
    assert record.created > record.__dict__["temporal_log"].time


def test_records_below_the_logger_s_level_are_not_handled(logger: logging.Logger, records: Records) -> None:
    logger.setLevel(logging.ERROR)
    logs = LoggingConfig(filter="debug", forwarding=LogForwardingConfig(logger))
    forwarding = Runtime(telemetry=TelemetryConfig(logging=logs))
    refused(forwarding)
    (forwarder,) = (known for known in runtime._forwarders if known._config.logger is logger)
    forwarder.flush()
    assert not forwarder._thread.is_alive()
    assert records.records == []


def test_a_handler_that_raises_stops_no_later_records(
    logger: logging.Logger, records: Records, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = [True]

    def filter(record: logging.LogRecord) -> bool:
        if broken:
            broken.clear()
            raise RuntimeError("broken filter")
        return True

    logger.addFilter(filter)
    forwarding = Runtime(telemetry=TelemetryConfig(logging=LoggingConfig("debug", LogForwardingConfig(logger))))
    refused(forwarding)
    refused(forwarding)
    records.wait_for()
    assert not broken
    assert "broken filter" in capsys.readouterr().err


def _telemetry(**options: Any) -> Callable[[], object]:
    return lambda: TelemetryConfig(**options)


def _otlp(**options: Any) -> Callable[[], object]:
    return lambda: OpenTelemetryConfig(**{"url": "http://localhost", **options})


def _wrong(value: object) -> Any:
    return value


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Runtime(telemetry=_wrong(None)), TypeError, "telemetry must be a TelemetryConfig, got NoneType"),
        (
            lambda: Runtime(telemetry=QUIET, worker_heartbeat_interval=_wrong(5)),
            TypeError,
            "worker_heartbeat_interval must be a timedelta or None, got int",
        ),
        (lambda: Runtime.set_default(_wrong(QUIET)), TypeError, "runtime must be a Runtime, got TelemetryConfig"),
        (_telemetry(logging="INFO"), TypeError, "logging must be a LoggingConfig or None, got str"),
        (
            _telemetry(metrics="prometheus"),
            TypeError,
            "metrics must be an OpenTelemetryConfig, a PrometheusConfig, a MetricBuffer or None, got str",
        ),
        (_telemetry(global_tags=None), TypeError, "global_tags must be a Mapping, got NoneType"),
        (_telemetry(global_tags={"team": 1}), TypeError, "global_tags must be text by name, got int for 'team'"),
        (_telemetry(metric_prefix=5), TypeError, "metric_prefix must be a str or None, got int"),
        (lambda: TelemetryFilter("WARNING", "ERROR"), ValueError, "core_level must be one of TRACE, .*, got 'WARNING'"),
        (lambda: TelemetryFilter("WARN", _wrong(40)), ValueError, "other_level must be one of TRACE, .*, got 40"),
        (lambda: LoggingConfig("ERROR,temporalio_client=WARNING"), ValueError, "levels of a filter are .* got WARNING"),
        (lambda: LoggingConfig(_wrong(5)), TypeError, "filter must be a TelemetryFilter or str, got int"),
        (
            lambda: LoggingConfig("INFO", format=_wrong("json")),
            TypeError,
            "format must be a LoggingFormat or None, got str",
        ),
        (lambda: LogForwardingConfig(_wrong("core")), TypeError, "logger must be a Logger, got str"),
        (_otlp(url="localhost:4317"), ValueError, "url must begin with http:// or https://"),
        (_otlp(headers={"authorization": 5}), TypeError, "headers must be text by name, got int for 'authorization'"),
        (_otlp(metric_periodicity=5.0), TypeError, "metric_periodicity must be a timedelta or None, got float"),
        (_otlp(metric_periodicity=timedelta(0)), ValueError, "metric_periodicity must be positive, got 0:00:00"),
        (
            _otlp(histogram_bucket_overrides={"latency": [2.0, 1.0]}),
            ValueError,
            r"histogram_bucket_overrides\['latency'\] must be numbers, each greater than the one before",
        ),
        (
            lambda: PrometheusConfig("127.0.0.1:0", histogram_bucket_overrides={"latency": _wrong(["a"])}),
            ValueError,
            r"histogram_bucket_overrides\['latency'\] must be numbers",
        ),
        (lambda: PrometheusConfig(_wrong(9090)), TypeError, "bind_address must be a str, got int"),
    ],
)
def test_options_that_make_no_sense_are_named(make: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{message}"):
        make()


def test_the_forwarding_thread_ends_with_its_runtime(logger: logging.Logger) -> None:
    logs = LoggingConfig(filter="debug", forwarding=LogForwardingConfig(logger))
    forwarding = Runtime(telemetry=TelemetryConfig(logging=logs))
    (forwarder,) = (known for known in runtime._forwarders if known._config.logger is logger)
    thread = forwarder._thread
    del forwarding, forwarder
    thread.join(SOON)
    assert not thread.is_alive()


def test_the_log_is_complete_when_the_interpreter_has_ended() -> None:
    script = """
        import atexit, logging, socket, threading, time
        from invincible import _native
        from invincible.runtime import *

        leaving = threading.Event()
        atexit.register(leaving.set)

        class Slow(logging.Handler):
            def emit(self, record):
                leaving.wait()
                time.sleep(0.1)
                print(record.getMessage(), flush=True)

        logger = logging.Logger("core", logging.DEBUG)
        logger.addHandler(Slow())
        logs = LoggingConfig(filter="error,hyper_util=debug", forwarding=LogForwardingConfig(logger))
        runtime = Runtime(telemetry=TelemetryConfig(logging=logs))
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
        for _ in range(3):
            try:
                _native.Client.connect(runtime._native, address, identity="test").wait()
            except RuntimeError:
                pass
    """
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    program = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("connecting to 127.0.0.1:") == 3


def test_a_console_format_has_no_effect_on_forwarded_records(logger: logging.Logger) -> None:
    with pytest.raises(ValueError, match="format is for the console"):
        LoggingConfig(filter="info", forwarding=LogForwardingConfig(logger), format=LoggingFormat.JSON)


def test_prometheus_is_served_with_prefix_and_tags() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    telemetry = TelemetryConfig(
        logging=None,
        metrics=PrometheusConfig(bind_address=address, counters_total_suffix=True),
        global_tags={"team": "blue"},
        metric_prefix="ours_",
    )
    serving = Runtime(telemetry=telemetry)
    # A server that is there and speaks no gRPC: the metrics' own.
    with pytest.raises(RuntimeError):
        _native.Client.connect(serving._native, address, identity="test").wait()
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=SOON) as response:
        metrics = response.read().decode()
    assert "ours_request_total{" in metrics
    assert 'team="blue"' in metrics


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        telemetry = TelemetryConfig(logging=None, metrics=PrometheusConfig(bind_address=address))
        with pytest.raises(RuntimeError, match=f"could not serve Prometheus metrics at {address}: .*in use"):
            Runtime(telemetry=telemetry)


def test_opentelemetry_options_reach_the_exporter() -> None:
    config = OpenTelemetryConfig(
        url="http://localhost:4317",
        headers={"authorization": "s3cret"},
        metric_periodicity=timedelta(seconds=5),
        metric_temporality=OpenTelemetryMetricTemporality.DELTA,
        durations_as_seconds=True,
        http=True,
        histogram_bucket_overrides={"latency": [1.0, 2.0]},
    )
    exporter = config._to_native({"team": "blue"})
    expected: dict[str, Any] = {
        "url": "http://localhost:4317",
        "headers": {"authorization": "s3cret"},
        "metric_periodicity": 5.0,
        "delta_temporality": True,
        "durations_as_seconds": True,
        "http": True,
        "histogram_bucket_overrides": {"latency": [1.0, 2.0]},
        "global_tags": {"team": "blue"},
    }
    assert {name: getattr(exporter, name) for name in expected} == expected
    assert "s3cret" not in repr(config)
    Runtime(telemetry=TelemetryConfig(logging=None, metrics=config))
