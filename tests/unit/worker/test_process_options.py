"""Worker(processes=...): what is refused before anything starts."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from invincible import activity, workflow
from invincible.client import Client, Interceptor
from invincible.converter import DataConverter, DefaultPayloadConverter
from invincible.runtime import MetricBuffer, OpenTelemetryConfig, Runtime, TelemetryConfig
from invincible.worker import Worker, WorkerProcesses
from invincible.worker._processes import _memory
from invincible.worker._processes._blueprint import WorkerBlueprint, dump


@activity.defn(start_to_close_timeout=timedelta(seconds=1))
async def nothing() -> None: ...


@workflow.defn
async def run_nothing() -> None:
    await nothing.execute()


class Shop:
    def __init__(self, key: Any) -> None:
        self.key = key

    @activity.defn(start_to_close_timeout=timedelta(seconds=1))
    async def sell(self) -> None: ...


class Holding(Interceptor):
    def __init__(self, value: object) -> None:
        self.value = value


class Compiled(DefaultPayloadConverter):
    def __init__(self) -> None:
        super().__init__()
        self.compiled: Callable[[], None] = lambda: None


def lazy(**options: Any) -> Client:
    return asyncio.run(Client.connect("localhost:1", lazy=True, **options))


@pytest.fixture(scope="module")
def client() -> Client:
    return lazy(api_key="canary-of-a-key", tls=False)


def worker(client: Client, *, processes: Any = 2, **options: Any) -> Worker:
    options = {"workflows": [run_nothing], "activities": [nothing], **options}
    return Worker(client, task_queue="orders", processes=processes, **options)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"count": 0}, ValueError, "processes must be at least 1, got 0"),
        ({"count": "2"}, TypeError, "processes must be a whole number, got '2'"),
        ({"count": True}, TypeError, "processes must be a whole number, got True"),
        ({"count": 1, "max_memory": 0.5}, TypeError, "max_memory must be a whole number of bytes, got 0.5"),
        ({"count": 1, "max_crashes": 0}, ValueError, "max_crashes must be at least 1, got 0"),
        ({"count": 1, "kill_after": 3}, TypeError, "kill_after must be a timedelta, got int"),
        ({"count": 1, "crash_window": timedelta(-1)}, ValueError, "crash_window must not be negative"),
        ({"count": 1, "crash_window": timedelta(0)}, ValueError, "crash_window must be positive"),
        ({"count": 1, "metrics_address": "9000"}, ValueError, "metrics_address must be host:port, got '9000'"),
        ({"count": 1, "metrics_address": "a:70000"}, ValueError, "metrics_address must be host:port, got 'a:70000'"),
        ({"count": 1, "metrics_address": "::1:70"}, ValueError, "metrics_address must be host:port, got '::1:70'"),
        ({"count": 1, "metrics_address": 9000}, TypeError, "metrics_address must be a str, got int"),
    ],
)
def test_settings_out_of_range_are_refused(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        WorkerProcesses(**options)


def test_a_number_of_processes_is_checked_by_the_worker(client: Client) -> None:
    with pytest.raises(ValueError, match="processes must be at least 1, got 0"):
        worker(client, processes=0)


def test_a_memory_limit_needs_a_platform_that_tells_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_memory, "resident_memory", lambda: 0)
    with pytest.raises(RuntimeError, match=r"max_memory needs .* the package psutil"):
        WorkerProcesses(1, max_memory=1_000_000)


def test_the_memory_of_this_process_is_known() -> None:
    before = _memory.resident_memory()
    kept = bytes([1]) * 50_000_000
    assert before + 45_000_000 < _memory.resident_memory() < before + 80_000_000
    del kept


def local_activity() -> Any:
    @activity.defn(start_to_close_timeout=timedelta(seconds=1))
    async def local() -> None: ...

    return local


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"activities": [local_activity()]},
            r"local_activity\.<locals>\.local, of activities, cannot be had by worker",
        ),
        (
            {"activities": [Shop(lambda: 1).sell]},
            r"Shop\.sell, of activities, cannot be had by worker processes: .*lambda",
        ),
        (
            {"workflow_failure_exception_types": [type("Odd", (Exception,), {})]},
            "the worker's workflow_failure_exception",
        ),
        ({"activity_executor": ThreadPoolExecutor()}, "activity_executor belongs to one process, so .* leave it out"),
    ],
)
def test_what_other_processes_cannot_have_is_named(client: Client, options: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        worker(client, **options)


def test_parts_of_the_client_are_named_as_well() -> None:
    with pytest.raises(TypeError, match="the Holding object, of interceptors, cannot be had by worker processes"):
        worker(lazy(interceptors=[Holding(lambda: 1)]))
    local: type[DefaultPayloadConverter] = type("Local", (DefaultPayloadConverter,), {})
    with pytest.raises(TypeError, match="payload_converter_class of the client's data converter, cannot be had"):
        worker(lazy(data_converter=DataConverter(payload_converter_class=local)))


def test_objects_of_main_need_a_file(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shop, "__module__", "__main__")
    monkeypatch.setattr("__main__.Shop", Shop, raising=False)
    for name in ("__file__", "__spec__"):
        monkeypatch.setattr(f"__main__.{name}", None, raising=False)
    with pytest.raises(TypeError, match="it is defined in __main__, which here is no file"):
        worker(client, activities=[Shop("key").sell])


class Special(Worker):
    """A worker of a program's own kind."""


