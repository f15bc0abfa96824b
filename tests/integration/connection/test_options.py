"""Options of connections whose effect shows elsewhere: identity, compression, load balancing, limits."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from contextlib import AsyncExitStack

import pytest

from invincible.client import Client
from invincible.runtime import LogForwardingConfig, LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from invincible.service import (
    DnsLoadBalancingConfig,
    GrpcCompression,
    HttpConnectProxyConfig,
    PayloadLimitsConfig,
)
from tests.support.conditions import eventually
from tests.support.connect_proxy import connect_proxy
from tests.support.relay import relay

from .conftest import healthy


@pytest.mark.parametrize("identity", [None, "a-program"])
async def test_the_identity_is_in_the_history(address: str, task_queue: str, identity: str | None) -> None:
    client = await Client.connect(address, identity=identity)
    handle = await client.start_workflow("Any", id=f"identity-{task_queue}", task_queue=task_queue)
    await handle.terminate()
    started, *_ = (await handle.fetch_history()).events
    expected = identity or f"{os.getpid()}@{socket.gethostname()}"
    assert started.workflow_execution_started_event_attributes.identity == client.identity == expected


async def test_compression_makes_messages_smaller(address: str, task_queue: str) -> None:
    sent = {}
    for compression in (GrpcCompression.GZIP, GrpcCompression.NONE):
        async with connect_proxy() as proxy:
            client = await Client.connect(
                address,
                grpc_compression=compression,
                http_connect_proxy_config=HttpConnectProxyConfig(proxy.address),
            )
            handle = await client.start_workflow(
                "Any", "x" * 100_000, id=f"{compression!r}-{task_queue}", task_queue=task_queue
            )
            await handle.terminate()
            sent[compression] = proxy.sent
    assert sent[GrpcCompression.NONE] > 100_000 > 10_000 > sent[GrpcCompression.GZIP]


async def test_messages_within_the_machine_are_not_compressed(address: str, task_queue: str) -> None:
    async with relay(address) as server:
        client = await Client.connect(server.address)
        handle = await client.start_workflow("Any", "x" * 100_000, id=f"here-{task_queue}", task_queue=task_queue)
        await handle.terminate()
    assert server.sent > 100_000


async def test_a_lazy_client_connects_with_its_first_call(address: str) -> None:
    client = await Client.connect(address, lazy=True)
    calls = [healthy(client) for _ in range(5)]
    assert await asyncio.gather(*calls) == [True] * 5


async def test_calls_are_spread_over_the_addresses_of_a_name(address: str) -> None:
    """The one name besides localhost that every machine knows is its own. It may have one address only."""
    with socket.create_server(("", 0)) as found:
        port = found.getsockname()[1]
    name = socket.gethostname()
    hosts = sorted({info[4][0] for info in socket.getaddrinfo(name, port, family=socket.AF_INET)})
    assert name != "localhost", "localhost is never balanced"
    async with AsyncExitStack() as stack:
        relays = [await stack.enter_async_context(relay(address, host=str(host), port=port)) for host in hosts]
        client = await Client.connect(f"{name}:{port}", dns_load_balancing_config=DnsLoadBalancingConfig())
        for _ in range(10):
            assert await healthy(client)
        assert all(each.accepted for each in relays)


async def test_payloads_and_memos_over_a_limit_are_warned_of(
    address: str, task_queue: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "core")
    forwarding = LogForwardingConfig(logging.getLogger("core"))
    only_warnings = LoggingConfig(TelemetryFilter(core_level="WARN", other_level="WARN"), forwarding)
    runtime = Runtime(telemetry=TelemetryConfig(logging=only_warnings))

    async def warned(limits: PayloadLimitsConfig) -> list[str]:
        client = await Client.connect(address, runtime=runtime, payload_limits=limits)
        caplog.clear()
        for number in range(2):
            handle = await client.start_workflow(
                "Any", "s3cret" * 100, id=f"limits-{number}-{task_queue}", task_queue=task_queue, memo={"a": "b" * 500}
            )
            await handle.terminate()
        return [record.getMessage() for record in caplog.records]

    async def both() -> list[str]:
        lines = await warned(PayloadLimitsConfig(payloads_warn_size=300, memo_warn_size=300))
        return lines if len({"payloads" in line for line in lines}) == 2 else []

    lines = await eventually(both, what="payloads and memo are warned of")
    assert any("memo with size" in line for line in lines)
    assert not any("s3cret" in line for line in lines)
    assert await warned(PayloadLimitsConfig(payloads_warn_size=0, memo_warn_size=0)) == []
    assert await warned(PayloadLimitsConfig(payloads_warn_size=1000, memo_warn_size=1000)) == []
