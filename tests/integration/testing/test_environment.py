"""``WorkflowEnvironment`` with each of its options, and what it says when it cannot start."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sqlite3
import sys
import textwrap
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from invincible import workflow
from invincible.client import (
    Client,
    ClientConfig,
    Interceptor,
    OutboundInterceptor,
    Plugin,
    StartWorkflowInput,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowQueryRejectedError,
)
from invincible.common import QueryRejectCondition, SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from invincible.converter import DataConverter, DefaultPayloadConverter
from invincible.runtime import Runtime, TelemetryConfig
from invincible.service import ConnectConfig, RetryConfig, RPCError, ServiceClient, TLSConfig
from invincible.testing import ServerStartError, TimeSkipper, TimeSkippingConfig, WorkflowEnvironment
from invincible.worker import Worker
from tests.support.conditions import eventually
from tests.support.processes import Program, is_gone

DAY = timedelta(days=1)


@workflow.defn
class Waits:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.query
    def there(self) -> bool:
        return True


@workflow.defn
async def sleep_a_month() -> None:
    await asyncio.sleep(30 * DAY.total_seconds())


class OwnPayloads(DefaultPayloadConverter):
    """A converter of the test."""


class Starts(Interceptor):
    def __init__(self) -> None:
        self.ids: list[str] = []

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        ids = self.ids

        class Recording(OutboundInterceptor):
            async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
                ids.append(input.id)
                return await super().start_workflow(input)

        return Recording(next)


class Renamed(Plugin):
    """Gives the connection an identity."""

    def configure_client(self, config: ClientConfig) -> ClientConfig:
        return config

    async def connect_service_client(
        self, config: ConnectConfig, next: Callable[[ConnectConfig], Awaitable[ServiceClient]]
    ) -> ServiceClient:
        config.identity = "by the plugin"
        return await next(config)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_every_option_has_its_effect(tmp_path: Path) -> None:
    port, ui_port = free_port(), free_port()
    starts, runtime = Starts(), Runtime(telemetry=TelemetryConfig())
    customer = SearchAttributeKey.for_keyword("Customer")
    database = tmp_path / "temporal.db"
    env = await WorkflowEnvironment.start_local(
        namespace="shop",
        data_converter=DataConverter(payload_converter_class=OwnPayloads),
        interceptors=[starts],
        plugins=[Renamed()],
        default_workflow_query_reject_condition=QueryRejectCondition.NOT_OPEN,
        retry_config=RetryConfig(max_retries=3),
        rpc_metadata={"tenant": "ada"},
        identity="mine",
        ip="127.0.0.1",
        port=port,
        runtime=runtime,
        search_attributes=[customer],
        ui=True,
        ui_port=ui_port,
        dev_server_database_filename=database,
        dev_server_log_format="json",
        dev_server_log_level="info",
        dev_server_extra_args=["--namespace", "warehouse"],
        dev_server_startup_timeout=timedelta(seconds=50),
    )
    async with env:
        client, config = env.client, env.client.service_client.config
        assert (config.target_host, client.namespace) == (f"127.0.0.1:{port}", "shop")
        assert client.identity == "by the plugin"
        assert config.retry_config is not None
        assert config.retry_config.max_retries == 3
        assert client.rpc_metadata == {"tenant": "ada"}
        assert config.runtime is runtime
        assert client.data_converter.payload_converter_class is OwnPayloads
        assert env.ui_url == f"http://127.0.0.1:{ui_port}"
        attributes = TypedSearchAttributes([SearchAttributePair(customer, "Ada")])
        handle = await client.start_workflow(Waits.run, id="w", task_queue="q", search_attributes=attributes)
        assert starts.ids == ["w"]
        assert (await handle.describe()).typed_search_attributes[customer] == "Ada"
        async with Worker(client, task_queue="q", workflows=[Waits]):
            assert await handle.query(Waits.there)
            await handle.terminate()
            with pytest.raises(WorkflowQueryRejectedError):
                await handle.query(Waits.there)
        warehouse = await env.connect_client(namespace="warehouse")
        await warehouse.start_workflow("any", id="w", task_queue="q")
        assert env._server is not None
        assert '"level":"info"' in env._server.log
    with closing(sqlite3.connect(database)) as kept:
        assert kept.execute("select count(*) from executions").fetchone()[0] > 0


async def test_the_level_of_the_log_may_be_that_of_python(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="invincible")
    async with await WorkflowEnvironment.start_local(dev_server_log_level=None) as env:
        assert env._server is not None
        assert " info " in env._server.log


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"search_attributes": None}, TypeError, "search_attributes must be a sequence of keys, got NoneType"),
        ({"dev_server_extra_args": None}, TypeError, "extra arguments of the server must be a sequence of str"),
        ({"dev_server_existing_path": 7}, TypeError, "the path of a server program must be a str or a path, got int"),
        ({"port": -1}, ValueError, "port must be from 0, for any free port, to 65535, got -1"),
        ({"port": "7233"}, TypeError, "port must be an int, got str"),
        ({"ui_port": 70000}, ValueError, "ui_port must be from 0"),
        ({"ui": "yes"}, TypeError, "ui must be a bool, got str"),
        ({"ip": 1}, TypeError, "ip must be a str, got int"),
        ({"namespace": None}, TypeError, "namespace must be a str, got NoneType"),
        ({"search_attributes": ["Customer"]}, TypeError, "search_attributes must be keys such as SearchAttributeKey"),
        ({"dev_server_log_format": "xml"}, ValueError, "dev_server_log_format must be one of 'pretty', 'text', 'json'"),
        ({"dev_server_log_level": "loud"}, ValueError, "dev_server_log_level must be one of 'debug', 'info', 'warn'"),
        ({"dev_server_database_filename": 3}, TypeError, "dev_server_database_filename must be a str or a path"),
        ({"dev_server_extra_args": "--x"}, TypeError, "extra arguments of the server must be a sequence of str"),
        ({"dev_server_startup_timeout": 5}, TypeError, "dev_server_startup_timeout must be a timedelta, got int"),
        ({"dev_server_startup_timeout": timedelta()}, ValueError, "dev_server_startup_timeout must be positive"),
        (
            {"dev_server_download_version": "v1.1"},
            ValueError,
            "dev_server_download_version must be 'default'.*by dev_se",
        ),
        ({"tls": True}, ValueError, "tls must be false: the embedded server has no TLS"),
        ({"tls": TLSConfig()}, ValueError, "tls must be false"),
        ({"ip": "nowhere"}, ServerStartError, "ip.*not an IP address"),
        ({"namespace": ""}, ServerStartError, "namespace"),
        ({"dev_server_existing_path": "/no/such/server"}, ServerStartError, "/no/such/server.*no such file"),
        (
            {"dev_server_existing_path": "/etc/hostname"},
            ServerStartError,
            "the server /etc/hostname|/etc/hostname as the server",
        ),
        ({"dev_server_existing_path": "/bin/true"}, ServerStartError, "did not start"),
        ({"dev_server_startup_timeout": timedelta(milliseconds=1)}, ServerStartError, "not ready within 0.001 s"),
        ({"interceptors": ["none"]}, TypeError, "interceptor"),
        ({"rpc_metadata": {"a": 1}}, TypeError, "rpc_metadata"),
    ],
)
async def test_wrong_options_are_named(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=rf"(?s){message}"):
        await WorkflowEnvironment.start_local(**options)


async def test_a_database_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "temporal.db"
    with pytest.raises(ServerStartError, match=f"directory {path.parent} does not exist"):
        await WorkflowEnvironment.start_local(dev_server_database_filename=str(path))


@pytest.mark.parametrize("option", ["download_dest_dir", "dev_server_download_ttl"])
async def test_options_of_downloads_warn(option: str) -> None:
    value: Any = "/tmp" if option == "download_dest_dir" else timedelta(days=1)
    with pytest.warns(UserWarning, match=f"{option} has no effect: no server is downloaded"):
        env = await WorkflowEnvironment.start_local(**{option: value})
    await env.shutdown()


async def test_a_start_with_time_skipping_takes_the_same_options() -> None:
    port = free_port()
    with pytest.warns(UserWarning, match="test_server_download_ttl has no effect"):
        env = await WorkflowEnvironment.start_time_skipping(
            port=port,
            identity="mine",
            test_server_download_ttl=timedelta(days=1),
            test_server_extra_args=["--namespace", "warehouse"],
            test_server_startup_timeout=timedelta(seconds=50),
        )
    async with env:
        assert env.client.service_client.config.target_host == f"127.0.0.1:{port}"
        assert env.client.identity == "mine"
        assert await (await env.connect_client(namespace="warehouse")).service_client.check_health()
        async with Worker(env.client, task_queue="q", workflows=[sleep_a_month]):
            await env.client.execute_workflow(sleep_a_month, id="w", task_queue="q")
    refused: list[tuple[dict[str, Any], str]] = [
        ({"test_server_download_version": "v1"}, "test_server_download_version must be 'default'.*by test_server_exi"),
        ({"test_server_startup_timeout": timedelta()}, "test_server_startup_timeout must be positive"),
    ]
    for options, message in refused:
        with pytest.raises(ValueError, match=message):
            await WorkflowEnvironment.start_time_skipping(**options)
    with pytest.raises(ServerStartError, match="/no/such/server"):
        await WorkflowEnvironment.start_time_skipping(test_server_existing_path="/no/such/server")


async def test_the_second_kind_of_time_skipping_takes_a_config() -> None:
    config = TimeSkippingConfig(max_session_skip_count=77)
    async with await WorkflowEnvironment.start_time_skipping_v2(ts_config=config, identity="mine") as env:
        assert env.client.identity == "mine"
        assert (env.supports_time_skipping, env.supports_time_skipping_v1, env.supports_time_skipping_v2) == (
            True,
            False,
            True,
        )
        handle = await env.client.start_workflow(Waits.run, id="w", task_queue="q")
        info = await env.get_time_skipping_info(handle)
        assert info is not None
        assert info.effective_config.max_session_skip_count == 77
    with pytest.raises(TypeError, match="ts_config must be a TimeSkippingConfig, got bool"):
        await WorkflowEnvironment.start_time_skipping_v2(ts_config=True)  # type: ignore[arg-type]


async def test_time_is_real_where_none_is_skipped(client: Client, task_queue: str) -> None:
    env = WorkflowEnvironment.from_client(client)
    assert [env.supports_time_skipping, env.supports_time_skipping_v1, env.supports_time_skipping_v2] == [False] * 3
    begin = datetime.now(timezone.utc)
    await env.sleep(0.05)
    assert datetime.now(timezone.utc) - begin >= timedelta(seconds=0.05)
    assert abs(await env.get_current_time() - datetime.now(timezone.utc)) < timedelta(seconds=10)
    handle = await client.start_workflow(Waits.run, id=task_queue, task_queue=task_queue)
    with env.auto_time_skipping_disabled(), env.with_time_skipping_disabled():
        assert abs(await env.get_current_time(handle) - datetime.now(timezone.utc)) < timedelta(seconds=10)
    with pytest.raises(
        RuntimeError, match=r"fast_forward needs an environment that skips time: start_time_skipping\(\)"
    ):
        await env.fast_forward(handle, DAY)
    with pytest.raises(RuntimeError, match="get_time_skipping_info needs an environment that skips time"):
        await env.get_time_skipping_info(handle)
    await handle.terminate()


async def test_an_environment_wants_a_client() -> None:
    with pytest.raises(TypeError, match="client must be a Client, got str"):
        WorkflowEnvironment.from_client("localhost:7233")  # type: ignore[arg-type]


async def test_an_environment_says_what_it_is(address: str) -> None:
    for time_skipping, time in ((False, "real time"), (True, "time stands until somebody waits")):
        client = await Client.connect(address)
        env = WorkflowEnvironment.from_client(client, time_skipping=time_skipping)
        assert repr(env) == f"<WorkflowEnvironment of {client!r}, {time}>"
    env = WorkflowEnvironment.from_client(TimeSkipper(client).client)
    assert "time is skipped from the start" in repr(env)


async def test_other_clients_have_the_same_server(address: str, task_queue: str) -> None:
    first = await Client.connect(address, rpc_metadata={"tenant": "ada"}, identity="first")
    env = WorkflowEnvironment.from_client(first)
    other = await env.connect_client(identity="other")
    assert other is not first
    assert (other.service_client.config.target_host, other.namespace) == (address, first.namespace)
    assert other.rpc_metadata == {"tenant": "ada"}
    assert (first.identity, other.identity) == ("first", "other")
    with await env.connect_sync_client() as blocking:
        described = await asyncio.to_thread(blocking.start_workflow, "any", id=task_queue, task_queue=task_queue)
        assert (await other.get_workflow_handle(described.id).describe()).status is WorkflowExecutionStatus.RUNNING
        await other.get_workflow_handle(described.id).terminate()


async def test_nexus_endpoints_come_and_go(client: Client, task_queue: str) -> None:
    env = WorkflowEnvironment.from_client(client)
    endpoint = await env.create_nexus_endpoint(task_queue, task_queue)
    assert endpoint.spec.name == task_queue
    assert endpoint.spec.target.worker.task_queue == task_queue
    assert endpoint.spec.target.worker.namespace == client.namespace
    with pytest.raises(RPCError, match=task_queue):
        await env.create_nexus_endpoint(task_queue, task_queue)
    await env.delete_nexus_endpoint(endpoint)
    with pytest.raises(RPCError):
        await env.delete_nexus_endpoint(endpoint)


async def test_a_cancelled_start_leaves_no_server(tmp_path: Path) -> None:
    lock = tmp_path / "temporal.db"
    starting = asyncio.ensure_future(WorkflowEnvironment.start_local(dev_server_database_filename=lock))

    async def begun() -> bool:
        return lock.exists()

    await eventually(begun, what="the server has begun to start")
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting

    async def free_again() -> bool:
        # One server at a time uses a file.
        try:
            await (await WorkflowEnvironment.start_local(dev_server_database_filename=lock)).shutdown()
        except ServerStartError:
            return False
        return True

    await eventually(free_again, what="the server has ended", timeout=60)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_an_environment_that_is_killed_leaves_no_server(number: signal.Signals) -> None:
    program = """
        import asyncio
        from invincible.testing import WorkflowEnvironment

        async def main():
            async with await WorkflowEnvironment.start_time_skipping() as env:
                handle = await env.client.start_workflow("any", id="w", task_queue="q")
                print("pid", env._server.pid, flush=True)
                await handle.result()

        asyncio.run(main())
    """
    async with Program(sys.executable, "-c", textwrap.dedent(program)) as parent:
        pid = int((await parent.line("pid")).split()[-1])
        parent.send(number)

        async def gone() -> bool:
            return is_gone(pid)

        await eventually(gone, what="the server is gone")
