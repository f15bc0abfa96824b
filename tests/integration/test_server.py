"""The embedded server as its users meet it: through ``WorkflowEnvironment.start_local()`` and ``invincible server``."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import textwrap
import time
import urllib.request
from pathlib import Path

import pytest

from invincible import workflow
from invincible.client import Client, WorkflowExecutionStatus
from invincible.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from invincible.service import RPCError, RPCStatusCode
from invincible.testing import ServerStartError, WorkflowEnvironment
from invincible.testing._server import ServerProcess
from invincible.testing.pytest_plugin import SessionServer
from invincible.worker import Worker
from tests.support.conditions import eventually
from tests.support.processes import Program, is_gone

DAY = 24 * 60 * 60


@workflow.defn
async def sleep_days(days: int) -> int:
    for _ in range(days):
        await asyncio.sleep(DAY)
    return days


@workflow.defn
class Mailbox:
    """Ends when it has got mail."""

    def __init__(self) -> None:
        self.mail: str | None = None

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.mail is not None)
        return self.mail or ""

    @workflow.signal
    def post(self, mail: str) -> None:
        self.mail = mail


def http(url: str, body: object = None) -> str:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data), timeout=30) as response:
        text: str = response.read().decode()
        return text


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def gone(pid: int) -> bool:
    return is_gone(pid)


async def test_start_local_serves_what_it_was_asked_for() -> None:
    port = free_port()
    customer = SearchAttributeKey.for_keyword("Customer")
    async with await WorkflowEnvironment.start_local(
        namespace="shop", port=port, ui=True, search_attributes=[customer], identity="test"
    ) as environment:
        client = environment.client
        assert client.service_client.config.target_host == f"127.0.0.1:{port}"
        assert (client.namespace, client.identity) == ("shop", "test")
        async with Worker(client, task_queue="shop", workflows=[Mailbox]):
            handle = await client.start_workflow(
                Mailbox.run,
                id="mailbox",
                task_queue="shop",
                search_attributes=TypedSearchAttributes([SearchAttributePair(customer, "Ada")]),
            )
            await handle.signal(Mailbox.post, "a letter")
            assert await handle.result() == "a letter"
        assert environment.ui_url is not None
        assert "<html" in await asyncio.to_thread(http, environment.ui_url)
        listed = json.loads(await asyncio.to_thread(http, f"{environment.ui_url}/api/v1/namespaces"))
        names = {each["namespaceInfo"]["name"] for each in listed["namespaces"]}
        assert {"default", "shop"} <= names
    await environment.shutdown()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


async def test_without_ui_there_is_no_ui_url() -> None:
    async with await WorkflowEnvironment.start_local() as environment:
        assert environment.ui_url is None


async def test_from_client_leaves_the_server_alone(client: Client) -> None:
    async with WorkflowEnvironment.from_client(client) as environment:
        assert environment.client is client
        assert environment.ui_url is None
    assert await client.service_client.check_health()


async def test_unknown_namespaces_and_search_attributes_are_refused(client: Client, task_queue: str) -> None:
    attributes = TypedSearchAttributes([SearchAttributePair(SearchAttributeKey.for_keyword("Nobody"), "x")])
    with pytest.raises(RPCError, match="Nobody"):
        await client.start_workflow(Mailbox.run, id=task_queue, task_queue=task_queue, search_attributes=attributes)
    elsewhere = await Client.connect(client.service_client.config.target_host, namespace="elsewhere")
    with pytest.raises(RPCError, match="elsewhere") as refused:
        await elsewhere.start_workflow(Mailbox.run, id=task_queue, task_queue=task_queue)
    assert refused.value.status is RPCStatusCode.NOT_FOUND


async def test_time_is_skipped_for_workflows_that_ask_for_it(
    invincible_server: SessionServer, client: Client, task_queue: str
) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[sleep_days]):
        begin = time.monotonic()
        await asyncio.to_thread(
            http,
            f"{invincible_server.http_url}/api/v1/namespaces/default/workflows/{task_queue}",
            {
                "workflowType": {"name": "sleep_days"},
                "taskQueue": {"name": task_queue},
                "input": [30],
                "timeSkippingConfig": {"enabled": True},
            },
        )
        assert await client.get_workflow_handle(task_queue, result_type=int).result() == 30
        assert time.monotonic() - begin < 10


async def test_a_taken_port_is_named() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(ServerStartError, match=f"port {port} is already in use on 127.0.0.1"):
            await WorkflowEnvironment.start_local(port=port)


async def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no database\n" * 1000)
    with pytest.raises(ServerStartError, match=f"{path} is not a SQLite database"):
        await WorkflowEnvironment.start_local(dev_server_database_filename=str(path))


async def test_bad_flags_are_named() -> None:
    with pytest.raises(ServerStartError, match=r"exit status 2.*no\.such\.key"):
        await WorkflowEnvironment.start_local(dev_server_extra_args=["--dynamic-config-value", "no.such.key=1"])
    with pytest.raises(ServerStartError, match=r"exit status 2.*loud"):
        await WorkflowEnvironment.start_local(dev_server_extra_args=["--log-level", "loud"])


async def test_a_killed_server_goes_on_from_its_file(tmp_path: Path) -> None:
    options = ["--port", "0", "--headless", "--db", str(tmp_path / "temporal.db")]
    server = await asyncio.to_thread(ServerProcess, options)
    client = await Client.connect(server.ready.grpc)
    await client.start_workflow(
        Mailbox.run, id="mailbox", task_queue="mail", start_signal="post", start_signal_args=["x"]
    )
    os.kill(server.pid, signal.SIGKILL)
    await asyncio.to_thread(server.stop)

    server = await asyncio.to_thread(ServerProcess, options)
    try:
        client = await Client.connect(server.ready.grpc)
        handle = client.get_workflow_handle("mailbox", result_type=str)
        assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
        async with Worker(client, task_queue="mail", workflows=[Mailbox]):
            assert await handle.result() == "x"
    finally:
        await asyncio.to_thread(server.stop)


async def test_the_server_ends_with_a_program_that_is_killed() -> None:
    program = """
        import asyncio
        from invincible.testing import WorkflowEnvironment

        async def main():
            environment = await WorkflowEnvironment.start_local()
            print("pid", environment._server.pid, flush=True)
            await asyncio.Event().wait()

        asyncio.run(main())
    """
    async with Program(sys.executable, "-c", textwrap.dedent(program)) as parent:
        pid = int((await parent.line("pid")).split()[-1])
        assert not await gone(pid)
        await parent.kill()
        await eventually(lambda: gone(pid), what="the server is gone")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_command_serves_until_it_is_told_to_stop(number: signal.Signals) -> None:
    async with Program(sys.executable, "-m", "invincible", "server", "--port", "0", "--metrics-port", "0") as program:
        ready = json.loads(await program.line('"event":"ready"'))
        assert ready["pid"] == program.pid
        assert await (await Client.connect(ready["grpc"])).service_client.check_health()
        assert "service_requests" in await asyncio.to_thread(http, ready["metrics"])
        program.send(number)
        assert await program.exit_code(timeout=10) == 0


async def test_the_command_tells_people_where_it_serves() -> None:
    command = [sys.executable, "-m", "invincible", "server", "--output", "text", "--port", "0", "--namespace", "shop"]
    async with Program(*command) as program:
        address = (await program.line("gRPC")).split()[-1]
        ui = (await program.line("Web UI")).split()[-1]
        assert "default, shop" in await program.line("Namespaces")
        assert "in memory" in await program.line("Database")
        assert await (await Client.connect(address, namespace="shop")).service_client.check_health()
        assert "<html" in await asyncio.to_thread(http, ui)


async def test_the_command_fails_with_the_reason_and_an_exit_code() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        async with Program(sys.executable, "-m", "invincible", "server", "--port", str(port)) as program:
            await program.line(f"^invincible server: port {port} is already in use")
            assert await program.exit_code() == 1
    async with Program(sys.executable, "-m", "invincible", "server", "--nonsense") as program:
        await program.line("nonsense")
        assert await program.exit_code() == 2
