"""A worker gets another client while it runs."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from invincible import activity, workflow
from invincible.client import Client
from invincible.runtime import Runtime, TelemetryConfig
from invincible.testing._server import ServerProcess
from invincible.worker import Worker
from tests.support.relay import relay

MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def other_server() -> Iterator[ServerProcess]:
    server = ServerProcess(["--port", "0", "--headless"])
    yield server
    server.stop()


@workflow.defn
async def greet(name: str) -> str:
    return f"Hello, {name}!"


@workflow.defn
async def wait_for_gate() -> str:
    return await workflow.execute_activity("gate", result_type=str, start_to_close_timeout=MINUTE)


class Gate:
    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()

    @activity.defn
    async def gate(self) -> str:
        self.reached.set()
        await self.opened.wait()
        activity.heartbeat()
        return activity.client().service_client.config.target_host


async def test_polls_move_to_the_server_of_the_new_client(
    client: Client, address: str, task_queue: str, other_server: ServerProcess
) -> None:
    other = await Client.connect(other_server.ready.grpc)
    async with relay(address) as network:
        first = await Client.connect(network.address)
        # One poll, which the worker would wait for at its end if it were still with the first server.
        async with Worker(
            first,
            task_queue=task_queue,
            workflows=[greet],
            max_cached_workflows=0,
            max_concurrent_workflow_task_polls=1,
        ) as worker:
            assert await client.execute_workflow(greet, "A", id=task_queue, task_queue=task_queue) == "Hello, A!"
            worker.client = other
            assert worker.client is other
            network.pause()
            await network.cut()
            assert await other.execute_workflow(greet, "B", id=task_queue, task_queue=task_queue) == "Hello, B!"


async def test_what_is_under_way_is_reported_through_the_new_connection(
    client: Client, address: str, task_queue: str
) -> None:
    gate = Gate()
    async with relay(address) as network:
        first = await Client.connect(network.address)
        async with Worker(first, task_queue=task_queue, workflows=[wait_for_gate], activities=[gate.gate]) as worker:
            handle = await client.start_workflow(wait_for_gate, id=task_queue, task_queue=task_queue)
            await gate.reached.wait()
            worker.client = client
            await network.cut()
            network.pause()
            gate.opened.set()
            # What began with the first client keeps it for itself.
            assert await asyncio.wait_for(handle.result(), 30) == network.address
            again = await client.execute_workflow(wait_for_gate, id=f"{task_queue}-2", task_queue=task_queue)
            assert again == address


async def test_a_client_can_be_replaced_before_the_worker_runs(
    client: Client, task_queue: str, other_server: ServerProcess
) -> None:
    worker = Worker(client, task_queue=task_queue, workflows=[greet])
    worker.client = other = await Client.connect(other_server.ready.grpc)
    assert worker.config(active_config=True)["client"] is other
    async with worker:
        assert await other.execute_workflow(greet, "B", id=task_queue, task_queue=task_queue) == "Hello, B!"


async def test_clients_that_do_not_fit_are_refused(client: Client, address: str, task_queue: str) -> None:
    worker = Worker(client, task_queue=task_queue, workflows=[greet])
    elsewhere = Client(client.service_client, namespace="elsewhere")
    says = "a worker stays in its namespace, which is 'default': its new client is for 'elsewhere'"
    with pytest.raises(ValueError, match=re.escape(says)):
        worker.client = elsewhere
    of_another_runtime = await Client.connect(address, runtime=Runtime(telemetry=TelemetryConfig()))
    with pytest.raises(ValueError, match="the new client of a worker must have the same runtime"):
        worker.client = of_another_runtime
    with pytest.raises(TypeError, match=r"a worker needs a connected invincible\.client\.Client, got str"):
        worker.client = address  # type: ignore[assignment]
    assert worker.client is client
