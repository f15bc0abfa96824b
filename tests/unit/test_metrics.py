"""Metrics of programs, as they leave the process: scraped by Prometheus and sent to an OpenTelemetry collector."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from invincible.common import (
    MetricCounter,
    MetricGauge,
    MetricGaugeFloat,
    MetricHistogram,
    MetricHistogramFloat,
    MetricHistogramTimedelta,
    MetricMeter,
)
from invincible.runtime import OpenTelemetryConfig, Runtime, TelemetryConfig
from invincible.service import ConnectConfig, ServiceClient
from tests.support.metrics import Prometheus

SOON = 10.0


@pytest.fixture
def prometheus() -> Prometheus:
    return Prometheus()


@pytest.fixture
def meter(prometheus: Prometheus) -> MetricMeter:
    return prometheus.runtime.metric_meter


class Collector(BaseHTTPRequestHandler):
    """Keeps what an OpenTelemetry exporter sends over HTTP."""

    received: bytes
    arrived: threading.Condition

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        with self.arrived:
            type(self).received += body
            self.arrived.notify_all()
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture
def collector() -> Iterator[tuple[str, type[Collector]]]:
    class Received(Collector):
        received = b""
        arrived = threading.Condition()

    with HTTPServer(("127.0.0.1", 0), Received) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/metrics", Received
        server.shutdown()
        thread.join(SOON)


def test_a_counter_adds_up(prometheus: Prometheus, meter: MetricMeter) -> None:
    counter = meter.create_counter("orders", "Orders placed", "orders")
    counter.add(2)
    counter.add(0)
    counter.add(3)
    assert prometheus.value("orders") == 5
    assert "# HELP orders Orders placed\n# TYPE orders counter\n" in prometheus.text()


def test_a_metric_of_the_same_name_is_the_same_metric(prometheus: Prometheus, meter: MetricMeter) -> None:
    meter.create_counter("orders").add(2)
    meter.create_counter("orders").add(3)
    assert prometheus.value("orders") == 5


@pytest.mark.parametrize(
    ("create", "values", "total"),
    [
        (lambda meter: meter.create_histogram("sizes"), (40, 60), 100),
        (lambda meter: meter.create_histogram_float("sizes"), (40.5, 60), 100.5),
        (
            lambda meter: meter.create_histogram_timedelta("sizes"),
            (timedelta(milliseconds=40), timedelta(milliseconds=60)),
            100,
        ),
    ],
)
def test_histograms_count_and_sum(
    prometheus: Prometheus,
    meter: MetricMeter,
    create: Callable[[MetricMeter], Any],
    values: tuple[Any, ...],
    total: float,
) -> None:
    histogram = create(meter)
    for value in values:
        histogram.record(value)
    assert (prometheus.value("sizes_count"), prometheus.value("sizes_sum")) == (2, total)
    assert prometheus.value("sizes_bucket", le="50") == 1
    assert prometheus.value("sizes_bucket", le="100") == 2


def test_durations_are_seconds_if_so_configured() -> None:
    prometheus = Prometheus(durations_as_seconds=True)
    prometheus.runtime.metric_meter.create_histogram_timedelta("wait").record(timedelta(milliseconds=250))
    assert prometheus.value("wait_sum") == 0.25


def test_gauges_keep_the_last_value(prometheus: Prometheus, meter: MetricMeter) -> None:
    whole, fraction = meter.create_gauge("open"), meter.create_gauge_float("load")
    for value in (7, 3):
        whole.set(value)
        fraction.set(value / 4)
    assert (prometheus.value("open"), prometheus.value("load")) == (3, 0.75)


def test_attributes_of_meter_metric_and_call_come_together(prometheus: Prometheus, meter: MetricMeter) -> None:
    counter = meter.with_additional_attributes({"shop": "north", "floor": 1}).create_counter("orders")
    urgent = counter.with_additional_attributes({"urgent": True, "floor": 2})
    urgent.add(1, {"share": 0.5, "floor": 3})
    urgent.add(2)
    counter.add(4)
    assert prometheus.value("orders", shop="north", floor="3", urgent="true", share="0.5") == 1
    assert prometheus.value("orders", shop="north", floor="2", urgent="true") == 2
    assert prometheus.value("orders", shop="north", floor="1") == 4


@pytest.mark.parametrize("create", ["counter", "histogram", "histogram_float", "histogram_timedelta", "gauge"])
def test_a_metric_knows_what_it_is_called(meter: MetricMeter, create: str) -> None:
    metric = getattr(meter, f"create_{create}")("sizes", "How large", "bytes").with_additional_attributes({"a": "b"})
    assert (metric.name, metric.description, metric.unit) == ("sizes", "How large", "bytes")
    bare = getattr(meter, f"create_{create}")("sizes")
    assert (bare.description, bare.unit) == (None, None)


def test_metrics_are_what_the_interface_says(meter: MetricMeter) -> None:
    assert isinstance(meter, MetricMeter)
    assert isinstance(meter.create_counter("a"), MetricCounter)
    assert isinstance(meter.create_histogram("b"), MetricHistogram)
    assert isinstance(meter.create_histogram_float("c"), MetricHistogramFloat)
    assert isinstance(meter.create_histogram_timedelta("d"), MetricHistogramTimedelta)
    assert isinstance(meter.create_gauge("e"), MetricGauge)
    assert isinstance(meter.create_gauge_float("f"), MetricGaugeFloat)


INTEGER = 'metric "sizes" takes an int from 0 to 2**64 - 1, got '
FLOAT = 'metric "sizes" takes a float that is not negative, got '
DURATION = 'metric "sizes" takes a timedelta that is not negative, got '


@pytest.mark.parametrize(
    ("use", "error", "message"),
    [
        (lambda meter: meter.create_counter("sizes").add(-1), ValueError, INTEGER + "-1"),
        (lambda meter: meter.create_counter("sizes").add(2**64), ValueError, INTEGER + "18446744073709551616"),
        (lambda meter: meter.create_counter("sizes").add(1.5), TypeError, INTEGER + "float"),
        (lambda meter: meter.create_histogram("sizes").record("1"), TypeError, INTEGER + "str"),
        (lambda meter: meter.create_gauge("sizes").set(-1), ValueError, INTEGER + "-1"),
        (lambda meter: meter.create_histogram_float("sizes").record(-0.5), ValueError, FLOAT + "-0.5"),
        (lambda meter: meter.create_histogram_float("sizes").record(float("nan")), ValueError, FLOAT + "nan"),
        (lambda meter: meter.create_gauge_float("sizes").set(None), TypeError, FLOAT + "NoneType"),
        (
            lambda meter: meter.create_histogram_timedelta("sizes").record(timedelta(seconds=-1)),
            ValueError,
            DURATION + "-1 day, 23:59:59",
        ),
        (lambda meter: meter.create_histogram_timedelta("sizes").record(1.5), TypeError, DURATION + "float"),
        (
            lambda meter: meter.create_counter("sizes").add(1, {"a": None}),
            TypeError,
            'attribute a of metric "sizes" must be a str, int, float or bool, got NoneType',
        ),
        (
            lambda meter: meter.create_counter("sizes").add(1, {1: "a"}),
            TypeError,
            'names of attributes of metric "sizes" must be str, got int',
        ),
        (
            lambda meter: meter.create_counter("sizes").with_additional_attributes(["a"]),
            TypeError,
            'attributes of metric "sizes" must be a mapping, got list',
        ),
        (
            lambda meter: meter.with_additional_attributes({"a": 2**63}),
            ValueError,
            "attribute a of metric meter does not fit in 64 bits: 9223372036854775808",
        ),
        (
            lambda meter: meter.with_additional_attributes({"a.b": 1}),
            ValueError,
            'attribute "a.b" of metric meter: a name for Prometheus has letters, digits, _ and -',
        ),
        (
            lambda meter: meter.create_counter("a.b"),
            ValueError,
            'metric name "a.b": for Prometheus it has letters, digits, _, - and :',
        ),
    ],
)
def test_what_cannot_be_recorded_is_named(
    prometheus: Prometheus, meter: MetricMeter, use: Callable[[MetricMeter], object], error: type, message: str
) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        use(meter)
    assert "sizes" not in prometheus.text()


def test_without_metrics_nothing_is_recorded() -> None:
    assert Runtime(telemetry=TelemetryConfig(logging=None)).metric_meter is MetricMeter.noop


def test_a_meter_keeps_its_runtime(prometheus: Prometheus) -> None:
    counter = prometheus.runtime.metric_meter.create_counter("orders")
    del prometheus.runtime
    counter.add(1)
    assert prometheus.value("orders") == 1


def test_a_collector_gets_values_and_attributes(collector: tuple[str, type[Collector]]) -> None:
    url, received = collector
    config = OpenTelemetryConfig(url=url, http=True, metric_periodicity=timedelta(milliseconds=50))
    runtime = Runtime(telemetry=TelemetryConfig(logging=None, metrics=config))
    runtime.metric_meter.create_counter("shop.orders").add(3, {"floor.name": "second"})

    def complete() -> bool:
        return all(part in received.received for part in (b"shop.orders", b"floor.name", b"second"))

    with received.arrived:
        assert received.arrived.wait_for(complete, SOON)
    for name in ("", "1st", "two words", "a" * 256):
        with pytest.raises(ValueError, match=f'^metric name "{name}": for OpenTelemetry'):
            runtime.metric_meter.create_counter(name)


def test_a_client_records_with_its_runtime(prometheus: Prometheus) -> None:
    client = ServiceClient(ConnectConfig(target_host="127.0.0.1:7233", lazy=True, runtime=prometheus.runtime))
    assert client._runtime is prometheus.runtime


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_forked_child_is_told_to_make_its_own_runtime() -> None:
    script = """
        import os, warnings
        from invincible.runtime import PrometheusConfig, Runtime, TelemetryConfig
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads, which is the point here
        runtime = Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address="127.0.0.1:0")))
        meter = runtime.metric_meter
        counter = meter.create_counter("orders")
        child = os.fork()
        if child:
            print("child ended with", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        else:
            for use in (lambda: counter.add(1), lambda: meter.create_gauge("open")):
                try:
                    use()
                except RuntimeError as error:
                    print(str(error).partition(" (")[0], flush=True)
    """
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    program = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, env=env)
    told = "this runtime was created in another process"
    assert done.stdout.splitlines() == [told, told, "child ended with 0"], done
