"""A server that goes away in the middle of long polls, and comes back."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from invincible import workflow
from invincible.client import Client
from invincible.service import HttpConnectProxyConfig, KeepAliveConfig, RPCError
from invincible.worker import Worker
from tests.support.conditions import eventually
from tests.support.connect_proxy import connect_proxy
from tests.support.server import server_process


@workflow.defn
class Wait:
    def __init__(self) -> None:
        self._released = False

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self._released)
        return "released"

    @workflow.signal
    def release(self) -> None:
        self._released = True


def free_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return "{}:{}".format(*found.getsockname())


async def wait_through_an_outage(folder: Path, task_queue: str, outage: Callable[[Client], Awaitable[object]]) -> None:
    address, database = free_address(), folder / "temporal.db"
    async with AsyncExitStack() as servers:
        first = await servers.enter_async_context(server_process(address=address, database=database))
        client = await Client.connect(address)
        async with Worker(client, task_queue=task_queue, workflows=[Wait]):
            handle = await client.start_workflow(Wait.run, id=f"wait-{task_queue}", task_queue=task_queue)
            result = asyncio.create_task(handle.result())
            await eventually(lambda: begun(client, handle.id), what="the workflow's first task is done")

            await first.program.kill()
            await outage(client)
            assert not result.done()
            await servers.enter_async_context(server_process(address=address, database=database))
            await eventually(lambda: released(client, handle.id), what="the signal gets through", timeout=60)
            assert await asyncio.wait_for(result, 60) == "released"


async def begun(client: Client, workflow_id: str) -> bool:
    history = await client.get_workflow_handle(workflow_id).fetch_history()
    return len(history.events) >= 4


async def released(client: Client, workflow_id: str) -> bool:
    await client.get_workflow_handle(workflow_id).signal(Wait.release)
    return True


async def test_a_result_is_waited_for_while_the_server_is_away(tmp_path: Path, task_queue: str) -> None:
    async def noticed(client: Client) -> None:
        with pytest.raises(RPCError, match="no connection to"):
            await client.service_client.check_health()

    await wait_through_an_outage(tmp_path, task_queue, outage=noticed)


async def test_a_connection_that_died_silently_is_replaced(address: str, task_queue: str) -> None:
    """The proxy holds the bytes back without closing: only pings can tell."""
    keep_alive = KeepAliveConfig(interval_millis=200, timeout_millis=200)
    async with connect_proxy() as proxy:
        through = await Client.connect(
            address, http_connect_proxy_config=HttpConnectProxyConfig(proxy.address), keep_alive_config=keep_alive
        )
        direct = await Client.connect(address)
        handle = await direct.start_workflow(Wait.run, id=f"silent-{task_queue}", task_queue=task_queue)
        result = asyncio.create_task(through.get_workflow_handle_for(Wait.run, handle.id).result())
        await through.service_client.check_health()  # by then the wait, which was first, has been sent
        proxy.freeze()
        async with Worker(direct, task_queue=task_queue, workflows=[Wait]):
            await handle.signal(Wait.release)
            assert await asyncio.wait_for(result, 60) == "released"
        assert len(proxy.targets) > 1, "the wait went on over another connection"
