"""Metrics that the program fetches itself."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from invincible.common import MetricMeter
from invincible.runtime import (
    BUFFERED_METRIC_KIND_COUNTER,
    BUFFERED_METRIC_KIND_GAUGE,
    BUFFERED_METRIC_KIND_HISTOGRAM,
    BufferedMetricKind,
    MetricBuffer,
    MetricBufferDurationFormat,
    Runtime,
    TelemetryConfig,
)


def buffering(buffer: MetricBuffer, **tags: str) -> Runtime:
    return Runtime(telemetry=TelemetryConfig(logging=None, metrics=buffer, global_tags=tags, attach_service_name=False))


@pytest.fixture
def buffer() -> MetricBuffer:
    return MetricBuffer(100)


@pytest.fixture
def meter(buffer: MetricBuffer) -> MetricMeter:
    return buffering(buffer).metric_meter


@pytest.mark.parametrize(
    ("record", "value", "kind", "unit"),
    [
        (lambda meter: meter.create_counter("size", "How large", "b").add(3), 3, BUFFERED_METRIC_KIND_COUNTER, "b"),
        (
            lambda meter: meter.create_histogram("size", "How large", "b").record(3),
            3,
            BUFFERED_METRIC_KIND_HISTOGRAM,
            "b",
        ),
        (
            lambda meter: meter.create_histogram_float("size", "How large").record(0.5),
            0.5,
            BUFFERED_METRIC_KIND_HISTOGRAM,
            None,
        ),
        (
            lambda meter: meter.create_histogram_timedelta("size", "How large").record(timedelta(seconds=1.2345)),
            1234,
            BUFFERED_METRIC_KIND_HISTOGRAM,
            "ms",
        ),
        (lambda meter: meter.create_gauge("size", "How large").set(3), 3, BUFFERED_METRIC_KIND_GAUGE, None),
        (lambda meter: meter.create_gauge_float("size", "How large").set(0.5), 0.5, BUFFERED_METRIC_KIND_GAUGE, None),
    ],
)
def test_a_value_is_kept_with_its_metric(
    buffer: MetricBuffer,
    meter: MetricMeter,
    record: Callable[[MetricMeter], None],
    value: float,
    kind: BufferedMetricKind,
    unit: str | None,
) -> None:
    record(meter)
    (update,) = buffer.retrieve_updates()
    assert (update.value, type(update.value)) == (value, type(value))
    assert (update.metric.name, update.metric.description, update.metric.unit) == ("size", "How large", unit)
    assert update.metric.kind == kind
    assert update.attributes == {}
    assert buffer.retrieve_updates() == []


def test_durations_are_seconds_if_so_configured() -> None:
    buffer = MetricBuffer(10, MetricBufferDurationFormat.SECONDS)
    buffering(buffer).metric_meter.create_histogram_timedelta("wait").record(timedelta(seconds=1.2345678))
    (update,) = buffer.retrieve_updates()
    assert update.metric.unit == "s"
    assert update.value == pytest.approx(1.234568)


def test_updates_come_in_order_and_share_metrics_and_attributes(buffer: MetricBuffer, meter: MetricMeter) -> None:
    orders = meter.with_additional_attributes({"shop": "north", "floor": 1}).create_counter("orders")
    urgent = orders.with_additional_attributes({"urgent": True, "floor": 2.5})
    for value in range(3):
        orders.add(value)
        urgent.add(value)
    updates = buffer.retrieve_updates()
    assert [update.value for update in updates] == [0, 0, 1, 1, 2, 2]
    assert updates[0].attributes == {"shop": "north", "floor": 1}
    assert updates[1].attributes == {"shop": "north", "floor": 2.5, "urgent": True}
    assert len({id(update.metric) for update in updates}) == 1
    assert len({id(update.attributes) for update in updates}) == 2


def test_a_metric_created_again_is_the_same_object(buffer: MetricBuffer, meter: MetricMeter) -> None:
    meter.create_counter("orders").add(1)
    (first,) = buffer.retrieve_updates()
    meter.create_counter("orders").add(1)
    (second,) = buffer.retrieve_updates()
    assert first.metric is second.metric


def test_attributes_of_a_call_are_added(buffer: MetricBuffer, meter: MetricMeter) -> None:
    meter.create_counter("any name at all").add(1, {"a.b": 1})
    (update,) = buffer.retrieve_updates()
    assert (update.metric.name, update.attributes) == ("any name at all", {"a.b": 1})


def test_every_update_has_the_global_tags() -> None:
    buffer = MetricBuffer(10)
    buffering(buffer, team="blue").metric_meter.create_counter("orders").add(1, {"shop": "north"})
    (update,) = buffer.retrieve_updates()
    assert update.attributes == {"team": "blue", "shop": "north"}


def test_what_found_no_room_is_told(caplog: pytest.LogCaptureFixture) -> None:
    buffer = MetricBuffer(2)
    counter = buffering(buffer).metric_meter.create_counter("orders")
    for _ in range(5):
        counter.add(1)
    with caplog.at_level(logging.WARNING, "invincible.runtime"):
        assert len(buffer.retrieve_updates()) == 2
        assert len(buffer.retrieve_updates()) == 0
    assert caplog.messages == ["3 metric updates were dropped: the buffer has room for 2 and was not retrieved in time"]


def test_threads_record_at_the_same_time(buffer: MetricBuffer) -> None:
    buffer = MetricBuffer(10_000)
    counter = buffering(buffer).metric_meter.create_counter("orders")
    threads = [threading.Thread(target=lambda: [counter.add(1) for _ in range(500)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    updates = [update for _ in range(100) for update in buffer.retrieve_updates()]
    for thread in threads:
        thread.join()
    updates += buffer.retrieve_updates()
    assert sum(update.value for update in updates) == 4000


def test_a_buffer_belongs_to_one_runtime() -> None:
    buffer = MetricBuffer(10)
    with pytest.raises(RuntimeError, match="no runtime uses this metric buffer"):
        buffer.retrieve_updates()
    with pytest.raises(ValueError, match="worker_heartbeat_interval"):
        Runtime(
            telemetry=TelemetryConfig(logging=None, metrics=buffer), worker_heartbeat_interval=timedelta(seconds=61)
        )
    runtime = buffering(buffer)
    with pytest.raises(RuntimeError, match="another runtime uses this metric buffer"):
        buffering(buffer)
    runtime.metric_meter.create_counter("orders").add(1)
    assert len(buffer.retrieve_updates()) == 1


@pytest.mark.parametrize(
    ("size", "error", "message"),
    [
        (0, ValueError, "buffer_size must be at least 1, got 0"),
        (-1, ValueError, "buffer_size must be at least 1, got -1"),
        ("1", TypeError, "buffer_size must be an int, got str"),
        (True, TypeError, "buffer_size must be an int, got bool"),
    ],
)
def test_sizes_that_make_no_sense_are_named(size: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        MetricBuffer(size)


def test_formats_of_durations_are_of_their_enum() -> None:
    with pytest.raises(TypeError, match=r"^duration_format must be a MetricBufferDurationFormat, got str$"):
        MetricBuffer(1, "seconds")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_updates_show_what_they_are(buffer: MetricBuffer, meter: MetricMeter) -> None:
    meter.create_counter("orders").add(3, {"shop": "north"})
    meter.create_gauge_float("load").set(0.5)
    orders, load = buffer.retrieve_updates()
    assert repr(orders) == """<update of <counter "orders">: 3 {'shop': 'north'}>"""
    assert repr(load) == """<update of <gauge "load">: 0.5 {}>"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_forked_child_cannot_retrieve() -> None:
    script = """
        import os, warnings
        from invincible.runtime import MetricBuffer, Runtime, TelemetryConfig
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads, which is the point here
        buffer = MetricBuffer(10)
        runtime = Runtime(telemetry=TelemetryConfig(metrics=buffer))
        child = os.fork()
        if child:
            print("child ended with", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        else:
            try:
                buffer.retrieve_updates()
            except RuntimeError as error:
                print(str(error).partition(" (")[0], flush=True)
    """
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    program = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, env=env)
    assert done.stdout.splitlines() == [
        "this metric buffer was created in another process",
        "child ended with 0",
    ], done
