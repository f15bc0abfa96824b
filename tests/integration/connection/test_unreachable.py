"""Servers that are not there, do not answer or are something else: nothing hangs, and the error names the address."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from invincible.client import Client
from invincible.service import RPCError, RPCStatusCode
from tests.support.relay import relay

HALF_A_SECOND = timedelta(seconds=0.5)


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[str]:
    """A server that says something at once and hangs up."""

    async def handle(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        yield "{}:{}".format(*server.sockets[0].getsockname())


@pytest.mark.parametrize("tls", [False, True])
async def test_a_server_that_never_accepts(tls: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = "{}:{}".format(*listening.getsockname())
        where = re.escape(f"could not connect to {address}: no answer within 0.5 s. Is that the right host and port")
        with pytest.raises(RuntimeError, match=where):
            await asyncio.wait_for(Client.connect(address, tls=tls, connect_timeout=HALF_A_SECOND), 10)


async def test_a_port_that_nobody_listens_on() -> None:
    where = re.escape("could not connect to 127.0.0.1:1: connection refused. Is a server running there?")
    with pytest.raises(RuntimeError, match=where):
        await Client.connect("127.0.0.1:1")


async def test_a_port_that_was_forgotten() -> None:
    with pytest.raises(RuntimeError, match=re.escape("to 127.0.0.1:80 (target_host names no port): ")):
        await Client.connect("127.0.0.1", connect_timeout=HALF_A_SECOND)


async def test_a_name_that_cannot_be_resolved() -> None:
    with pytest.raises(RuntimeError, match=r"to no-such-host\.invalid:7233: .*Is the name spelled right"):
        await Client.connect("no-such-host.invalid:7233")


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno"])
async def test_a_server_that_does_not_talk_grpc(answer: bytes) -> None:
    async with answering(answer) as address:
        with pytest.raises(RuntimeError, match=f"to {address}: .* its answer is not gRPC. If it wants TLS, set tls"):
            await Client.connect(address)
        with pytest.raises(
            RuntimeError, match=f"to {address}: .*(Does it take TLS on this port|the answer is not TLS)"
        ):
            await Client.connect(address, tls=True)


@pytest.mark.parametrize("target", ["", "http://localhost:7233", "localhost:99999", "no name:1", "localhost:7233/x"])
async def test_what_is_no_address(target: str) -> None:
    with pytest.raises(ValueError, match="target_host must be host:port, without a scheme, got "):
        await Client.connect(target)


async def test_a_lazy_client_tells_with_its_first_call() -> None:
    client = await Client.connect("127.0.0.1:1", lazy=True)
    with pytest.raises(RuntimeError, match=r"could not connect to 127\.0\.0\.1:1: connection refused"):
        await client.start_workflow("Any", id="any", task_queue="any")


async def test_calls_after_the_server_has_gone_name_it(address: str) -> None:
    async with relay(address) as server:
        client = await Client.connect(server.address)
    with pytest.raises(RPCError, match=rf"^no connection to {server.address}: ") as caught:
        await client.service_client.check_health()
    assert caught.value.status in (RPCStatusCode.UNAVAILABLE, RPCStatusCode.UNKNOWN, RPCStatusCode.CANCELLED)


async def test_a_deadline_that_passes_is_no_lost_connection(address: str, task_queue: str) -> None:
    client = await Client.connect(address)
    handle = await client.start_workflow("any", id=task_queue, task_queue=task_queue)
    for milliseconds in (1, 100):
        with pytest.raises(RPCError, match=r"Timeout expired|deadline exceeded|query timed out") as caught:
            await handle.query("nobody answers", rpc_timeout=timedelta(milliseconds=milliseconds))
        assert "no connection" not in str(caught.value)
    await handle.terminate()