def test_subclasses_are_refused_as_processes_have_workers(client: Client) -> None:
    with pytest.raises(TypeError, match=r"must be a Worker itself, .* give Special no processes"):
        Special(client, task_queue="orders", activities=[nothing], processes=2)


@pytest.mark.parametrize("served", [True, False])
def test_metrics_that_stay_in_their_process_are_refused(served: bool) -> None:
    metrics = OpenTelemetryConfig(url="http://localhost:1") if served else MetricBuffer(100)
    address = "127.0.0.1:0" if served else None
    connected = lazy(runtime=Runtime(telemetry=TelemetryConfig(metrics=metrics)))
    with pytest.raises(
        ValueError, match=r"metrics of worker processes cannot go to the (OpenTelemetryConfig|MetricBuffer)"
    ):
        worker(connected, processes=WorkerProcesses(2, metrics_address=address))


def unpickled(made: Worker) -> WorkerBlueprint:
    blueprint: WorkerBlueprint = pickle.loads(WorkerBlueprint.of(made, serve_metrics=False).pickled())
    return blueprint


def test_processes_get_the_options_and_the_connection(client: Client) -> None:
    shop = Shop("key")
    made = worker(
        client,
        activities=[nothing, shop.sell],
        max_cached_workflows=7,
        graceful_shutdown_timeout=timedelta(seconds=3),
        on_fatal_error=lambda error: None,
    )
    client.api_key = "canary-of-a-newer-key"
    blueprint = unpickled(made)
    assert blueprint.connection.target_host == "localhost:1"
    assert blueprint.connection.api_key == "canary-of-a-newer-key"
    assert not blueprint.connection.lazy
    assert "canary" not in repr(blueprint)
    assert sorted(blueprint.worker) == [
        "activities",
        "graceful_shutdown_timeout",
        "max_cached_workflows",
        "task_queue",
        "workflows",
    ]
    assert blueprint.worker["activities"][0] is nothing
    assert blueprint.worker["activities"][1].__self__.key == "key"


def test_an_identity_of_the_process_is_not_passed_on_but_a_chosen_one_is(client: Client) -> None:
    assert unpickled(worker(client)).connection.identity == ""
    chosen = unpickled(worker(lazy(identity="packer"))).connection.identity
    assert chosen == "packer"


def test_a_grace_that_was_set_afterwards_is_passed_on(client: Client) -> None:
    made = worker(client)
    made._parts.default_grace(timedelta(seconds=30))
    assert unpickled(made).worker["graceful_shutdown_timeout"] == timedelta(seconds=30)


def test_data_converters_are_made_anew() -> None:
    converter = DataConverter(payload_converter_class=Compiled)
    made: DataConverter = pickle.loads(dump(converter))
    assert isinstance(made.payload_converter, Compiled)
    assert made.payload_converter is not converter.payload_converter
