"""Raw calls of every service on the real server."""

from __future__ import annotations

import asyncio
import logging
import re
from datetime import timedelta

import pytest
from google.protobuf.empty_pb2 import Empty

from invincible import service
from invincible.api.grpc.health.v1 import HealthCheckRequest, HealthCheckResponse
from invincible.api.operatorservice.v1 import ListSearchAttributesRequest
from invincible.api.workflowservice.v1 import DescribeNamespaceRequest, GetSystemInfoRequest, ListNamespacesRequest
from invincible.client import Client
from invincible.service import RetryConfig, RPCError, RPCStatusCode

from .conftest import Connect

SERVICES = {
    "workflow": service.WorkflowService,
    "operator": service.OperatorService,
    "cloud": service.CloudService,
    "test": service.TestService,
    "health": service.HealthService,
}


@pytest.mark.parametrize("name", SERVICES)
def test_the_bridge_knows_every_rpc(client: Client, name: str) -> None:
    native = client.service_client._native
    for rpc in vars(SERVICES[name]):
        if not rpc.startswith("_"):
            native.call(name, rpc, b"")  # refuses unknown names; not started, it sends nothing
    with pytest.raises(ValueError, match="no RPC"):
        native.call(name, "fly", b"")


async def test_calls_of_the_services_that_the_server_has(client: Client) -> None:
    namespaces = await client.workflow_service.list_namespaces(ListNamespacesRequest())
    assert "default" in [namespace.namespace_info.name for namespace in namespaces.namespaces]
    attributes = await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace="default"))
    assert "WorkflowType" in attributes.system_attributes
    health = await client.service_client.health_service.check(HealthCheckRequest())
    assert health.status == HealthCheckResponse.ServingStatus.SERVING


async def test_a_call_of_a_service_that_the_server_lacks(client: Client) -> None:
    with pytest.raises(RPCError) as refused:
        await client.test_service.get_current_time(Empty())
    assert refused.value.status == RPCStatusCode.UNIMPLEMENTED


async def test_the_servers_refusal_has_its_own_words_and_details(client: Client) -> None:
    with pytest.raises(RPCError, match="Namespace none is not found") as refused:
        await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="none"))
    assert refused.value.status == RPCStatusCode.NOT_FOUND
    details = refused.value.grpc_status.details
    assert [detail.type_url.rpartition(".")[2] for detail in details] == ["NamespaceNotFoundFailure"]


async def test_a_deadline(client: Client) -> None:
    with pytest.raises(RPCError) as late:
        await client.workflow_service.get_system_info(GetSystemInfoRequest(), timeout=timedelta(microseconds=1))
    assert late.value.status in (RPCStatusCode.CANCELLED, RPCStatusCode.DEADLINE_EXCEEDED)


async def test_calls_are_repeated_on_demand(front: Connect) -> None:
    """The front refuses for a while, as a server that starts does."""
    retry = RetryConfig(initial_interval_millis=50, max_interval_millis=50, max_retries=0)
    async with front() as server:
        client = await Client.connect(f"127.0.0.1:{server.port}", retry_config=retry)
        await server.headers_of("GetSystemInfo")
        server.unavailable.touch()
        with pytest.raises(RPCError, match=re.escape("not now")):
            await client.workflow_service.get_system_info(GetSystemInfoRequest())
        await server.headers_of("GetSystemInfo")

        call = asyncio.create_task(client.workflow_service.get_system_info(GetSystemInfoRequest(), retry=True))
        for _ in range(2):
            await server.headers_of("GetSystemInfo")
        server.unavailable.unlink()
        assert (await call).server_version


async def test_messages_are_logged_on_demand(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "invincible.service")
    request = DescribeNamespaceRequest(namespace="default")
    await client.workflow_service.describe_namespace(request)
    assert caplog.records == []

    monkeypatch.setattr(service, "LOG_PROTOS", True)
    await client.workflow_service.describe_namespace(request)
    with pytest.raises(RPCError):
        await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="none"))
    sent, received, refused = (record.getMessage() for record in caplog.records)
    assert sent.startswith('Request of workflow service\'s describe_namespace: namespace: "default"')
    assert received.startswith("Response of workflow service's describe_namespace: namespace_info")
    assert 'namespace: "none"' in refused
